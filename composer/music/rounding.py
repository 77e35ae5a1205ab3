"""Round the times of a score to note values, beat by beat, for notations that need them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from composer.api import Note, Score

GRIDS = {steps: Fraction(cost, 100) for steps, cost in {4: 0, 3: 2, 8: 4, 6: 4}.items()}
"""The equal steps into which a beat may be divided.

With each, the beats by which it must reduce the mean distance of the onsets, since it is harder to read than four.
"""
DEFAULT_STEPS = 4
QUANTIZED = Fraction(9, 10)
"""The share of onsets that are note values in music that was not recorded from a player."""
VALUES = frozenset({1, 2, 4, 8, 16, 32, 3, 6, 12, 5, 10, 7, 14, 9})
"""Denominators of the times in beats that note values and tuplets express well."""


def has_note_values(score: Score) -> bool:
    """Return whether all notes of `score` begin and end at times that note values express well."""
    notes = (note for part in score.parts for note in part.notes)
    return all(time.denominator in VALUES for note in notes for time in (note.onset, note.end))


def rounded(score: Score) -> Score:
    """Return `score` with all times on sixteenths, or on other steps of those beats whose onsets are nearer to them.

    If nearly all onsets are note values, such times stay as they are. Every note has a length of at least one step.
    """
    onsets = [note.onset for part in score.parts for note in part.notes]
    grid = _Grid([*onsets, *(chord.onset for chord in score.chords)])

    def moved(note: Note) -> Note:
        onset, end = grid.round(note.onset), grid.round(note.end)
        return note._replace(onset=onset, duration=(end if end > onset else grid.after(onset)) - onset)

    chords = []
    for chord in score.chords:
        onset = grid.round(chord.onset)
        chords.append(chord._replace(onset=onset, duration=grid.round(chord.onset + chord.duration) - onset))
    return replace(
        score,
        parts=tuple(replace(part, notes=tuple(sorted(set(map(moved, part.notes))))) for part in score.parts),
        chords=tuple(chord for chord in chords if chord.duration > 0),
        tempos=tuple(tempo._replace(onset=grid.round(tempo.onset)) for tempo in score.tempos),
        tempo_units=tuple(unit._replace(onset=grid.round(unit.onset)) for unit in score.tempo_units),
        meters=tuple(meter._replace(onset=grid.round(meter.onset)) for meter in score.meters),
        keys=tuple(key._replace(onset=grid.round(key.onset)) for key in score.keys),
        pickup=grid.round(score.pickup),
    )


class _Grid:
    """The places in each beat of a score to which times are rounded, by the onsets in it."""

    def __init__(self, onsets: Sequence[Fraction]) -> None:
        exact = [onset for onset in onsets if onset.denominator in VALUES]
        self._keep_values = len(exact) >= QUANTIZED * len(onsets)
        by_beat: dict[int, list[Fraction]] = defaultdict(list)
        for onset in onsets:
            by_beat[onset // 1].append(onset % 1)
        self._places = {beat: _steps(_best_steps(places)) for beat, places in by_beat.items()}
        for onset in exact if self._keep_values else ():
            self._places[onset // 1].add(onset % 1)

    def round(self, time: Fraction) -> Fraction:
        """Return the place nearest to `time`."""
        if self._keep_values and time.denominator in VALUES:
            return time
        beat, within = divmod(time, 1)
        return beat + min(sorted(self._places_in(beat)), key=lambda place: abs(place - within))

    def after(self, time: Fraction) -> Fraction:
        """Return the first place after `time`."""
        beat, within = divmod(time, 1)
        return beat + min(place for place in self._places_in(beat) if place > within)

    def _places_in(self, beat: int) -> set[Fraction]:
        return self._places.get(beat) or _steps(DEFAULT_STEPS)


def _steps(steps: int) -> set[Fraction]:
    """Return the steps of a beat, with the next beat."""
    return {Fraction(step, steps) for step in range(steps + 1)}


def _best_steps(places: list[Fraction]) -> int:
    """Return the grid with the smallest mean distance from `places` in a beat, plus its cost."""

    def cost(steps: int) -> Fraction:
        distances = (abs(place - Fraction(round(place * steps), steps)) for place in places)
        return sum(distances, Fraction(0)) / len(places) + GRIDS[steps]

    return min(GRIDS, key=cost)
