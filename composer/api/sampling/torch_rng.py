"""`composer.api.sampling.rng.CounterRNG` in torch: bit-identical numbers, computed on the device."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from composer.api.sampling.rng import SMALLEST, CounterRNG, RNGStream, StepRNG

__all__ = ["HostRNG", "TorchCounterRNG", "TorchStepRNG", "fixed_rng", "logistic"]


class TorchStepRNG(Protocol):
    """`composer.api.sampling.rng.StepRNG` with tensors."""

    def uniform(self, rows: int, n: int) -> Tensor:
        """Return the next `n` numbers in [0, 1) of each row: (rows, n), float64."""
        ...


class HostRNG:
    """Numbers computed in numpy and copied to `device`."""

    def __init__(self, rng: StepRNG, device: torch.device) -> None:
        self._rng, self._device = rng, device

    def uniform(self, rows: int, n: int) -> Tensor:
        return torch.from_numpy(self._rng.uniform(rows, n)).to(self._device)


@dataclass(frozen=True, slots=True, eq=False)
class TorchCounterRNG:
    """The numbers of the next T steps of B rows: `keys` (T, B), int64, and the `first` of each (T, B), float64."""

    keys: Tensor
    first: Tensor

    @classmethod
    def from_stream(cls, rng: RNGStream, steps: int, device: torch.device) -> TorchCounterRNG:
        """Return the numbers of `steps` steps, computed on `device`."""
        seeds, begin = (torch.tensor(each.astype("int64"), device=device) for each in (rng.keys, rng.first))
        counters = begin + torch.arange(1, steps + 1, device=device)[:, None]
        keys = _mix(seeds + counters * _GOLDEN)
        return cls(keys, _to_unit_interval(_mix(keys + _GOLDEN)))

    def at_step(self, step: Tensor) -> TorchStepRNG:
        """Return the numbers of step `step`, a tensor (1,) on the device, counted from 0."""
        return _StepRNG(self.keys.index_select(0, step)[0], self.first.index_select(0, step)[0])


class _StepRNG:
    """The numbers of one step: `keys` and `first` (B,)."""

    def __init__(self, keys: Tensor, first: Tensor) -> None:
        self._keys, self._first, self._drawn = keys, first, 0

    def uniform(self, rows: int, n: int) -> Tensor:
        if rows != len(self._keys):
            raise ValueError(f"expected {len(self._keys)} rows, not {rows}")
        start, self._drawn = self._drawn, self._drawn + n
        if start == 0 and n == 1:
            return self._first[:, None]
        positions = torch.arange(start + 1, start + n + 1, device=self._keys.device)
        return _to_unit_interval(_mix(self._keys[:, None] + positions * _GOLDEN))


def fixed_rng(device: torch.device) -> TorchStepRNG:
    """Return `composer.api.sampling.rng.FIXED_RNG` for one row."""
    key, first = _fixed_key()
    return _StepRNG(
        torch.full((1,), key, dtype=torch.int64, device=device),
        torch.full((1,), first, dtype=torch.float64, device=device),
    )


@lru_cache(1)
def _fixed_key() -> tuple[int, float]:
    stream = CounterRNG([0]).stream_from(np.zeros(1, np.int64))
    rng = TorchCounterRNG.from_stream(stream, 1, torch.device("cpu"))
    return int(rng.keys), float(rng.first)


def logistic(rng: TorchStepRNG, rows: int, n: int) -> Tensor:
    """Return logits of uniform numbers, (rows, n), float32. Each number of `rng` has enough bits for two."""
    scaled = rng.uniform(rows, (n + 1) // 2) * 2.0**26
    upper = scaled.floor()
    both = torch.cat([upper * 2.0**-26, scaled - upper], 1)[:, :n].float().clamp(float(SMALLEST), float(1 - SMALLEST))
    return (both / (1 - both)).log()


def _signed(bits: int) -> int:
    """Return 64 bits as a signed number, as torch needs; products and sums wrap the same way."""
    return bits - (1 << 64) if bits >> 63 else bits


_GOLDEN = _signed(0x9E3779B97F4A7C15)
_FACTORS = _signed(0xBF58476D1CE4E5B9), _signed(0x94D049BB133111EB)


def _mix(z: Tensor) -> Tensor:
    """Finalizer of SplitMix64 (Steele, Lea and Flood 2014)."""
    z = (z ^ _shift_right(z, 30)) * _FACTORS[0]
    z = (z ^ _shift_right(z, 27)) * _FACTORS[1]
    return z ^ _shift_right(z, 31)


def _shift_right(z: Tensor, places: int) -> Tensor:
    """Logical right shift; torch's own shift is arithmetic."""
    return (z >> places) & ((1 << 64 - places) - 1)


def _to_unit_interval(z: Tensor) -> Tensor:
    """Map to [0, 1) with 52 bits."""
    return _shift_right(z, 12).double() * 2.0**-52
