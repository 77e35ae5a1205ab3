"""The last units of a piece, such as its bars or words, and the passages of them that come again and again."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["RecentPassages"]

_RUN = 16
"""Bits of a run: 1000 passages of any length that is watched are fewer units."""


class RecentPassages:
    """An automaton over units; its state is one integer, 0 at the start.

    A unit is an integer of `unit_bits`; 0 is one that is never excessive, and stands before the first unit. Passages of
    1 to `max_cycle` units may occur `limit` times in a row.

    From the lowest bits, a state is the last `max_cycle` units, the latest first; then the run of each cycle length:
    the number of units in a row that equal the one this many units before.
    """

    def __init__(self, unit_bits: int, max_cycle: int, limit: int) -> None:
        self._unit_bits, self._max_cycle, self._limit = unit_bits, max_cycle, limit
        self.bits = max_cycle * (unit_bits + _RUN)

    def push(self, state: int, unit: int) -> int:
        """Return the state after `unit`."""
        units, runs = self._unpack(state)
        packed = 0
        for other, run in zip(reversed(units), reversed(runs), strict=True):
            packed = packed << _RUN | (min(run + 1, (1 << _RUN) - 1) if unit == other else 0)
        recent = state & (1 << self._unit_bits * (self._max_cycle - 1)) - 1
        return (packed << self._unit_bits * (self._max_cycle - 1) | recent) << self._unit_bits | unit

    def excessive(self, state: int) -> Iterator[int]:
        """Yield the units that would end a passage's occurrence beyond the limit, if they came next."""
        if state >> self._unit_bits * self._max_cycle or self._limit == 1:
            for cycle, (unit, run) in enumerate(zip(*self._unpack(state), strict=True), 1):
                if unit and run >= self._limit * cycle - 1:
                    yield unit

    def _unpack(self, state: int) -> tuple[list[int], list[int]]:
        """Return the last units and the run of each cycle length."""
        size, mask = self._unit_bits, (1 << self._unit_bits) - 1
        units = [state >> size * number & mask for number in range(self._max_cycle)]
        state >>= size * self._max_cycle
        return units, [state >> _RUN * number & (1 << _RUN) - 1 for number in range(self._max_cycle)]
