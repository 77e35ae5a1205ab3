"""Layout of a piano roll: time scale and systems, without drawing.

Systems are laid out one by one as they are asked for, so that the beginning of a piece of hours is there at once.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, islice
from typing import NamedTuple

from composer.api import ChordSymbol, Note, Part, Score
from composer.music.bars import Bar, bars
from composer.music.sounding import sounding_parts, with_drum_rows

_UNITS = tuple(Fraction(1, parts) for parts in (1, 2, 3, 4, 6, 8, 12, 16))
_DEFAULT_UNIT = Fraction(1, 4)
_COMMON_SHARE = 0.9
"""Share of the notes that must fit the shortest common duration."""
_LOOSE_UNIT = Fraction(1, 8)
"""Tolerance for onsets off the grid, in units."""
_SYSTEM_BARS = (16, 8, 4, 2, 1)
_SCALE_BARS, _SCALE_NOTES = 512, 2048
"""How many bars and notes of the beginning set the time scale."""


class Mark(NamedTuple):
    """Content of a cell: the part number, and whether its note starts there."""

    part: int
    onset: bool


@dataclass(slots=True)
class System:
    """One line of the roll: `columns` cells from beat `start`, pitches `lowest` to `highest`.

    A cell takes `cell` beats. `marks` are by column and pitch. `bars` and `beats` are the columns of bar lines (with
    the bars' numbers as written) and of the other beats; `chords` the columns of chord symbols. In a system of
    percussion, the pitches are indices of `sounds`, which are MIDI numbers.
    """

    start: Fraction
    columns: int
    lowest: int = 0
    highest: int = 0
    bars: dict[int, int] = field(default_factory=dict)
    beats: set[int] = field(default_factory=set)
    chords: dict[int, str] = field(default_factory=dict)
    marks: dict[tuple[int, int], Mark] = field(default_factory=dict)
    cell: Fraction = Fraction(1)
    sounds: Sequence[int] = ()


def lay_out(score: Score, width: int) -> Iterator[System]:
    """Yield the systems of `score`, at most `width` cells wide; none if it is silent.

    Without pitched notes, they show the percussion or the chords.
    """
    parts = sounding_parts(score)
    if not parts:
        return
    parts, sounds = with_drum_rows(parts)
    all_bars = bars(score, as_notated=True)
    first_bars = list(islice(all_bars, _SCALE_BARS))
    unit = shortest_common(_first_notes(parts), first_bars)
    cell, max_bars = _scale(first_bars, unit, width)
    layers = [_Layer(number, part.notes, cell) for number, part in enumerate(parts)]
    chords, pitches = deque(sorted(score.chords)), _Ranges(parts)
    systems = _wrap(chain(first_bars, all_bars), cell, max_bars, width)
    system = next(systems, None)
    while system is not None:
        following = next(systems, None)
        stop = following.start if following is not None else None
        for layer in reversed(layers):  # earlier parts cover later ones
            layer.place(system, stop)
        _place_chords(system, stop, chords)
        if sounds:
            system.highest, system.sounds = len(sounds) - 1, sounds
        else:
            pitches.fit(system)
        yield system
        system = following


def _first_notes(parts: Sequence[Part]) -> Sequence[Note]:
    share = max(_SCALE_NOTES // len(parts), 1)
    return [note for part in parts for note in islice(part.notes, share)]


def shortest_common(notes: Sequence[Note], all_bars: Sequence[Bar]) -> Fraction:
    """Return the coarsest unit in beats that divides the usual bar and fits nearly all `notes`."""
    bar = _usual_bar(all_bars)
    origin = next((each.start for each in all_bars if each.number > 0), Fraction(0))
    for unit in _UNITS:
        if (bar / unit).denominator != 1:
            continue
        fitting = 0
        for note in notes:
            place = (note.onset - origin) / unit
            fitting += abs(place - round(place)) <= _LOOSE_UNIT and note.duration >= Fraction(3, 4) * unit
        if fitting >= _COMMON_SHARE * len(notes):
            return unit
    return _DEFAULT_UNIT


def _usual_bar(all_bars: Sequence[Bar]) -> Fraction:
    return Counter(bar.length for bar in all_bars).most_common(1)[0][0]


def _scale(all_bars: Sequence[Bar], unit: Fraction, width: int) -> tuple[Fraction, int]:
    """Return the beats per cell and the maximum bars per system.

    A system has as many bars as fit with two cells per unit; remaining width makes the cells finer.
    """
    bar = _usual_bar(all_bars)
    pickup = all_bars[0].length if all_bars[0].number == 0 else Fraction(0)
    for max_bars in sorted({*_SYSTEM_BARS, min(len(all_bars), _SYSTEM_BARS[0])}, reverse=True):
        units = (max_bars * bar + pickup) / unit
        for fineness in (4, 3, 2):
            if max_bars <= len(all_bars) and units * fineness <= width:
                return unit / fineness, max_bars
    return unit, 1


def _wrap(all_bars: Iterator[Bar], cell: Fraction, max_bars: int, width: int) -> Iterator[System]:
    """Yield empty systems for all bars; a bar that is too long continues in the next system."""
    system, full = None, 0
    for bar in all_bars:
        columns = max(round(bar.length / cell), 1)
        if system is None or full >= max_bars or system.columns + columns > width:
            if system is not None:
                yield system
            system, full = System(bar.start, 0, cell=cell), 0
        full += bar.number > 0
        system.bars[system.columns] = bar.written
        beat = max(round(bar.pulse / cell), 1)
        first = columns % beat if bar.number == 0 else 0
        for column in range(columns):
            if system.columns == width:
                yield system
                system = System(bar.start + column * cell, 0, cell=cell)
            if (column - first) % beat == 0 and system.columns not in system.bars:
                system.beats.add(system.columns)
            system.columns += 1
    if system is not None:
        yield system


class _Layer:
    """The notes of a part that the systems so far do not show in full."""

    def __init__(self, number: int, notes: Sequence[Note], cell: Fraction) -> None:
        self.number, self.cell = number, cell
        self.notes = deque(sorted(notes))
        self.lasting: list[Note] = []
        """Notes that began in an earlier system."""

    def place(self, system: System, stop: Fraction | None) -> None:
        """Mark the cells of the notes in `system`, before beat `stop`, where the next one begins."""
        half = self.cell / 2
        self.lasting = [note for note in self.lasting if note.end - system.start >= half]
        for note in self.lasting:
            self._mark(system, note, starts=False)
        while self.notes and (stop is None or self.notes[0].onset + half < stop):
            note = self.notes.popleft()
            self._mark(system, note, starts=True)
            self.lasting.append(note)

    def _mark(self, system: System, note: Note, *, starts: bool) -> None:
        begin = min(max(round((note.onset - system.start) / self.cell), 0), system.columns - 1)
        stop = max(round((note.end - system.start) / self.cell), begin + 1)
        for column in range(begin, min(stop, system.columns)):
            system.marks[column, note.pitch] = Mark(self.number, starts and column == begin)


def _place_chords(system: System, stop: Fraction | None, chords: deque[ChordSymbol]) -> None:
    """Place the chord symbols before beat `stop` at their columns; skip those that would overlap the one before."""
    free = 0
    while chords and (stop is None or chords[0].onset < stop):
        chord = chords.popleft()
        column = round((chord.onset - system.start) / system.cell)
        text = "".join(letter for letter in chord.symbol if letter.isprintable())
        if text and free <= column <= system.columns - len(text):
            system.chords[column] = text
            free = column + len(text) + 1


class _Ranges:
    """Pitch ranges of systems, from the lowest to the highest pitch in use."""

    def __init__(self, parts: Sequence[Part]) -> None:
        first = min(note for part in parts for note in part.notes[:1]).pitch
        self._shown = (first, first)

    def fit(self, system: System) -> None:
        """Set the range of `system`; one without notes takes that of the one before."""
        if own := {pitch for _, pitch in system.marks}:
            self._shown = min(own), max(own)
        system.lowest, system.highest = self._shown
