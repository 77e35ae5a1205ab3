"""A score as it is written: each bar once, instead of as often as it is played."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple, TypeVar

from composer.api import ChordSymbol, Key, Meter, Notation, Note, Part, Score, Tempo, TempoUnit
from composer.music.bars import COMMON_TIME, Bar

Place = tuple[Fraction, int]
"""A beat as written, and a pitch."""
Span = tuple[Fraction, Fraction]


class Ties(NamedTuple):
    """The notes of a part that are held into the next bar, by ends and pitches, and those that go on with them.

    The latter are `before`, by onsets and pitches.
    """

    before: frozenset[Place] = frozenset()
    after: frozenset[Place] = frozenset()


NO_TIES = Ties()


class AsWritten(NamedTuple):
    """A score whose beats are those of its bars as written, one after another.

    Its notes end where a repeat goes back or an ending follows another. `ties` are those of its parts, in order; none
    if no note is cut.
    """

    score: Score
    bars: Sequence[Bar]
    ties: Sequence[Ties] = ()

    @property
    def end(self) -> Fraction:
        """The beat at which the score ends as written: after its silent bars at the end, if it has any."""
        end_of_sound = self.score.duration
        return max((bar.end for bar in self.bars if bar.start >= end_of_sound), default=end_of_sound)

    def ties_of(self, part: Part) -> Ties:
        """Return the ties of a part of the score, which is found by its identity."""
        return next((ties for own, ties in zip(self.score.parts, self.ties, strict=False) if own is part), NO_TIES)


def as_written(score: Score) -> AsWritten | None:
    """Return `score` as it is written; None without a notation that has room for all of its notes and chords.

    Nor is there any if a bar is longer than its meter: notation programs would cut it, or misplace what follows.

    Notes and chords are those of the first time that their bars are played.
    """
    if score.notation is None or not score.meters or not _holds(score.notation, score.duration):
        return None
    layout = [*_layout(score, score.notation)]
    if any(bar.length > bar.meter.bar for bar in layout):
        return None
    passages = [*_passages(layout, score.notation)]
    meters, keys, starts = list[Meter](), list[Key](), [bar.onsets[0] for bar in score.notation.bars]
    for bar, start in zip(layout, starts, strict=True):
        _change(meters, bar.start, bar.meter)
        if (key := _in_force(score.keys, start)) is not None:
            _change(keys, bar.start, key)
    written = replace(
        score,
        parts=tuple(_part(part, passages) for part in score.parts),
        chords=tuple(_chords(score.chords, passages)),
        tempos=tuple(_moved(score.tempos, passages)),
        tempo_units=tuple(_moved(score.tempo_units, passages)),
        meters=tuple(meters),
        keys=tuple(keys),
        fermatas=tuple(
            sorted(at + each.shift for each in passages for at in score.fermatas if each.start <= at < each.end)
        ),
        sections=(),
        bar_numbers=(),
        phrase_ends=(),
    )
    return AsWritten(written, layout, [*_ties(score, layout)])


class _Passage(NamedTuple):
    """Bars that are played one after another as they are written; `shift` leads from beats as played to written."""

    start: Fraction
    end: Fraction
    shift: Fraction


def _holds(notation: Notation, duration: Fraction) -> bool:
    """Return whether the bars as played follow one another without gaps, up to the end of the music."""
    now = Fraction(0)
    for onset, length in sorted((onset, bar.length) for bar in notation.bars for onset in bar.onsets):
        if onset != now or length <= 0:
            return False
        now += length
    return all(bar.onsets for bar in notation.bars) and duration <= now


def _layout(score: Score, notation: Notation) -> Iterator[Bar]:
    now = Fraction(0)
    for bar in notation.bars:
        meter = _in_force(score.meters, bar.onsets[0]) or COMMON_TIME
        yield Bar(bar.number, now, now + bar.length, meter, bar.number)
        now += bar.length


def _passages(layout: Sequence[Bar], notation: Notation) -> Iterator[_Passage]:
    current: _Passage | None = None
    for bar, written in zip(layout, notation.bars, strict=True):
        start = written.onsets[0]
        if current is not None and current.end == start:
            current = current._replace(end=start + written.length)
            continue
        if current is not None:
            yield current
        current = _Passage(start, start + written.length, bar.start - start)
    if current is not None:
        yield current


def _ties(score: Score, layout: Sequence[Bar]) -> Iterator[Ties]:
    """Yield the ties, as written, of the notes of each part that are held from one bar into the next one played."""
    bars = score.notation.bars if score.notation is not None else ()
    order = sorted((onset, at) for at, bar in enumerate(bars) for onset in bar.onsets)
    starts = [onset for onset, _ in order]
    for part in score.parts:
        before, after = set[Place](), set[Place]()
        for note in part.notes:
            for number in range(bisect_right(starts, note.onset), bisect_left(starts, note.end)):
                (_, last), (_, at) = order[number - 1 : number + 1]
                before.add((layout[at].start, note.pitch))
                after.add((layout[last].end, note.pitch))
        yield Ties(frozenset(before), frozenset(after))


def _part(part: Part, passages: Sequence[_Passage]) -> Part:
    notation = part.notation
    if notation is not None:
        notation = notation._replace(hidden=tuple(_cut(notation.hidden, passages)))
    return replace(part, notes=tuple(_notes(part, passages)), notation=notation)


def _cut(spans: Iterable[Span], passages: Iterable[_Passage]) -> Iterator[Span]:
    """Yield the spans of all passages as written, cut at their ends."""
    for passage in passages:
        for begin, stop in spans:
            start, end = max(begin, passage.start), min(stop, passage.end)
            if start < end:
                yield start + passage.shift, end + passage.shift


def _notes(part: Part, passages: Iterable[_Passage]) -> Iterator[Note]:
    """Yield the notes of all passages, cut at their ends."""
    for passage in passages:
        for note in part.notes:
            start, end = max(note.onset, passage.start), min(note.end, passage.end)
            if start < end:
                yield note._replace(onset=start + passage.shift, duration=end - start)


Event = TypeVar("Event", Tempo, TempoUnit)
Change = TypeVar("Change", Meter, Key)


def _moved(events: Sequence[Event], passages: Iterable[_Passage]) -> Iterator[Event]:
    for passage in passages:
        for event in events:
            if passage.start <= event.onset < passage.end:
                yield event._replace(onset=event.onset + passage.shift)


def _chords(chords: Sequence[ChordSymbol], passages: Iterable[_Passage]) -> list[ChordSymbol]:
    """Return the chords of all passages, cut at their ends.

    A chord that is held into a passage, from the one played before it, goes on there: as written, the chord before it
    lasts longer.
    """
    found = list[ChordSymbol]()
    for passage in passages:
        start = passage.start + passage.shift
        held = next((each for each in chords if each.onset < passage.start < each.onset + each.duration), None)
        if held is not None and found and (last := found[-1]).onset + last.duration == start:
            until = min(held.onset + held.duration, passage.end) + passage.shift
            found[-1] = last._replace(duration=until - last.onset)
        for chord in chords:
            if passage.start <= chord.onset < passage.end:
                length = min(chord.duration, passage.end - chord.onset)
                found.append(chord._replace(onset=chord.onset + passage.shift, duration=length))
    return found


def _in_force(changes: Iterable[Change], at: Fraction) -> Change | None:
    return max((each for each in changes if each.onset <= at), key=lambda each: each.onset, default=None)


def _change(changes: list[Change], at: Fraction, value: Change) -> None:
    """Append `value` from beat `at` on, unless it is in force already."""
    new = value._replace(onset=at)
    if not changes or changes[-1]._replace(onset=at) != new:
        changes.append(new)
