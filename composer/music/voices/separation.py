"""Separate notes into voices by voice leading: small steps, no crossing, and each voice in its own register.

The cheapest assignment is found from onset to onset by dynamic programming with a bounded number of states.
`tests/bench/notation/voices.py` measures how many notes of Bach's chorales are assigned to their own voice. There, no
cost is critical: half or double of each changes the share by less than 0.1 %.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import groupby, pairwise
from typing import NamedTuple

from composer.api import Note
from composer.music.time_order import in_time
from composer.music.voices.arrangements import Arrangement, Placed, arrangements

Chord = tuple[int, ...]
"""Notes that start and end together, by number, from the highest to the lowest."""

_REGISTER = 0.4
"""Cost of a semitone between a note and the mean pitch of its voice. A semitone from the note before costs 1."""
_LARGEST_LEAP = 12
"""Semitones from the note before beyond which a leap costs no more."""
_ENTRY, _AFTER_REST = 6.0, 0.5
"""Cost of an entry after a rest, and the factor for the distance from the note before the rest."""
_CROSSING, _CROSSED = 8.0, 0.5
"""Cost of crossing a voice that sounds, and of each semitone beyond it."""
_JOINED, _SPREAD = 6.0, 0.3
"""Cost of each further note of a chord, and of each semitone of its range."""
_LEFT_OVER = 20.0
"""Cost of a note for which there is no voice."""
_SILENT_OUTSIDE = 12.0
"""Cost of an onset at which the highest or the lowest voice is silent: readers look for melody and bass there."""
_MAX_STATES = 6
"""States that are continued. More change nothing in Bach's chorales; with 2 of them, 0.1 % of the notes are worse."""


class RankedNote(NamedTuple):
    """The note `number` of the input. It starts with the onset `start` of all onsets; at the onset `over` it is over.

    Notes end together if `end` is the same.
    """

    start: int
    over: int
    pitch: int
    number: int
    end: int


class _Last(NamedTuple):
    """The pitch that a voice has had last, and the onset at which it is over; -1 if it has had none."""

    pitch: float
    over: int


_State = tuple[_Last, ...]


class _Path(NamedTuple):
    """The cheapest way to a state: its latest chords with their voices, and the path before them."""

    cost: float
    before: _Path | None
    chords: Sequence[tuple[int, Chord]]


def separate(notes: Sequence[RankedNote], voices: int) -> list[list[Chord]]:
    """Return the chords of `voices` voices, from the highest to the lowest; within a voice, none overlap.

    Where more notes start than voices are free, those that end together form chords. Notes without a free voice are
    left out.
    """
    means = _mean_pitches(notes, voices)
    paths: dict[_State, _Path] = {tuple(_Last(mean, -1) for mean in means): _Path(0.0, None, ())}
    for starting in by_onset(notes):
        joinable = tuple(high.end == low.end and high.pitch > low.pitch for high, low in pairwise(starting))
        unison = tuple(high.end != low.end and high.pitch == low.pitch for high, low in pairwise(starting))
        reached: dict[_State, _Path] = {}
        for state, path in paths.items():
            free = [voice for voice, last in enumerate(state) if last.over <= starting[0].start]
            ways = arrangements(len(starting), len(free), joinable, unison)
            for cost, chords, after in _continuations(state, starting, free, ways, means):
                total = path.cost + cost
                if after not in reached or total < reached[after].cost:
                    reached[after] = _Path(total, path, chords)
        cheapest = sorted(reached, key=lambda state: reached[state].cost)[:_MAX_STATES]
        paths = {state: reached[state] for state in cheapest}
    return _chords_by_voice(min(paths.values(), key=lambda path: path.cost), voices)


def ranked(notes: Sequence[Note]) -> list[RankedNote]:
    """Return notes with whole numbers as times, which are compared faster than fractions."""
    onsets = sorted({note.onset for note in notes}, key=in_time)
    rank = {onset: at for at, onset in enumerate(onsets)}
    ends: dict[Fraction, int] = {}
    found, over = [], list[int]()
    for number, note in enumerate(notes):
        if (end := ends.setdefault(note.end, len(ends))) == len(over):
            over.append(bisect_left(onsets, in_time(note.end), key=in_time))
        found.append(RankedNote(rank[note.onset], over[end], note.pitch, number, end))
    return found


def by_onset(notes: Iterable[RankedNote]) -> Iterator[list[RankedNote]]:
    """Yield the notes that start together, from the highest to the lowest."""
    ordered = sorted(notes, key=lambda note: (note.start, -note.pitch, note.over, note.number))
    for _, group in groupby(ordered, key=lambda note: note.start):
        yield list(group)


def sounding(notes: Iterable[RankedNote]) -> Iterator[list[RankedNote]]:
    """Yield the notes that sound at each onset."""
    now: list[RankedNote] = []
    for starting in by_onset(notes):
        now = [note for note in now if note.over > starting[0].start] + starting
        yield now


def _mean_pitches(notes: Sequence[RankedNote], voices: int) -> list[float]:
    """Return the mean pitch of each voice when all of them sound, descending; equal distances if they never do."""
    full = [sorted((note.pitch for note in now), reverse=True) for now in sounding(notes) if len(now) == voices]
    if full:
        return [sum(pitches) / len(full) for pitches in zip(*full, strict=True)]
    low, high = (extreme((note.pitch for note in notes), default=0) for extreme in (min, max))
    return [high - (high - low) * (2 * voice + 1) / (2 * voices) for voice in range(voices)]


def _continuations(
    state: _State,
    starting: Sequence[RankedNote],
    free: Sequence[int],
    ways: Sequence[Arrangement],
    means: Sequence[float],
) -> Iterator[tuple[float, list[tuple[int, Chord]], _State]]:
    """Yield the cost, the chords with their voices and the next state of each way to assign the notes that start."""
    known: dict[Placed, tuple[float, _Last, tuple[int, Chord], int]] = {}
    for way in ways:
        after, chords, left_over, total = list(state), [], len(starting), 0.0
        for placed in way:
            if placed not in known:
                first, last, place = placed
                cost, pitch = _cost(state, free[place], starting[first], starting[last], last - first, means)
                chord = tuple(note.number for note in starting[first : last + 1])
                known[placed] = cost, _Last(pitch, starting[first].over), (free[place], chord), len(chord)
            cost, moved, chord_of_voice, size = known[placed]
            total += cost
            after[chord_of_voice[0]] = moved
            chords.append(chord_of_voice)
            left_over -= size
        silent = sum(after[voice].over <= starting[0].start for voice in {0, len(after) - 1})
        yield total + _LEFT_OVER * left_over + _SILENT_OUTSIDE * silent, chords, tuple(after)


def _cost(
    state: _State, voice: int, highest: RankedNote, lowest: RankedNote, joined: int, means: Sequence[float]
) -> tuple[float, float]:
    """Return the cost of a chord in a voice, and the pitch that stands for it: the melody, the bass or the mean."""
    top, bottom, start = highest.pitch, lowest.pitch, highest.start
    pitch = top if voice == 0 else bottom if voice == len(means) - 1 else (top + bottom) / 2
    cost = _REGISTER * abs(pitch - means[voice]) + _JOINED * joined + _SPREAD * (top - bottom)
    before = state[voice]
    if before.over >= 0:
        leap = min(abs(pitch - before.pitch), _LARGEST_LEAP)
        cost += leap if before.over == start else leap * _AFTER_REST + _ENTRY
    for other, held in enumerate(state):
        if held.over > start:
            crossed = top - held.pitch if other < voice else held.pitch - bottom
            if crossed > 0:
                cost += _CROSSING + _CROSSED * crossed
    return cost, pitch


def _chords_by_voice(path: _Path, voices: int) -> list[list[Chord]]:
    found: list[list[Chord]] = [[] for _ in range(voices)]
    before: _Path | None = path
    while before is not None:
        for voice, chord in before.chords:
            found[voice].append(chord)
        before = before.before
    return [chords[::-1] for chords in found]
