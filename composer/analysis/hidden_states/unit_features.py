"""Which units of a model follow which feature of a piece, by correlation over its steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_STEPS = 3
"""Fewest steps to which a correlation over a piece can apply."""


@dataclass(frozen=True, slots=True)
class UnitResponse:
    """A `unit`, numbered from 1, and the `feature` of the piece that it follows most.

    `r` is their correlation over the `steps` to which the feature applies. The feature is empty if there is none.
    """

    unit: int
    feature: str
    r: float
    steps: int


def clearest_units(
    states: NDArray[np.float32], features: Mapping[str, NDArray[np.float64]], count: int
) -> list[UnitResponse]:
    """Return `count` units of `states` (T, U), the highest absolute correlation first, no feature more than once.

    If there are not as many features, the units with the highest variance follow.
    """
    correlations = _correlations(states, features)
    best = [
        UnitResponse(int(np.abs(row).argmax()) + 1, name, float(row[np.abs(row).argmax()]), steps)
        for name, (row, steps) in correlations.items()
    ]
    chosen = list[UnitResponse]()
    for response in sorted(best, key=lambda each: (-round(abs(each.r), 6), each.unit)):
        if len(chosen) < count and response.unit not in {each.unit for each in chosen}:
            chosen.append(response)
    by_variance = np.argsort(-states.var(axis=0), kind="stable") + 1 if len(states) else np.arange(states.shape[1]) + 1
    left = [int(unit) for unit in by_variance if int(unit) not in {each.unit for each in chosen}]
    return [*chosen, *_responses(correlations, left[: count - len(chosen)])]


def responses(
    states: NDArray[np.float32], features: Mapping[str, NDArray[np.float64]], units: Sequence[int]
) -> list[UnitResponse]:
    """Return what each of `units`, numbered from 1, follows most."""
    return _responses(_correlations(states, features), units)


def _responses(correlations: Mapping[str, tuple[NDArray[np.float64], int]], units: Iterable[int]) -> list[UnitResponse]:
    found = list[UnitResponse]()
    for unit in units:
        rows = [UnitResponse(unit, name, float(row[unit - 1]), steps) for name, (row, steps) in correlations.items()]
        found.append(max(rows, key=lambda each: abs(each.r), default=UnitResponse(unit, "", 0.0, 0)))
    return found


def _correlations(
    states: NDArray[np.float32], features: Mapping[str, NDArray[np.float64]]
) -> dict[str, tuple[NDArray[np.float64], int]]:
    """Return each feature's correlation with each unit (U,) and its number of steps; constant features have none."""
    found = {}
    for name, values in features.items():
        known = np.isfinite(values)
        own = values[known] - values[known].mean() if known.any() else values[known]
        if len(own) < MIN_STEPS or not own.any():
            continue
        centered = states[known].astype(float)
        centered -= centered.mean(axis=0)
        spread = np.sqrt((centered**2).sum(axis=0) * (own**2).sum())
        products = own @ centered
        found[name] = np.where(spread > 1e-9, products / np.where(spread > 1e-9, spread, 1), 0.0), len(own)
    return found
