"""The bars of a score, by beat."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from composer.api import Meter, OptionError, Score, WrittenBar
from composer.music import keys

__all__ = ["COMMON_TIME", "Bar", "bars", "count_bars", "parse_meter"]

COMMON_TIME = Meter(Fraction(0), 4, 4)
"""The meter of a score without one."""

SILENT_BARS = "silent bars at the end left out"
"""What is counted as a loss of notation that ends before its last bars."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, from beat `start` to beat `end`. A pickup has number 0, the first full bar number 1.

    `number` counts the bars as played, and `written` those of a score, in which repeats stand once. `is_last` is set
    for a last bar that is short since the pickup completes it.
    """

    number: int
    start: Fraction
    end: Fraction
    meter: Meter
    written: int
    is_last: bool = False

    @property
    def length(self) -> Fraction:
        """Length in beats; a pickup is shorter than its meter."""
        return self.end - self.start

    @property
    def pulse(self) -> Fraction:
        """Length in beats of what is counted in the bar: a dotted note in compound meters such as 6/8."""
        compound = self.meter.denominator >= 8 and self.meter.numerator % 3 == 0
        return Fraction(4, self.meter.denominator) * (3 if compound else 1)

    @property
    def own_meter(self) -> Meter:
        """The meter, or one that the bar fills if a change of meter cuts it short; not for a pickup or a last bar."""
        if self.number == 0 or self.is_last or self.length == self.meter.bar:
            return self.meter
        part = self.length / 4
        denominator = max(part.denominator, self.meter.denominator)
        if denominator % part.denominator:
            denominator = part.denominator
        return Meter(self.start, int(part * denominator), denominator)


def bars(score: Score, *, as_notated: bool = False) -> Iterator[Bar]:
    """Yield the bars of `score` from beat 0 to its end. A meter change inside a bar cuts the bar short.

    With `as_notated`, silent bars at the end are among them.
    """
    number, written, end_of_score = 1, 1, notated_end(score) if as_notated else score.duration
    numbers = deque(score.bar_numbers)
    for begin, stop, meter, is_pickup in _passages(score, end_of_score):
        if is_pickup:
            yield Bar(0, begin, score.pickup, meter, 0)
            continue
        start = begin
        while start < end_of_score and (stop is None or start < stop):
            end = start + meter.bar if stop is None else min(start + meter.bar, stop)
            while numbers and numbers[0].onset <= start:
                written = numbers.popleft().number
            yield Bar(number, start, end, meter, written if score.bar_numbers else number)
            start, number = end, number + 1


def notated_end(score: Score) -> Fraction:
    """Return the beat at which `score` ends as written: after its silent bars at the end, if its notation has any."""
    ends = (onset + bar.length for onset, bar in _silent_bars(score))
    return max(ends, default=score.duration)


def count_silent_bars(score: Score) -> int:
    """Return how many bars without notes or chords the notation of `score` has at the end, as played."""
    return sum(1 for _ in _silent_bars(score))


def lost_silent_bars(score: Score, bar_starts: Iterable[Fraction]) -> dict[str, int]:
    """Return the losses of `score` and its silent bars at the end, if it has no notation that could keep them.

    `bar_starts` are the beats at which its bars begin, as played.
    """
    end_of_sound, losses = score.duration, dict(score.losses)
    silent = 0 if score.notation is not None else sum(start >= end_of_sound for start in bar_starts)
    return losses | {SILENT_BARS: silent} if silent else losses


def _silent_bars(score: Score) -> Iterator[tuple[Fraction, WrittenBar]]:
    """Yield the bars as written that begin when all notes and chords have ended, with the beat."""
    if score.notation is None:
        return
    end_of_sound = score.duration
    for bar in score.notation.bars:
        yield from ((onset, bar) for onset in bar.onsets if onset >= end_of_sound)


def moved_bar_lines(score: Score) -> int:
    """Return how many bar lines of `bars` the score does not have as written, since its bars do not fill the meter.

    It is 0 if the meter, or how the score is written, is unknown.
    """
    if score.notation is None or not score.meters:
        return 0
    written = {onset for bar in score.notation.bars for onset in bar.onsets}
    return sum(bar.start not in written for bar in bars(score))


def unfilled_bars(score: Score) -> Iterator[tuple[WrittenBar, Meter]]:
    """Yield the bars as written that do not fill their meter, each once, with the meter.

    The first and the last bar played may be short, and so may bars that fill the meter together, as those around a
    repeat do. None are found if no bar line has moved (see `moved_bar_lines`).
    """
    if not moved_bar_lines(score) or score.notation is None:
        return
    played = sorted((onset, bar) for bar in score.notation.bars for onset in bar.onsets)
    meters, seen = sorted(score.meters), set[WrittenBar]()
    at = 0
    while at < len(played):
        onset, bar = played[at]
        meter = meters[max(bisect_right(meters, onset, key=lambda each: each.onset) - 1, 0)]
        at, first, length = at + 1, at, bar.length
        while length < meter.bar and at < len(played) and length + played[at][1].length <= meter.bar:
            length += played[at][1].length
            at += 1
        if length == meter.bar:
            continue
        at = first + 1
        if bar.length > meter.bar or 0 < first < len(played) - 1:
            if bar not in seen:
                yield bar, meter
            seen.add(bar)


def with_short_end(found: list[Bar], score: Score) -> list[Bar]:
    """Return all bars of `score`, for notation: if the music allows, the last one lacks what the pickup has."""
    if len(found) > 1 and found[0].number == 0:
        end = found[-1].end - score.pickup
        if found[-1].length == found[0].meter.bar and notated_end(score) <= end:
            return [*found[:-1], replace(found[-1], end=end, is_last=True)]
    return found


def count_bars(score: Score, *, as_notated: bool = False) -> int:
    """Return the number of bars of `score` as played, without its pickup; `as_notated` is that of `bars`."""
    end_of_score = notated_end(score) if as_notated else score.duration
    return sum(
        ceil(((end_of_score if stop is None else min(stop, end_of_score)) - start) / meter.bar)
        for start, stop, meter, is_pickup in _passages(score, end_of_score)
        if not is_pickup
    )


class _Passage(NamedTuple):
    """Bars of one meter from beat `start` to where the next passage begins, None for the last; or the pickup alone."""

    start: Fraction
    stop: Fraction | None
    meter: Meter
    is_pickup: bool = False


def _passages(score: Score, end_of_score: Fraction) -> Iterator[_Passage]:
    changes = deque(sorted((meter for meter in score.meters if meter.bar > 0), key=lambda meter: meter.onset))
    meter, start = COMMON_TIME, Fraction(0)
    while changes and changes[0].onset <= 0:
        meter = changes.popleft()
    if 0 < score.pickup < meter.bar:
        yield _Passage(start, score.pickup, meter, is_pickup=True)
        start = score.pickup
    while start < end_of_score:
        while changes and changes[0].onset <= start:
            meter = changes.popleft()
        stop = changes[0].onset if changes else None
        yield _Passage(start, stop, meter)
        start = end_of_score if stop is None else stop


def parse_meter(text: str) -> Meter:
    """Parse an ABC meter such as `6/8` or `C|`; empty is common time. Raises OptionError."""
    time = keys.parse_meter(text.strip() or "C")
    if time is None or time.free:
        raise OptionError(f"unknown meter '{text}'", "use a meter such as 4/4, 3/4 or 6/8")
    return Meter(Fraction(0), time.numerator, time.denominator)
