"""The temperature as it is given: a number, or the two between which it goes over a piece."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from composer.api import UsageError

if TYPE_CHECKING:
    from composer.generation.temperature import TemperatureCurve

__all__ = ["parse", "spread"]

HIGHEST = 1e6
MOST_STEPS = 10**9
HINT = (
    "give 0 (always the likeliest step), 1 (as the model learnt it) or another number up to 1000000; "
    "or two, as in 0.6..1.2, to go from one to the other over the piece, or 0.6..1.2/400 over 400 steps"
)


def parse(text: str) -> float | TemperatureCurve:
    """`0.8`, `0.6..1.2`, or `0.6..1.2/400` for a way of 400 steps; a curve without a way has one of 0 steps.

    Raises UsageError.
    """
    between, slash, way = text.partition("/")
    first, dots, last = between.partition("..")
    steps = int(way) if way.isdecimal() and 0 < int(way[:11]) <= MOST_STEPS else 0
    ends = [_number(each) for each in ((first, last) if dots else (first,))]
    if None in ends or bool(slash) != bool(steps) or (slash and not dots):
        raise UsageError(f"--temp cannot be {text}", HINT)
    known = [each for each in ends if each is not None]
    if known[0] == known[-1]:
        return known[0]
    from composer.generation.temperature import TemperatureCurve

    return TemperatureCurve(known[0], known[-1], steps)


def spread(
    filters: Mapping[str, Any], record: Mapping[str, Any], *, length: int | None, most: int, begun: int
) -> Mapping[str, Any]:
    """`filters`, a curve among them laid over a piece of which `begun` steps are given.

    The piece is as long as `length` says, else as those that the model was taught, of whose training there is a
    `record`, are on average, and at `most` steps.
    """
    from composer.generation.temperature import TemperatureCurve, usual_length

    curve = filters.get("temperature")
    if not isinstance(curve, TemperatureCurve) or curve.steps:
        return filters
    whole = length or min(usual_length(record) or most, most)
    return {**filters, "temperature": TemperatureCurve(curve.first, curve.last, max(whole - begun, 1))}


def _number(text: str) -> float | None:
    """A temperature; None for what is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value <= HIGHEST else None
