"""The bars of a score, by beat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from composer.api import Meter, OptionError, Score
from composer.music import keys

__all__ = ["COMMON_TIME", "Bar", "bars", "parse_meter"]

COMMON_TIME = Meter(Fraction(0), 4, 4)
"""The meter of a score without one."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, from beat `start` to beat `end`. A pickup has number 0, the first full bar number 1."""

    number: int
    start: Fraction
    end: Fraction
    meter: Meter

    @property
    def length(self) -> Fraction:
        """Length in beats; a pickup is shorter than its meter."""
        return self.end - self.start


def bars(score: Score) -> Iterator[Bar]:
    """Yield the bars of `score` from beat 0 to its end. A meter change inside a bar cuts the bar short."""
    changes = sorted((meter for meter in score.meters if meter.bar > 0), key=lambda meter: meter.onset)
    meter, start, number, end_of_score = COMMON_TIME, Fraction(0), 1, score.duration
    while changes and changes[0].onset <= 0:
        meter = changes.pop(0)
    if 0 < score.pickup < meter.bar:
        yield Bar(0, start, score.pickup, meter)
        start = score.pickup
    while start < end_of_score:
        while changes and changes[0].onset <= start:
            meter = changes.pop(0)
        end = min(start + meter.bar, changes[0].onset) if changes else start + meter.bar
        yield Bar(number, start, end, meter)
        start, number = end, number + 1


def parse_meter(text: str) -> Meter:
    """Parse an ABC meter such as `6/8` or `C|`; empty is common time. Raises OptionError."""
    time = keys.parse_meter(text.strip() or "C")
    if time is None or time.free:
        raise OptionError(f"unknown meter '{text}'", "use a meter such as 4/4, 3/4 or 6/8")
    return Meter(Fraction(0), time.numerator, time.denominator)
