"""Shares of the training data: read from a model's record, and as weights of what is rare there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import log

from composer_pianoroll.voice_leading import FAULT

RARE = 0.25
"""Share below which something is rare. Rare things have a weight of their share in this share, but at least FAULT."""


def as_share(value: object, name: str) -> float | None:
    """Return a share that was read from a file; None if it is unknown. Raises ValueError for anything else."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1):
        return value
    raise ValueError(f"the share of {name} is {value!r}, not a number from 0 to 1")


def as_shares(values: object, count: int, name: str) -> tuple[float, ...] | None:
    """Return `count` shares that were read from a file; None if they are unknown. Raises ValueError otherwise."""
    if values is None:
        return None
    if not isinstance(values, list | tuple) or len(values) != count or None in values:
        raise ValueError(f"the shares of {name} are {values!r}, not {count} numbers from 0 to 1")
    return tuple(share for each in values if (share := as_share(each, name)) is not None)


def shares_of(values: Iterable[int], count: int) -> tuple[float, ...] | None:
    """Return the share of each number below `count`, as if each had been seen once more; None without `values`.

    So few values give similar shares.
    """
    counts = Counter(values)
    total = counts.total()
    return tuple(round((counts[each] + 1) / (total + count), 4) for each in range(count)) if total else None


def log_weight(share: float, rare: float = RARE) -> float:
    """Return the logarithm of the weight, FAULT to 0, of something with this `share` that is rare below `rare`."""
    return max(FAULT, log(share / rare)) if 0 < share < rare else (FAULT if share <= 0 else 0.0)


def log_weights(shares: Sequence[float]) -> list[float]:
    """Return the logarithms of the weights of alternatives; one is rare below the share that equal ones would have."""
    return [log_weight(share, 1 / len(shares)) for share in shares]
