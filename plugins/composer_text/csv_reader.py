"""Read CSV files with a header row, delimited by commas, semicolons or tabs."""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches

from composer.api import ReadError, Source
from composer.api.errors import suggest

DELIMITERS = ",;\t"
MAX_FIELD_LENGTH = 1_000_000
"""Maximum number of characters in a field."""

TEXT_COLUMNS = frozenset({"text", "texts", "lyric", "lyrics", "poem", "poems", "words", "content", "body", "verse"})
"""Lowercase names of columns that hold the text; `song` and `title` hold the title."""

_DELIMITER_LINE = re.compile(r'\n*"?sep[ \t]*=[ \t]?(\\t|[^\w\n"])?"?[ ,;\t]*\n', re.IGNORECASE)
r"""The first line of files that spreadsheet programs split at another delimiter than their own, such as `sep=;`.

It may come with `\t` for a tab, or, from a program that took it for a row, in quotes or with empty fields.
"""

MAX_NAMED, MAX_NAME_LENGTH = 20, 40
"""Maximum number of columns in a message, and of characters in their names."""


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file: column names, and rows, which may be shorter or longer."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __contains__(self, column: str) -> bool:
        return column.casefold() in map(str.casefold, self.columns)

    def index(self, column: str) -> int:
        """Return the index of a label `column`, ignoring case. Raises ReadError with a list of the columns."""
        found = self._find(column)
        if found is None:
            raise ReadError(self._lacks(column), suggest(column, self.columns))
        return found

    def _find(self, column: str) -> int | None:
        for names, name in ((self.columns, column), (list(map(str.casefold, self.columns)), column.casefold())):
            if name in names:
                return list(names).index(name)
        return None

    def _lacks(self, column: str) -> str:
        return f"{self.name} has no column `{column}`; it has {self._listed()}"

    def named_text_column(self, name: str) -> int:
        """Return the index of the column `name`, or of the only text column if both are usual names of one.

        Raises ReadError with a list of the columns.
        """
        columns = list(map(str.casefold, self.columns))
        texts = [index for index, column in enumerate(columns) if column in TEXT_COLUMNS]
        if name not in self and name.casefold() in TEXT_COLUMNS and len(texts) == 1:
            return texts[0]
        found = self._find(name)
        if found is None:
            close = get_close_matches(name.casefold(), columns, 1)
            likely = columns.index(close[0]) if close else self._longest(range(len(columns)))
            raise ReadError(self._lacks(name), self._option(likely))
        return found

    def text_column(self, labels: Collection[int]) -> int:
        """Return the index of the text column: the only one that is not a label, or the only one in TEXT_COLUMNS.

        Raises ReadError with a list of the columns if that is ambiguous.
        """
        free = [index for index in range(len(self.columns)) if index not in labels]
        by_name = [index for index in free if self.columns[index].casefold() in TEXT_COLUMNS]
        for candidates in (free, by_name):
            if len(candidates) == 1:
                return candidates[0]
        raise ReadError(
            f"cannot tell which column of {self.name} holds the text; it has {self._listed()}",
            self._option(self._longest(free or range(len(self.columns)))),
        )

    def _longest(self, indices: Collection[int]) -> int:
        """Return the column with the most text."""
        return max(indices, key=lambda index: sum(len(row[index]) for row in self.rows if index < len(row)))

    def _option(self, index: int) -> str:
        return f"use -O {shlex.quote(f'column={self.columns[index]}')}"

    def _listed(self) -> str:
        more = len(self.columns) - MAX_NAMED
        names = ", ".join(f"`{column[:MAX_NAME_LENGTH]}`" for column in self.columns[:MAX_NAMED])
        return names + (f" and {more} more" if more > 0 else "")


def read_table(source: Source) -> Table:
    """Return the table in `source`. Raises ReadError, with the line, if it is empty or invalid."""
    text = source.text()
    if not text.strip(DELIMITERS + '" \n'):
        raise ReadError(f"{source.label} is empty", "use a CSV file with a header row and rows of text")
    stated = _DELIMITER_LINE.match(text)
    with _bounded_fields():
        delimiters = DELIMITERS
        if stated:
            # its lines stay as empty ones, so that errors name the right line
            text = "\n" * stated[0].count("\n") + text[stated.end() :]
            delimiters = (stated[1] or "").replace("\\t", "\t")
        # the delimiter that splits the first row into the most columns, the first of those that are equal
        delimiter = max(delimiters or DELIMITERS, key=lambda each: _columns(text, each, source.label))
        if _columns(text, delimiter, source.label) < 2:  # one column, or not the delimiter that the file states
            delimiter = max((delimiter, *DELIMITERS), key=lambda each: _columns(text, each, source.label))
        rows = list(_rows(text, delimiter, source.label))
    if len(rows) <= 1:
        raise ReadError(f"{source.label} has only one row", "add a header row with the names of the columns")
    return Table(source.label, [" ".join(column.split()) for column in rows[0]], rows[1:])


def _columns(text: str, delimiter: str, name: str) -> int:
    return len(next(_rows(text, delimiter, name), ()))


def _rows(text: str, delimiter: str, name: str) -> Iterator[list[str]]:
    """Yield the nonempty rows. Raises ReadError with the line."""
    lines, first_line = _Lines(text), 1
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for row in reader:
            if lines.exhausted:  # the reader only looks for more lines within a row if a quote is open
                hint = "close it; inside a quoted text, write a quote twice"
                raise ReadError(f"{name}, line {first_line}: unclosed quote", hint)
            first_line = reader.line_num + 1
            if any(row):
                yield row
    except csv.Error as error:
        raise ReadError(
            f"{name}, line {first_line}: invalid field, or one of more than {MAX_FIELD_LENGTH:,} characters ({error})",
            "look for an unclosed quote, or put such a long text into a file of its own",
        ) from error


class _Lines:
    """Iterates over the lines of a text, with line feeds; `exhausted` is set by a request beyond the last."""

    def __init__(self, text: str) -> None:
        self._text, self._position, self.exhausted = text, 0, False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._position >= len(self._text):
            self.exhausted = True
            raise StopIteration
        end = self._text.find("\n", self._position) + 1 or len(self._text)
        line, self._position = self._text[self._position : end], end
        return line


@contextmanager
def _bounded_fields() -> Iterator[None]:
    """Limit fields to MAX_FIELD_LENGTH characters in the csv module."""
    before = csv.field_size_limit(MAX_FIELD_LENGTH)
    try:
        yield
    finally:
        csv.field_size_limit(before)
