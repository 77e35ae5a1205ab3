"""Read text files as pieces: splitting, labels and cleaning."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice

from composer.api import Piece, ReadError, RejectedPiece, Source
from composer_text.line_numbers import without_line_numbers
from composer_text.options import LabelFilter, TextOptions

MAX_SONG_LENGTH = 10_000
"""Maximum number of characters of a file that is one piece by default."""

LARGE_TEXT = 1 << 20
"""Files of more bytes are streamed, unless they are a single piece."""

MAX_HEADING_LENGTH = 200
"""Maximum number of characters in a heading."""

CONTROL = "control characters removed"
NUMBERS = "line numbers in margins dropped"

_SEPARATORS = re.compile("[\x85\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ACCENTED = re.compile(r".?[^\x00-\x7f]{1,200}", re.DOTALL)
_TWO_LINES = re.compile(r"[^\n]\n[^\n]")
_TABLES = {".csv", ".tsv"}


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that may hold several pieces: a file or, if `row` is true, a cell of a CSV.

    For large files, holds the `source` instead of the text.
    """

    text: str
    position: str
    labels: Mapping[str, str] = field(default_factory=dict)
    row: bool = False
    source: Source | None = None

    def lines(self) -> Iterator[str]:
        """Yield the lines; can be called repeatedly."""
        for line in [self.text] if self.source is None else self.source.lines():
            yield from (line if line.isascii() else _SEPARATORS.sub("\n", line)).split("\n")

    @property
    def blank(self) -> bool:
        return not self.text.strip() if self.source is None else all(not line.strip() for line in self.source.lines())

    @property
    def long(self) -> bool:
        """Whether it is too long to be one piece by default."""
        return self.source is not None or len(self.text) > MAX_SONG_LENGTH


def read(source: Source, options: TextOptions, only: LabelFilter) -> Iterator[Piece[str] | RejectedPiece]:
    """Yield the pieces of a file that pass `only`. Raises ReadError if it is empty, or an invalid CSV."""
    if source.path.suffix.lower() in _TABLES:
        return _pieces(_rows(source, options, only), _place_label(source, options), options, only)
    if source.fragment:
        return iter([_piece(source.text(), source.label, {}, options)])
    large = source.size() > LARGE_TEXT and options.piece != "file"
    passage = Passage("", source.label, source=source) if large else Passage(source.text(), source.label)
    if passage.blank:
        raise ReadError(f"{source.label} is empty", "use a file with text")
    return _pieces([passage], _place_label(source, options), options, only)


def _pieces(
    passages: Iterable[Passage | RejectedPiece], path_labels: Mapping[str, str], options: TextOptions, only: LabelFilter
) -> Iterator[Piece[str] | RejectedPiece]:
    """Yield the pieces of a file's passages; `path_labels` are those from its path."""
    for passage in passages:
        if isinstance(passage, RejectedPiece):
            yield passage
            continue
        labels = {**path_labels, **passage.labels}
        if reason := only.rejection(labels):
            yield RejectedPiece(reason, passage.position)
        elif passage.blank:
            yield RejectedPiece("no text", passage.position)
        else:
            known = {name: value for name, value in labels.items() if name in {*path_labels, *options.labels}}
            for text, place in _split_pieces(passage, options.piece):
                piece = _piece(text, place, known, options)
                yield piece if piece.content.strip() else RejectedPiece("no text", place)


def _rows(source: Source, options: TextOptions, only: LabelFilter) -> Iterator[Passage | RejectedPiece]:
    """Yield the rows of a CSV, with labels from its columns."""
    from composer_text.csv_reader import read_table

    table = read_table(source)
    labels = {name: table.index(name) for name in options.labels}
    labels |= {name: table.index(name) for name in only.accepted if name in table}
    column = table.named_text_column(options.column) if options.column else table.text_column(labels.values())
    for number, row in enumerate(table.rows, 1):
        place = f"{source.label}: row {number}"
        if any(row[len(table.columns) :]):  # an unquoted text with commas would be cut at the first
            yield RejectedPiece("more fields than columns", place)
            continue
        values = {name: _one_line(row[index]) for name, index in labels.items() if index < len(row)}
        text = row[column] if column < len(row) else ""
        yield Passage(text, place, {name: value for name, value in values.items() if value}, row=True)


def _place_label(source: Source, options: TextOptions) -> dict[str, str]:
    """Return the label from the file name, or from the first folder below the one that the user named."""
    below = source.path.relative_to(source.root).parts if source.root is not None else (source.path.name,)
    name = {"file": source.path.stem.strip("-"), "folder": below[0] if len(below) > 1 else ""}.get(options.label, "")
    return {options.label_name: _one_line(name)} if name else {}


def _one_line(value: str) -> str:
    return " ".join(_nfc(value).split())


def _nfc(text: str) -> str:
    """Combine letters and accents (Unicode NFC).

    Works in short spans, since sorting the accents of one letter takes quadratic time.
    """
    return text if text.isascii() else _ACCENTED.sub(lambda match: unicodedata.normalize("NFC", match[0]), text)


def _split_pieces(passage: Passage, piece: str) -> Iterator[tuple[str, str]]:
    """Yield the text and position of each piece in a passage."""
    if piece == "auto" and not passage.row and passage.long:
        piece = "gap" if _has_gap(passage.lines()) else "blank"
    if piece in {"gap", "blank"}:
        parts = _parts(passage.lines(), 2 if piece == "gap" else 1)
        parts = _join_headings(parts) if piece == "gap" else parts
    elif piece == "row" and not passage.row:
        parts = ((number, line) for number, line in enumerate(passage.lines(), 1) if line.strip())
    else:
        parts = _parts(passage.lines(), sys.maxsize)
    first_two = list(islice(parts, 2))
    for number, part in chain(first_two, parts):
        yield part, passage.position if len(first_two) == 1 else f"{passage.position}: line {number}"


def _has_gap(lines: Iterable[str]) -> bool:
    """Return whether two consecutive blank lines separate text."""
    empty, started = 0, False
    for line in lines:
        if not line.strip():
            empty += 1
        elif started and empty >= 2:
            return True
        else:
            empty, started = 0, True
    return False


def _parts(lines: Iterable[str], minimum: int) -> Iterator[tuple[int, str]]:
    """Split at runs of at least `minimum` blank lines, and yield each part with its first line number.

    Shorter runs become one blank line; trailing spaces are removed.
    """
    first, empty = 0, 0
    part: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            empty += 1
            continue
        if part and empty >= minimum:
            yield first, "\n".join(part)
            part = []
        if part and empty:
            part.append("")
        first = first if part else number
        part.append(line.rstrip())
        empty = 0
    if part:
        yield first, "\n".join(part)


def _join_headings(parts: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Join headings, parts of single lines, with the part that follows."""
    heading: tuple[int, str] | None = None
    for number, text in parts:
        if heading and not _is_heading(text):
            yield heading[0], f"{heading[1]}\n\n{text}"
            heading = None
            continue
        if heading:
            yield heading
        heading = (number, text) if _is_heading(text) else None
        if not heading:
            yield number, text
    if heading:
        yield heading


def _is_heading(text: str) -> bool:
    """Return whether `text` is a single line, or a few separated by blank lines, such as a title and its tune."""
    return len(text) <= MAX_HEADING_LENGTH and not _TWO_LINES.search(text)


def _piece(text: str, place: str, labels: Mapping[str, str], options: TextOptions) -> Piece[str]:
    """Return a piece with cleaned text; its losses count removed characters and line numbers."""
    text, removed = _CONTROL.subn("", text)
    text, numbers = without_line_numbers(text) if options.line_numbers == "drop" else (text, 0)
    text = _nfc(text.lower() if options.lower else text)
    losses = {name: count for name, count in ((CONTROL, removed), (NUMBERS, numbers)) if count}
    return Piece(text, source=place, labels=labels, losses=losses)
