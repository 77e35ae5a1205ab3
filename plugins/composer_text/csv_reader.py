"""CSV files with a row of column names, divided by commas, semicolons or tabs."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches

from composer.api import ReadError, Source

DELIMITERS = ",;\t"
MAX_FIELD_LENGTH = 1_000_000
"""The most characters of one field."""

TEXT_COLUMNS = frozenset({"text", "texts", "lyric", "lyrics", "poem", "poems", "words", "content", "body", "verse"})
"""Names of columns that hold the text, in small letters; one called `song` or `title` holds the title."""

MAX_NAMED, MAX_NAME_LENGTH = 20, 40
"""So many columns are listed in messages, by so many characters of their names."""


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file: the names of its columns, and its rows, which may be shorter or longer than these."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __contains__(self, column: str) -> bool:
        return column.casefold() in map(str.casefold, self.columns)

    def index(self, column: str) -> int:
        """Where `column` stands, in small letters or capitals. Raises ReadError that lists the columns there are."""
        for names, wanted in ((self.columns, column), (list(map(str.casefold, self.columns)), column.casefold())):
            if wanted in names:
                return list(names).index(wanted)
        near = get_close_matches(column, self.columns, 1)
        hint = f"did you mean `{near[0]}`?" if near else "name one of these"
        raise ReadError(f"{self.name} has no column `{column}`; it has {self._listed()}", hint)

    def text_column(self, labels: Collection[int]) -> int:
        """Where the text stands: the only column that is no label, or the only one with a name that says so.

        Raises ReadError that lists the columns where that is not plain.
        """
        free = [index for index in range(len(self.columns)) if index not in labels]
        telling = [index for index in free if self.columns[index].casefold() in TEXT_COLUMNS]
        for found in (free, telling):
            if len(found) == 1:
                return found[0]
        raise ReadError(
            f"it is not plain which column of {self.name} has the text; it has {self._listed()}",
            "name it with -o column=NAME",
        )

    def _listed(self) -> str:
        more = len(self.columns) - MAX_NAMED
        return ", ".join(f"`{column[:MAX_NAME_LENGTH]}`" for column in self.columns[:MAX_NAMED]) + (
            f" and {more} more" if more > 0 else ""
        )


def read_table(source: Source) -> Table:
    """The table in `source`. Raises ReadError, with the line, for one that is empty or cannot be read as one."""
    text = source.text()
    if not text.strip(DELIMITERS + '" \n'):
        raise ReadError(f"{source.label} is empty", "give a CSV file with a row of column names and rows of texts")
    with _bounded_fields():
        rows = list(_rows(text, _delimiter(text, source.label), source.label))
    if len(rows) == 1:
        raise ReadError(
            f"{source.label} has a single row, which should name the columns", "put the names of the columns on top"
        )
    return Table(source.label, [" ".join(column.split()) for column in rows[0]], rows[1:])


def _delimiter(text: str, name: str) -> str:
    """The sign that divides the first row into most columns; a comma where all do the same."""
    return max(DELIMITERS, key=lambda delimiter: len(next(_rows(text, delimiter, name))))


def _rows(text: str, delimiter: str, name: str) -> Iterator[list[str]]:
    """The rows in which there is anything. Raises ReadError with the line."""
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter)
    begun = 1
    try:
        for row in reader:
            if lines.exhausted:  # the end of the file is looked for within a row only while a quote is open
                raise ReadError(
                    f"{name}, line {begun}: a quote is opened and never closed",
                    "close it; a quote inside of a quoted text is written twice",
                )
            begun = reader.line_num + 1
            if any(row):
                yield row
    except csv.Error as error:
        raise ReadError(
            f"{name}, line {begun}: a field has more than {MAX_FIELD_LENGTH:,} characters, or makes no sense ({error})",
            "is there a quote that is never closed? texts that long go into files of their own",
        ) from error


class _Lines:
    """The lines of a text, each with its line feed; `exhausted` is true once a line was asked for and there was
    none.
    """

    def __init__(self, text: str) -> None:
        self._text, self._at, self.exhausted = text, 0, False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._at >= len(self._text):
            self.exhausted = True
            raise StopIteration
        end = self._text.find("\n", self._at) + 1 or len(self._text)
        line, self._at = self._text[self._at : end], end
        return line


@contextmanager
def _bounded_fields() -> Iterator[None]:
    """Within, the csv module takes fields of at most MAX_FIELD_LENGTH characters."""
    before = csv.field_size_limit(MAX_FIELD_LENGTH)
    try:
        yield
    finally:
        csv.field_size_limit(before)
