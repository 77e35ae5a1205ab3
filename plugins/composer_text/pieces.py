"""From files to pieces: what a piece is, its labels, and the cleaning of its text."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice

from composer.api import Piece, ReadError, RejectedPiece, Source
from composer_text.filter import LabelFilter
from composer_text.options import TextOptions

MAX_SONG_LENGTH = 10_000
"""A file of up to so many characters is one piece, by default; a longer one holds several."""

LARGE_TEXT = 1 << 20
"""Of a file of more bytes, no more than a piece is held at a time, unless it is to be a single one."""

MAX_HEADING_LENGTH = 200
"""The most characters of a heading."""

CONTROL = "control characters removed"

_SEPARATORS = re.compile("[\x85\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ACCENTED = re.compile(r".?[^\x00-\x7f]{1,200}", re.DOTALL)
_TWO_LINES = re.compile(r"[^\n]\n[^\n]")
_TABLES = {".csv", ".tsv"}


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that may hold several pieces: a file or, where `row` is true, a cell of a CSV.

    Of a file that is too large to be held as a whole, it is the `source` that is kept, and not the text.
    """

    text: str
    position: str
    labels: Mapping[str, str] = field(default_factory=dict)
    row: bool = False
    source: Source | None = None

    def lines(self) -> Iterator[str]:
        """Its lines, as often as they are asked for."""
        for line in [self.text] if self.source is None else self.source.lines():
            yield from (line if line.isascii() else _SEPARATORS.sub("\n", line)).split("\n")

    @property
    def blank(self) -> bool:
        """Whether it holds nothing but blanks."""
        return not self.text.strip() if self.source is None else all(not line.strip() for line in self.source.lines())

    @property
    def long(self) -> bool:
        """Whether it is longer than a song."""
        return self.source is not None or len(self.text) > MAX_SONG_LENGTH


def read(source: Source, options: TextOptions, only: LabelFilter) -> Iterator[Piece | RejectedPiece]:
    """The pieces of a file that pass `only`. Raises ReadError for one that is empty, or a CSV that cannot be read."""
    if source.path.suffix.lower() in _TABLES:
        passages = _rows(source, options, only)
        return _pieces(passages, _place_label(source, options), options, only)
    if source.fragment:
        return iter([_piece(source.text(), source.label, {}, options)])
    large = source.size() > LARGE_TEXT and options.piece != "file"
    passage = Passage("", source.label, source=source) if large else Passage(source.text(), source.label)
    if passage.blank:
        raise ReadError(f"{source.label} is empty", "give a file with words in it")
    return _pieces([passage], _place_label(source, options), options, only)


def _pieces(
    passages: Iterable[Passage | RejectedPiece], around: Mapping[str, str], options: TextOptions, only: LabelFilter
) -> Iterator[Piece | RejectedPiece]:
    """The pieces of the passages of a file; `around` are the labels that its place gives them."""
    for passage in passages:
        if isinstance(passage, RejectedPiece):
            yield passage
            continue
        labels = {**around, **passage.labels}
        stranger = only.rejection(labels)
        if stranger:
            yield RejectedPiece(stranger, passage.position)
        elif passage.blank:
            yield RejectedPiece("there is no text in it", passage.position)
        else:
            known = {name: value for name, value in labels.items() if name in {*around, *options.labels}}
            for text, place in _split_pieces(passage, options.piece):
                piece = _piece(text, place, known, options)
                yield piece if str(piece.content).strip() else RejectedPiece("there is no text in it", place)


def _rows(source: Source, options: TextOptions, only: LabelFilter) -> Iterator[Passage | RejectedPiece]:
    """The rows of a CSV, with the labels that its columns give them."""
    from composer_text.csv_reader import read_table

    table = read_table(source)
    labels = {name: table.index(name) for name in options.labels}
    labels |= {name: table.index(name) for name in only.wanted if name in table}
    column = table.index(options.column) if options.column else table.text_column(labels.values())
    for number, row in enumerate(table.rows, 1):
        place = f"{source.label}: row {number}"
        if any(row[len(table.columns) :]):  # a text with commas that is not quoted would be cut at the first
            yield RejectedPiece("it has more fields than there are columns", place)
            continue
        values = {name: _one_line(row[index]) for name, index in labels.items() if index < len(row)}
        text = row[column] if column < len(row) else ""
        yield Passage(text, place, {name: value for name, value in values.items() if value}, row=True)


def _place_label(source: Source, options: TextOptions) -> dict[str, str]:
    """The label that a file's name, or the first folder below the one named by the user, gives its pieces."""
    below = source.path.relative_to(source.root).parts if source.root is not None else (source.path.name,)
    name = {"file": source.path.stem.strip("-"), "folder": below[0] if len(below) > 1 else ""}.get(options.label, "")
    return {options.label_name: _one_line(name)} if name else {}


def _one_line(value: str) -> str:
    return " ".join(_nfc(value).split())


def _nfc(text: str) -> str:
    """A letter and its accents as one character, where there is one (Unicode's NFC).

    Piece by piece, since the time it takes to sort the accents of one letter grows with the square of their number.
    """
    return text if text.isascii() else _ACCENTED.sub(lambda match: unicodedata.normalize("NFC", match[0]), text)


def _split_pieces(passage: Passage, piece: str) -> Iterator[tuple[str, str]]:
    """The texts of a passage's pieces and their places."""
    if piece == "auto" and not passage.row and passage.long:
        piece = "gap" if _has_gap(passage.lines()) else "blank"
    if piece in {"gap", "blank"}:
        parts = _parts(passage.lines(), 2 if piece == "gap" else 1)
        parts = _join_headings(parts) if piece == "gap" else parts
    elif piece == "row" and not passage.row:
        parts = ((number, line) for number, line in enumerate(passage.lines(), 1) if line.strip())
    else:
        parts = _parts(passage.lines(), sys.maxsize)
    ahead = list(islice(parts, 2))
    for number, part in chain(ahead, parts):
        yield part, passage.position if len(ahead) == 1 else f"{passage.position}: line {number}"


def _has_gap(lines: Iterable[str]) -> bool:
    """Whether there are two blank lines on end between others."""
    empty, begun = 0, False
    for line in lines:
        if not line.strip():
            empty += 1
        elif begun and empty >= 2:
            return True
        else:
            empty, begun = 0, True
    return False


def _parts(lines: Iterable[str], least: int) -> Iterator[tuple[int, str]]:
    """What stands between runs of at least `least` blank lines, with its first line's number.

    Shorter runs become one blank line, and no line ends in blanks.
    """
    first, empty = 0, 0
    part: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            empty += 1
            continue
        if part and empty >= least:
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
    """The same, but that a few single lines are the heading of what follows, where that is more."""
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
    """True for a line alone, or a few of them with blank lines between, such as a title and its tune."""
    return len(text) <= MAX_HEADING_LENGTH and not _TWO_LINES.search(text)


def _piece(text: str, place: str, labels: Mapping[str, str], options: TextOptions) -> Piece:
    """A piece of cleaned text, which counts what the cleaning took away."""
    text, removed = _CONTROL.subn("", text)
    text = _nfc(text.lower() if options.lower else text)
    return Piece(text, source=place, labels=labels, losses={CONTROL: removed} if removed else {})
