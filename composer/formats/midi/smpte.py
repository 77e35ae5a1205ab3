"""Convert the SMPTE time of a MIDI file, in fractions of a second, to beats."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from fractions import Fraction

FRAME_RATES = {24: Fraction(24), 25: Fraction(25), 29: Fraction(30_000, 1001), 30: Fraction(30)}
"""Frames per second, by the number in the header; 29 is 30 drop frame."""

_DEFAULT_TEMPO = 500_000
"""Microseconds per beat where a file has no tempo."""
_MIN_DIVISION = 480


class Clock:
    """Converts ticks of SMPTE time to ticks of a beat, of which a beat has `division`.

    `header` is the division in the file, with its sign bit set. The beats follow `tempos`, (tick, microseconds per
    beat); at 120 BPM, the conversion is exact but for 30 drop frame.
    """

    def __init__(self, header: int, tempos: Iterable[tuple[int, int]]) -> None:
        frames, resolution = 256 - (header >> 8), header & 0xFF
        seconds_per_tick = 1 / (FRAME_RATES[frames] * resolution)
        smallest = frames * resolution if frames * resolution % 2 else frames * resolution // 2
        self.division = smallest * -(-_MIN_DIVISION // smallest)
        self._starts, self._at_start, self._ratios = [0], [Fraction(0)], [self._ratio(seconds_per_tick, _DEFAULT_TEMPO)]
        for tick, tempo in sorted(tempos, key=lambda each: each[0]):
            self._at_start.append(self._exact(tick))
            self._starts.append(tick)
            self._ratios.append(self._ratio(seconds_per_tick, max(tempo, 1)))

    def __call__(self, tick: int) -> int:
        """Return the tick of the beat nearest to `tick`."""
        return round(self._exact(tick))

    def _exact(self, tick: int) -> Fraction:
        at = bisect_right(self._starts, tick) - 1
        return self._at_start[at] + (tick - self._starts[at]) * self._ratios[at]

    def _ratio(self, seconds_per_tick: Fraction, tempo: int) -> Fraction:
        return seconds_per_tick * 1_000_000 * self.division / tempo
