"""Layout of a piano roll: time scale and systems, without drawing."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

from composer.api import Note, Part, Score
from composer.music.bars import Bar, bars
from composer.music.sounding import sounding_parts

_UNITS = tuple(Fraction(1, parts) for parts in (1, 2, 3, 4, 6, 8, 12, 16))
_DEFAULT_UNIT = Fraction(1, 4)
_COMMON_SHARE = 0.9
"""Share of the notes that must fit the shortest common duration."""
_LOOSE_UNIT = Fraction(1, 8)
"""Tolerance for onsets off the grid, in units."""
_SYSTEM_BARS = (16, 8, 4, 2, 1)
_MAX_SHARED_RANGE = 30
"""Up to this range in semitones all systems show the same pitches."""
_MIN_RANGE = 7


class Mark(NamedTuple):
    """Content of a cell: the part number, and whether its note starts there."""

    part: int
    onset: bool


@dataclass(slots=True)
class System:
    """One line of the roll: `columns` cells from beat `start`, pitches `lowest` to `highest`.

    A cell takes `cell` beats. `marks` are by column and pitch. `bars` and `beats` are the columns of bar lines (with
    the bars' numbers) and of the other beats; `chords` the columns of chord symbols. In a system of percussion, the
    pitches are indices of `sounds`, which are MIDI numbers.
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


def lay_out(score: Score, width: int) -> list[System]:
    """Return the systems of `score`, at most `width` cells wide; none if it is silent.

    Without pitched notes, they show the percussion or the chords.
    """
    parts = sounding_parts(score)
    if not parts:
        return []
    all_bars, notes = list(bars(score)), [note for part in parts for note in part.notes]
    unit = shortest_common(notes, all_bars)
    cell, max_bars = _scale(all_bars, unit, width)
    systems = _wrap(all_bars, cell, max_bars, width)
    sounds = sorted({note.pitch for note in notes}) if parts[0].percussion else []
    _place_notes(systems, [_as_rows(part, sounds) for part in parts] if sounds else parts, cell)
    _place_chords(systems, score, cell)
    if sounds:
        for system in systems:
            system.highest, system.sounds = len(sounds) - 1, sounds
    else:
        _set_ranges(systems)
    return systems


def _as_rows(part: Part, sounds: Sequence[int]) -> Part:
    """Return `part` with indices of `sounds` as pitches."""
    return replace(part, notes=tuple(note._replace(pitch=sounds.index(note.pitch)) for note in part.notes))


def shortest_common(notes: Sequence[Note], all_bars: Sequence[Bar]) -> Fraction:
    """Return the coarsest unit in beats that divides the usual bar and fits nearly all `notes`."""
    bar = _usual_bar(all_bars)
    origin = next((each.start for each in all_bars if each.number > 0), Fraction(0))
    for unit in _UNITS:
        fitting = 0
        for note in notes:
            place = (note.onset - origin) / unit
            fitting += abs(place - round(place)) <= _LOOSE_UNIT and note.duration >= Fraction(3, 4) * unit
        if fitting >= _COMMON_SHARE * len(notes) and (bar / unit).denominator == 1:
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


def _wrap(all_bars: Sequence[Bar], cell: Fraction, max_bars: int, width: int) -> list[System]:
    """Return empty systems for all bars; a bar that is too long continues in the next system."""
    systems: list[System] = []
    full = 0
    for bar in all_bars:
        columns = max(round(bar.length / cell), 1)
        if not systems or full >= max_bars or systems[-1].columns + columns > width:
            systems.append(System(bar.start, 0, cell=cell))
            full = 0
        full += bar.number > 0
        systems[-1].bars[systems[-1].columns] = bar.number
        compound = bar.meter.denominator >= 8 and bar.meter.numerator % 3 == 0
        beat = max(round(Fraction(4, bar.meter.denominator) * (3 if compound else 1) / cell), 1)
        first = columns % beat if bar.number == 0 else 0
        for column in range(columns):
            if systems[-1].columns == width:
                systems.append(System(bar.start + column * cell, 0, cell=cell))
            if (column - first) % beat == 0 and systems[-1].columns not in systems[-1].bars:
                systems[-1].beats.add(systems[-1].columns)
            systems[-1].columns += 1
    return systems


def _place_notes(systems: Sequence[System], parts: Sequence[Part], cell: Fraction) -> None:
    """Mark the cells of all notes; earlier parts cover later ones."""
    starts = [system.start for system in systems]
    for number, part in reversed(list(enumerate(parts))):
        for note in sorted(part.notes):
            index = max(bisect_right(starts, note.onset + cell / 2) - 1, 0)
            first = True
            while index < len(systems) and (first or note.end - starts[index] >= cell / 2):
                system = systems[index]
                begin = min(max(round((note.onset - system.start) / cell), 0), system.columns - 1)
                stop = max(round((note.end - system.start) / cell), begin + 1)
                for column in range(begin, min(stop, system.columns)):
                    system.marks[column, note.pitch] = Mark(number, first and column == begin)
                first = False
                index += 1


def _place_chords(systems: Sequence[System], score: Score, cell: Fraction) -> None:
    """Place chord symbols at their columns; skip those that would overlap the one before."""
    starts = [system.start for system in systems]
    free = [0] * len(systems)
    for chord in sorted(score.chords):
        index = max(bisect_right(starts, chord.onset) - 1, 0)
        column = round((chord.onset - starts[index]) / cell)
        text = "".join(letter for letter in chord.symbol if letter.isprintable())
        if text and free[index] <= column <= systems[index].columns - len(text):
            systems[index].chords[column] = text
            free[index] = column + len(text) + 1


def _set_ranges(systems: Sequence[System]) -> None:
    """Set the pitch range of each system; one without notes takes that of the one before."""
    ranges = [(min(p), max(p)) if (p := [pitch for _, pitch in system.marks]) else None for system in systems]
    known = [each for each in ranges if each is not None]
    lowest, highest = min(low for low, _ in known), max(high for _, high in known)
    shared = highest - lowest <= _MAX_SHARED_RANGE
    shown = known[0]
    for system, own in zip(systems, ranges, strict=True):
        shown = (lowest, highest) if shared else own or shown
        spare = max(_MIN_RANGE - (shown[1] - shown[0]), 0)
        system.lowest = max(shown[0] - spare // 2, 0)
        system.highest = min(shown[1] + spare - spare // 2, 127)
