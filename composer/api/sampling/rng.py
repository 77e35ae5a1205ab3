"""Counter-based random numbers, a function of seed, step and position, in numpy; `torch_rng` has the same in torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["FIXED_RNG", "CounterRNG", "Floats", "Ints", "RNGStream", "StepRNG", "logistic"]

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

STEPS_AHEAD = 64
"""Steps per block of numbers: computing one step costs almost as much as a block."""


class StepRNG(Protocol):
    """Uniform random numbers for one step of a batch; rows are independent."""

    def uniform(self, rows: int, n: int) -> Floats:
        """Return the next `n` numbers in [0, 1) of each row: (rows, n), float64."""
        ...


class CounterRNG:
    """Random numbers as a function of (seed, step, position), so that pieces do not depend on other rows.

    Uses SplitMix64 (Steele, Lea and Flood 2014) as a hash: mixes the step into the seed's key, and the position within
    the step into the result. `seeds` are those of the pieces, one per row.
    """

    def __init__(self, seeds: Iterable[int]) -> None:
        self._keys = _mix(np.array([seed & _MASK64 for seed in seeds], np.uint64))
        self._base = np.full(len(self._keys), -STEPS_AHEAD, np.int64)
        self._block = np.empty((len(self._keys), STEPS_AHEAD), np.uint64)
        self._first: Floats = np.empty((len(self._keys), STEPS_AHEAD))
        self._rows = np.arange(len(self._keys))

    def at_steps(self, steps: Ints) -> StepRNG:
        """Return the numbers for step `steps[row]` of each row."""
        column = steps - self._base
        if column.max() >= STEPS_AHEAD or column.min() < 0:
            self._base = np.array(steps, np.int64)
            counters = (self._base[:, None] + np.arange(1, STEPS_AHEAD + 1)).astype(np.uint64) * _GOLDEN
            self._block = _mix(self._keys[:, None] + counters)
            self._first = _to_unit_interval(_mix(self._block + _GOLDEN))
            column = np.zeros_like(self._base)
        return _StepRNG(self._block, self._first, (self._rows, column))

    def stream_from(self, steps: Ints) -> RNGStream:
        """Return the numbers for step `steps[row]` of each row and all later steps."""
        return RNGStream(self, self._keys, np.array(steps, np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class RNGStream:
    """The numbers from step `first[row]` of each row on; `keys` (B,), uint64, are the mixed seeds.

    From these two, a device can compute the numbers of many steps.
    """

    source: CounterRNG
    keys: NDArray[np.uint64]
    first: NDArray[np.int64]

    def at_step(self, step: int) -> StepRNG:
        """Return the numbers `step` steps after the first."""
        return self.source.at_steps(self.first + step)


class _StepRNG:
    """The numbers of one step: the first of each row is precomputed, the others on demand."""

    def __init__(self, keys: NDArray[np.uint64], first: Floats, place: tuple[Ints, Ints]) -> None:
        self._keys, self._first, self._place, self._drawn = keys, first, place, 0

    def uniform(self, rows: int, n: int) -> Floats:
        if rows != len(self._keys):
            raise ValueError(f"expected {len(self._keys)} rows, not {rows}")
        start, self._drawn = self._drawn, self._drawn + n
        if start == 0 and n == 1:
            return self._first[self._place][:, None]
        return _to_unit_interval(_mix(self._keys[self._place][:, None] + _positions(start, n)))


class _FixedRNG:
    """The same numbers at every call, for what must not depend on the seed."""

    def uniform(self, rows: int, n: int) -> Floats:
        numbers = CounterRNG([0]).at_steps(np.zeros(1, np.int64)).uniform(1, n)
        return np.repeat(numbers, rows, axis=0)


FIXED_RNG: StepRNG = _FixedRNG()
"""The same numbers for all seeds, steps and rows."""

SMALLEST = np.float32(2.0**-24)
"""Minimum distance of the numbers of `logistic` from 0 and 1, so that their logits are finite in fp32."""


def logistic(rng: StepRNG, rows: int, n: int) -> Floats:
    """Return logits of uniform numbers, (rows, n), float32. Each number of `rng` has enough bits for two."""
    scaled = rng.uniform(rows, (n + 1) // 2) * 2.0**26
    upper = np.floor(scaled)
    scaled -= upper
    upper *= 2.0**-26
    both = np.concatenate([upper, scaled], axis=1, dtype=np.float32, casting="same_kind")[:, :n]
    np.clip(both, SMALLEST, 1 - SMALLEST, out=both)
    both /= 1 - both
    return np.log(both, out=both)


_MASK64 = (1 << 64) - 1
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(12)


@lru_cache(16)
def _positions(start: int, n: int) -> NDArray[np.uint64]:
    """Return the counters of `n` positions of a step, from `start` + 1; read-only, since it is cached."""
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
    """Map to [0, 1) with 52 bits, so that u times a sum is below the sum even after rounding."""
    numbers = (z >> _SHIFTS[3]).astype(np.float64)
    numbers *= 2.0**-52
    return numbers
