"""The last bars of a tune in one integer, and the characters that would repeat a cycle of them once too often."""

from __future__ import annotations

from composer.api import Mask
from composer.formats.abc.grammar.vocabulary import Vocabulary

__all__ = ["BITS", "RecentBars"]

MAX_CYCLE = 8
"""Bars in the longest cycle that is limited."""

_PREFIX = 4
"""First characters of a bar that are kept. A repetition is avoided at the first of them that leaves a choice."""

_PREFIX_BITS, _COUNT_BITS, _HASH_BITS, _RUN_BITS = 8 * _PREFIX, 3, 32, 8
_BAR_BITS = _PREFIX_BITS + _HASH_BITS
_OPEN_BITS = _COUNT_BITS + _BAR_BITS
BITS = _OPEN_BITS + 1 + MAX_CYCLE * (_BAR_BITS + _RUN_BITS)
"""Bits of a state."""

_OPEN, _HASH, _RUN = (1 << _OPEN_BITS) - 1, (1 << _HASH_BITS) - 1, (1 << _RUN_BITS) - 1


class RecentBars:
    """An automaton whose state is an integer, 0 at the start of a tune's body.

    From the lowest bits: the number of characters of the current bar (up to _PREFIX), its first characters and a hash
    of all; whether the next bar could repeat a cycle more than `limit` times; for each of the last bars, the latest
    first, its first characters and hash; and for each cycle length, how many bars in a row equal the one that many bars
    before. `limit` 0 is any number. Line breaks and the signs of repeats and endings do not count as part of a bar.
    """

    def __init__(self, vocabulary: Vocabulary, limit: int) -> None:
        self.limit = limit
        self._bar_line = vocabulary.ids.get("|", -1)
        self._ignored = {vocabulary.ids[each] for each in "\n:]" if each in vocabulary.ids}

    def step(self, state: int, character: int) -> int:
        """Return the state after a character, given as a token id."""
        if not self.limit or character in self._ignored:
            return state
        if character == self._bar_line:
            return self._end_bar(state) if state & _OPEN else state
        count, rest = state & (1 << _COUNT_BITS) - 1, state >> _OPEN_BITS
        prefix = state >> _COUNT_BITS & (1 << _PREFIX_BITS) - 1
        if count < _PREFIX:
            prefix |= (character & 255) << 8 * count
            count += 1
        hashed = ((state >> _COUNT_BITS + _PREFIX_BITS & _HASH) * 1_000_003 + character + 1) & _HASH
        return (rest << _HASH_BITS | hashed) << _PREFIX_BITS + _COUNT_BITS | prefix << _COUNT_BITS | count

    def repeating(self, state: int) -> Mask:
        """Return the characters with which the current bar would begin to repeat a cycle once too often."""
        if not state >> _OPEN_BITS & 1 or state & (1 << _COUNT_BITS) - 1 >= _PREFIX:
            return 0
        count, prefix = state & (1 << _COUNT_BITS) - 1, state >> _COUNT_BITS & (1 << _PREFIX_BITS) - 1
        bars, runs = _unpack(state)
        mask = 0
        for cycle, (bar, run) in enumerate(zip(bars, runs, strict=True), 1):
            before = bar & (1 << _PREFIX_BITS) - 1
            if bar and run >= self.limit * cycle - 1 and before & (1 << 8 * count) - 1 == prefix:
                mask |= 1 << (before >> 8 * count & 255)
        return mask & ~1

    def _end_bar(self, state: int) -> int:
        bar = state >> _COUNT_BITS & (1 << _BAR_BITS) - 1
        bars, runs = _unpack(state)
        runs = [min(run + 1, _RUN) if bar == other else 0 for other, run in zip(bars, runs, strict=True)]
        bars = [bar, *bars[:-1]]
        risky = any(run >= self.limit * cycle - 1 for cycle, run in enumerate(runs, 1))
        packed = 0
        for run in reversed(runs):
            packed = packed << _RUN_BITS | run
        for each in reversed(bars):
            packed = packed << _BAR_BITS | each
        return (packed << 1 | risky) << _OPEN_BITS


def _unpack(state: int) -> tuple[list[int], list[int]]:
    """Return the last bars and the runs of each cycle length."""
    packed = state >> _OPEN_BITS + 1
    bars = [packed >> _BAR_BITS * number & (1 << _BAR_BITS) - 1 for number in range(MAX_CYCLE)]
    packed >>= _BAR_BITS * MAX_CYCLE
    return bars, [packed >> _RUN_BITS * number & _RUN for number in range(MAX_CYCLE)]
