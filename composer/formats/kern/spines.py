"""Read the structure of kern from its text: notes of the spines, sections, bar lines and signs.

The notes are compared with those that music21 reads. A file may hold several scores, one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from html import unescape
from typing import NamedTuple, NoReturn

from composer.api import ReadError
from composer.formats.kern.clefs import SpineClefs
from composer.formats.kern.input_limits import MAX_NOTES
from composer.formats.kern.note_tokens import NoteToken, read_token
from composer.formats.kern.signs import Signs
from composer.formats.kern.written_music import WrittenNote
from composer.formats.limits import check_count
from composer.music.direction_words import Direction, mentions_jump, read_direction

KERN_HINT = "check the file with the Humdrum tool `humdrum`, or export it again as kern"

MAX_CHORD = 128
"""converter21 takes a minute for a chord of thousands of notes."""

MAX_HELD_LINES, MAX_EMPTY_LINES = 2000, 400
"""Lines during which a spine holds one note, or has none. converter21's time grows with their square."""

_TITLE = re.compile(r"!!!OTL[^:]*:(.*)")
_ORDER = re.compile(r"\*>([^\[\]]*)\[(.*)\]$")


class BarLine(NamedTuple):
    """A bar line, with the signs of repeats that end and begin at it."""

    at: Fraction
    closes: bool = False
    opens: bool = False
    is_double: bool = False


class PlacedDirection(NamedTuple):
    """A word such as D.C. at a beat. `at_bar_line` is True if it belongs to a bar line, not to a note."""

    at: Fraction
    direction: Direction
    at_bar_line: bool


@dataclass
class Spines:
    """The kern spines of one score. `order` holds the names of `sections` as they are played; empty if none is given.

    `notes` excludes grace notes and percussion without pitch. `end` is the beat at which the last note or rest ends.
    `fermatas` are the beats of notes with one, `phrase_ends` those of notes or rests with a `}`. `unclear` holds the
    beats of jumps in words that are not understood.
    `misaligned` is the first line on which notes begin at different beats, 0 if there is none.
    """

    text: str
    title: str = ""
    notes: list[WrittenNote] = field(default_factory=list)
    sections: list[tuple[Fraction, str]] = field(default_factory=list)
    order: tuple[str, ...] = ()
    bar_lines: list[BarLine] = field(default_factory=list)
    directions: list[PlacedDirection] = field(default_factory=list)
    fermatas: set[Fraction] = field(default_factory=set)
    phrase_ends: set[Fraction] = field(default_factory=set)
    unclear: set[Fraction] = field(default_factory=set)
    signs: Signs = field(default_factory=Signs)
    clefs: SpineClefs = field(default_factory=SpineClefs)
    end: Fraction = Fraction(0)
    misaligned: int = 0


def read_spines(text: str, name: str) -> list[Spines]:
    """Return the kern spines of each score in `text`. Raises ReadError, with the line, for invalid ones."""
    walker = _Walker(name)
    scores: list[Spines] = []
    lines = text.split("\n")
    for begin, end in _scores(lines):
        walker.start(begin)
        for line in lines[begin:end]:
            walker.read(line)
        scores.append(walker.finish("\n".join(lines[begin:end]) + "\n"))
    return scores


def _scores(lines: list[str]) -> list[tuple[int, int]]:
    """Return the first and last line of each score: one begins with its comments before the line that names spines."""
    begins = [0]
    comments_from, has_spines = 0, False
    for at, line in enumerate(lines):
        if line.startswith("**") and has_spines:
            begins.append(comments_from)
        has_spines = has_spines or line.startswith("**")
        if line.strip() and not line.startswith("!"):
            comments_from = at + 1
    return list(zip(begins, [*begins[1:], len(lines)], strict=True))


class _Strand:
    """A spine, or one of those that it is split into: `until` is the beat at which its latest note or rest ends."""

    def __init__(self, voice: str, kind: str, until: Fraction) -> None:
        self.voice, self.kind, self.until = voice, kind, until
        self.held = self.empty = 0

    @property
    def is_kern(self) -> bool:
        return self.kind == "**kern"


class _Walker:
    """Reads line after line. `now` is the beat of the latest line with notes, -1 before the first one.

    `count` is the number of notes and rests in all scores.
    """

    def __init__(self, name: str) -> None:
        self.name, self.number, self.count = name, 0, 0

    def start(self, number: int) -> None:
        self.number = number
        self.strands: list[_Strand] = []
        self.has_kern = self.was_open = False
        self.now = Fraction(-1)
        self.spines = Spines("")
        self.directions: list[Direction] = []
        """Those of texts that belong to the next notes or bar line."""

    def finish(self, text: str) -> Spines:
        spines = self.spines
        spines.text = text
        spines.notes.sort(key=lambda note: note.onset)
        spines.end = max((strand.until for strand in self.strands if strand.is_kern), default=spines.end)
        spines.end = max([spines.end, *(note.onset + note.duration for note in spines.notes)])
        self._place_directions(spines.end, at_bar_line=True)
        if not self.has_kern:
            raise ReadError(
                f"{self.name} has no **kern spine, which would hold the notes", "choose a file with a **kern spine"
            )
        return spines

    def read(self, line: str) -> None:
        self.number += 1
        if line.startswith(("!!!OMD", "!!LO:TX", "!LO:TX")) or "\t!LO:TX" in line:
            self.spines.signs.read_words(max(self._next(), Fraction(0)), line)
            self._read_texts(line)
        elif found := _TITLE.match(line):
            self.spines.title = self.spines.title or unescape(found[1].strip())
        if not line.strip() or line.startswith("!"):
            return
        tokens = [token for token in line.split("\t") if token]
        if not self.strands and not self.was_open and line.startswith("**"):
            self.strands = [_Strand(str(at), token, Fraction(0)) for at, token in enumerate(tokens)]
            for strand in filter(lambda strand: strand.is_kern, self.strands):
                self.has_kern = True
                self.spines.clefs.add_spine(strand.voice)
            self.was_open = True
            return
        if len(tokens) != len(self.strands):
            columns, spines = _counted(len(tokens), "column"), _counted(len(self.strands), "spine")
            self._refuse(f"{columns}, but {spines}")
        self._check_whole(tokens)
        if line.startswith("*"):
            self._interpret(tokens)
        elif line.startswith("="):
            self._place_directions(self._next(), at_bar_line=True)
            self._bar_line(tokens)
        else:
            self._place_directions(self._next(), at_bar_line=False)
            self._notes(tokens)

    def _read_texts(self, line: str) -> None:
        for text in _texts(line):
            if found := read_direction(text):
                self.directions.append(found)
            elif mentions_jump(text):
                self.spines.unclear.add(max(self._next(), Fraction(0)))

    def _place_directions(self, at: Fraction, *, at_bar_line: bool) -> None:
        places = (PlacedDirection(max(at, Fraction(0)), each, at_bar_line) for each in self.directions)
        self.spines.directions.extend(places)
        self.directions = []

    def _refuse(self, fault: str) -> NoReturn:
        raise ReadError(f"{self.name} is invalid kern at line {self.number}: {fault}", KERN_HINT)

    def _next(self) -> Fraction:
        """Return the beat of the next line: that at which the first of the sounding notes ends."""
        return min((each.until for each in self.strands if each.is_kern and each.until > self.now), default=self.now)

    def _notes(self, tokens: list[str]) -> None:
        self._count_held(tokens)
        pairs = zip(self.strands, tokens, strict=True)
        sounding = [(strand, self._read_token(token)) for strand, token in pairs if strand.is_kern and token != "."]
        begins = {strand.until for strand, _ in sounding}
        now = max(begins, default=self.now)
        if len(begins) > 1 and not self.spines.misaligned:
            self.spines.misaligned = self.number
        for strand, token in zip(self.strands, tokens, strict=True):
            strand.empty = strand.empty + 1 if token == "." and strand.until <= now else 0
            if strand.is_kern and strand.empty > MAX_EMPTY_LINES:
                self._refuse(f"a spine without notes or rests for more than {MAX_EMPTY_LINES} lines")
        if self._has_fermata(tokens):
            self.spines.fermatas.add(now)
        if any(strand.is_kern and "}" in token for strand, token in zip(self.strands, tokens, strict=True)):
            self.spines.phrase_ends.add(now)
        for strand, notes in sounding:
            for note in notes:
                if note.length and note.pitch is not None:
                    tied = note.tied_before, note.tied_after
                    self.spines.notes.append(WrittenNote(now, note.pitch, note.length, strand.voice, *tied))
            if length := max((note.length for note in notes), default=Fraction(0)):
                strand.until = now + length
                self.spines.end = max(self.spines.end, strand.until)
                self.now = now

    def _count_held(self, tokens: list[str]) -> None:
        for strand, token in zip(self.strands, tokens, strict=True):
            strand.held = strand.held + 1 if token == "." else 0
            if strand.is_kern and strand.held > MAX_HELD_LINES:
                self._refuse(f"a note that lasts for more than {MAX_HELD_LINES:,} lines")

    def _has_fermata(self, tokens: list[str]) -> bool:
        pairs = zip(self.strands, tokens, strict=True)
        return any(strand.is_kern and ";" in token and "r" not in token for strand, token in pairs)

    def _read_token(self, token: str) -> tuple[NoteToken, ...]:
        if (size := token.count(" ") + 1) > MAX_CHORD:
            self._refuse(f"a chord of {size} notes, more than {MAX_CHORD}")
        self.count += size
        check_count(self.count, MAX_NOTES, "notes and rests", self.name)
        try:
            return read_token(token)
        except ValueError:
            self._refuse(f"impossible rhythm '{token[:20]}'")

    def _check_whole(self, tokens: list[str]) -> None:
        """Refuse a bar line or interpretation in only some spines: converter21 takes long before it does.

        Its time grows with the square of their number.
        """
        for sign, what in (("=", "a bar line"), ("*", "an interpretation")):
            found = [token.startswith(sign) for token in tokens]
            in_kern = any(each and strand.is_kern for strand, each in zip(self.strands, found, strict=True))
            if (found[0] or in_kern) and not all(found):
                self._refuse(f"{what} in only {sum(found)} of {_counted(len(found), 'spine')}")

    def _bar_line(self, tokens: list[str]) -> None:
        token = next((token for strand, token in zip(self.strands, tokens, strict=True) if strand.is_kern), "=")
        signs = token.lstrip("=")
        closes, opens = re.search(r":[|!]", signs), re.search(r"[|!]:", signs)
        # the colons of `:|!|:` belong to the strokes before and after them
        line = BarLine(max(self._next(), Fraction(0)), bool(closes), bool(opens), "||" in signs)
        self.spines.bar_lines.append(line)

    def _interpret(self, tokens: list[str]) -> None:
        at = max(self._next(), Fraction(0))
        for strand, token in zip(self.strands, tokens, strict=True):
            if token.startswith("**"):
                strand.kind = token
                self.has_kern = self.has_kern or strand.is_kern
        section = next((token for token in tokens if token.startswith("*>")), "")
        if order := _ORDER.match(section):
            if not order[1] and not self.spines.order:
                self.spines.order = tuple(each.strip() for each in order[2].split(",") if each.strip())
        elif section and "[" not in section:
            self.spines.sections.append((at, section[2:].strip()))
        of_kern = [(strand.voice, token) for strand, token in zip(self.strands, tokens, strict=True) if strand.is_kern]
        self.spines.signs.read(at, [token for _, token in of_kern])
        for voice, token in of_kern:
            self.spines.clefs.read(voice, token)
        if any(token in _MOVES for token in tokens):
            self._move(tokens)

    def _move(self, tokens: list[str]) -> None:
        """Split, join, exchange, add and end spines."""
        moved: list[_Strand] = []
        joining: list[_Strand] = []
        swap: int | None = None
        for strand, token in zip(self.strands, tokens, strict=True):
            if joining and (token != "*v" or strand.kind != joining[0].kind):
                joining = self._join(joining, moved)
            if token == "*v":
                joining.append(strand)
                continue
            if token == "*x" and swap is not None:
                moved.insert(swap, strand)
                moved.append(moved.pop(swap + 1))
                swap = None
                continue
            if token == "*x":
                swap = len(moved)
            if token == "*-":
                self.spines.end = max(self.spines.end, strand.until if strand.is_kern else Fraction(0))
                continue
            moved.append(strand)
            if token == "*^":
                moved.append(_Strand(f"{strand.voice}'", strand.kind, strand.until))
            elif token == "*+":
                moved.append(_Strand(f"{strand.voice}+", "", max(self._next(), Fraction(0))))
        self._join(joining, moved)
        self.strands = moved

    def _join(self, joining: list[_Strand], moved: list[_Strand]) -> list[_Strand]:
        if joining:
            joining[0].until = max(strand.until for strand in joining)
            moved.append(joining[0])
        return []


def _texts(line: str) -> Iterator[str]:
    """Yield the layout texts of a line, such as `D.C. al Fine` of `!LO:TX:a:t=D.C. al Fine`."""
    for token in line.split("\t"):
        if token.lstrip("!").startswith("LO:TX"):
            yield from (" ".join(unescape(each[2:]).split()) for each in token.split(":") if each.startswith("t="))


_MOVES = {"*^", "*v", "*x", "*+", "*-"}


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
