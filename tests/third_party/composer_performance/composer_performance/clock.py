"""Beats to ticks, by the tempos of a score."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from fractions import Fraction

from composer.api import Score
from composer_performance.events import TICKS_PER_SECOND


def tempo_map(score: Score) -> Callable[[Fraction], int]:
    """Return a function from beats to the nearest tick."""
    starts, seconds, lengths = [Fraction(0)], [Fraction(0)], [Fraction(1, 2)]
    for tempo in score.tempos:
        if tempo.bpm > 0:
            seconds.append(seconds[-1] + (tempo.onset - starts[-1]) * lengths[-1])
            starts.append(tempo.onset)
            lengths.append(60 / Fraction(tempo.bpm))

    def ticks(beat: Fraction) -> int:
        at = bisect_right(starts, beat) - 1
        return round((seconds[at] + (beat - starts[at]) * lengths[at]) * TICKS_PER_SECOND)

    return ticks
