"""How voices are written: chords tied where notes overlap, and which rests are shown, of which lengths."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

TimeT = TypeVar("TimeT", int, Fraction)

_SHORTEST = Fraction(1, 32)
"""Beats of the shortest rest; shorter ones, and those of tuplets, are single rests."""


class Segment(NamedTuple, Generic[TimeT]):
    """Pitches, ascending, that sound from `start` to `end`; those tied sound before or after it too."""

    start: TimeT
    end: TimeT
    pitches: tuple[int, ...]
    tied_before: frozenset[int] = frozenset()
    tied_after: frozenset[int] = frozenset()


def segments(notes: Iterable[tuple[TimeT, TimeT, int]]) -> Iterator[Segment[TimeT]]:
    """Yield the notes of a voice, given in order as start, end and pitch, as chords that do not overlap.

    Notes that overlap are cut and tied where one of them starts or ends. No pitch may sound twice at the same time.
    """
    cluster: list[tuple[TimeT, TimeT, int]] = []
    for note in notes:
        if cluster and max(end for _, end, _ in cluster) <= note[0]:
            yield from _cut(cluster)
            cluster = []
        cluster.append(note)
    yield from _cut(cluster)


def _cut(cluster: Sequence[tuple[TimeT, TimeT, int]]) -> Iterator[Segment[TimeT]]:
    for begin, until in pairwise(sorted({time for start, end, _ in cluster for time in (start, end)})):
        now = [note for note in cluster if note[0] <= begin and until <= note[1]]
        yield Segment(
            begin,
            until,
            tuple(sorted(pitch for _, _, pitch in now)),
            frozenset(pitch for start, _, pitch in now if start < begin),
            frozenset(pitch for _, end, pitch in now if end > until),
        )


def shown_rests(
    voices: Sequence[Sequence[tuple[TimeT, TimeT]]], staves: Sequence[int], begin: TimeT, end: TimeT
) -> list[list[tuple[TimeT, TimeT]]]:
    """Return where each voice shows rests between `begin` and `end`, given where the voices sound, and their staves.

    `voices` are in descending order. One that is silent for whole notes of a neighbor may be in unison with it, or
    pause for a phrase. It has rests only if all voices of its staff are silent, and only the first of them has.
    """
    return [list(_shown_rests(voices, staves, voice, begin, end)) for voice in range(len(voices))]


def _shown_rests(
    voices: Sequence[Sequence[tuple[TimeT, TimeT]]], staves: Sequence[int], voice: int, begin: TimeT, end: TimeT
) -> Iterator[tuple[TimeT, TimeT]]:
    same_staff = [number for number, staff in enumerate(staves) if staff == staves[voice] and number != voice]
    others = _union(span for number in same_staff for span in voices[number])
    neighbors = [*voices[max(voice - 1, 0) : voice], *voices[voice + 1 : voice + 2]]
    limits = {begin, end}.union(*(span for spans in neighbors for span in spans))
    for start, stop in gaps(voices[voice], begin, end):
        if same_staff and not (start in limits and stop in limits):
            yield start, stop
        elif voice < min(same_staff, default=voice + 1):
            first = max(bisect_left(others, (start, start)) - 1, 0)
            yield from gaps(others[first : bisect_left(others, (stop, stop))], start, stop)


def gaps(spans: Iterable[tuple[TimeT, TimeT]], begin: TimeT, end: TimeT) -> Iterator[tuple[TimeT, TimeT]]:
    """Yield what ordered `spans` leave free between `begin` and `end`."""
    for start, stop in spans:
        if begin < start:
            yield begin, min(start, end)
        begin = max(begin, stop)
        if begin >= end:
            return
    if begin < end:
        yield begin, end


def _union(spans: Iterable[tuple[TimeT, TimeT]]) -> list[tuple[TimeT, TimeT]]:
    union: list[tuple[TimeT, TimeT]] = []
    for start, end in sorted(spans):
        if union and start <= union[-1][1]:
            union[-1] = union[-1][0], max(end, union[-1][1])
        else:
            union.append((start, end))
    return union


def rest_lengths(start: Fraction, end: Fraction, bar: Fraction, pulse: Fraction) -> Iterator[Fraction]:
    """Yield the lengths in beats of the rests from `start` to `end` in a bar of `bar` beats with this pulse.

    They show the pulse: a rest begins at a multiple of its length, counted from the pulse if it is shorter. A silent
    bar has one rest.
    """
    if start <= 0 and end >= bar:
        yield end - start
        return
    until = end if end % _SHORTEST == 0 else Fraction(end // 1)
    while start < end:
        if start % _SHORTEST:
            length = min(Fraction(start // 1 + 1), end) - start
        elif start >= until:
            length = end - start
        else:
            length = next(each for each in _values(bar, pulse) if _fits(each, start, until, pulse))
        yield length
        start += length


def _values(bar: Fraction, pulse: Fraction) -> Iterator[Fraction]:
    """Yield the lengths of rests, the longest first: multiples of the pulse that divide the bar, then note values."""
    yield from (pulse * times for times in (8, 4, 2) if bar % (pulse * times) == 0)
    yield pulse
    length = Fraction(2)
    while length >= _SHORTEST:
        if length < pulse:
            yield length
        length /= 2


def _fits(length: Fraction, start: Fraction, end: Fraction, pulse: Fraction) -> bool:
    place = start if length >= pulse else start % pulse
    return start + length <= end and place % length == 0 and (length >= pulse or place + length <= pulse)
