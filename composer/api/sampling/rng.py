"""Counter-based random numbers that depend on the seed and the place alone, in numpy; `torch_rng` is the torch twin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["CounterRNG", "Floats", "Ints", "RNGStream", "StepRNG"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

STEPS_AHEAD = 64
"""How many steps of noise are made at a time: making one costs almost as much as making a block."""


class StepRNG(Protocol):
    """Uniform random numbers for one step of a batch; rows are independent of one another."""

    def uniform(self, rows: int, n: int) -> Floats:
        """The next `n` numbers in [0, 1) for each of `rows` rows: shape (rows, n), float64."""
        ...


class CounterRNG:
    """Noise that is a function of (seed, step, position) alone: a piece does not depend on its neighbours.

    SplitMix64 (Steele, Lea and Flood 2014) used as a hash: the step's counter is mixed into the seed's key, and the
    position within the step into that. `seeds` are the pieces' own seeds, one per row; `at_steps(steps)` gives the
    noise for step `steps[row]` of each row.
    """

    def __init__(self, seeds: Iterable[int]) -> None:
        self._keys = _mix(np.array([seed & _MASK64 for seed in seeds], np.uint64))
        self._base = np.full(len(self._keys), -STEPS_AHEAD, np.int64)
        self._block = np.empty((len(self._keys), STEPS_AHEAD), np.uint64)
        self._first: Floats = np.empty((len(self._keys), STEPS_AHEAD))
        self._rows = np.arange(len(self._keys))

    def at_steps(self, steps: Ints) -> StepRNG:
        """The noise for step `steps[row]` of each row."""
        column = steps - self._base
        if column.max() >= STEPS_AHEAD or column.min() < 0:
            self._base = np.array(steps, np.int64)
            counters = (self._base[:, None] + np.arange(1, STEPS_AHEAD + 1)).astype(np.uint64) * _GOLDEN
            self._block = _mix(self._keys[:, None] + counters)
            self._first = _to_unit_interval(_mix(self._block + _GOLDEN))
            column = np.zeros_like(self._base)
        return _StepRNG(self._block, self._first, (self._rows, column))

    def stream_from(self, steps: Ints) -> RNGStream:
        """The noise for step `steps[row]` of each row and all that follow."""
        return RNGStream(self, self._keys, np.array(steps, np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class RNGStream:
    """The noise of step `first[row]` of each row and of those after it; `keys` (B,), uint64, are the mixed seeds.

    From these two, a device makes the numbers of many steps by itself.
    """

    source: CounterRNG
    keys: NDArray[np.uint64]
    first: NDArray[np.int64]

    def at_step(self, step: int) -> StepRNG:
        """The noise `step` steps after the first."""
        return self.source.at_steps(self.first + step)


class _StepRNG:
    """The noise of one step: the first number of each row is at hand, the others are made when asked for."""

    def __init__(self, keys: NDArray[np.uint64], first: Floats, place: tuple[Ints, Ints]) -> None:
        self._keys, self._first, self._place, self._drawn = keys, first, place, 0

    def uniform(self, rows: int, n: int) -> Floats:
        if rows != len(self._keys):
            raise ValueError(f"noise for {len(self._keys)} rows was asked for {rows}")
        start, self._drawn = self._drawn, self._drawn + n
        if start == 0 and n == 1:
            return self._first[self._place][:, None]
        return _to_unit_interval(_mix(self._keys[self._place][:, None] + _positions(start, n)))


_MASK64 = (1 << 64) - 1
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(12)


@lru_cache(16)
def _positions(start: int, n: int) -> NDArray[np.uint64]:
    """The counters of `n` positions of a step, the first of them after `start`; not to be written to."""
    return np.arange(start + 1, start + n + 1, dtype=np.uint64) * _GOLDEN


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = z >> _SHIFTS[0]
    mixed ^= z
    mixed *= _FACTORS[0]
    shifted = mixed >> _SHIFTS[1]
    mixed ^= shifted
    mixed *= _FACTORS[1]
    mixed ^= np.right_shift(mixed, _SHIFTS[2], out=shifted)
    return mixed


def _to_unit_interval(z: NDArray[np.uint64]) -> Floats:
    """[0, 1) with 52 bits, so that u times a sum is below the sum even after rounding."""
    numbers = (z >> _SHIFTS[3]).astype(np.float64)
    numbers *= 2.0**-52
    return numbers
