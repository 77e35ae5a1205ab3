"""How pieces are sampled: temperature, top-k, top-p and min-p, checked by the ranges of their fields."""

# No `from __future__ import annotations`: the command line would evaluate the strings at every start.

import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from composer.api.errors import OptionError
from composer.api.fields import check_ranges, option

if TYPE_CHECKING:
    from composer.api.sampling.rng import Floats, Ints

__all__ = ["SamplingParams", "TemperatureRamp", "parse_temperature"]

MAX_TEMPERATURE = 1e6
UNIFORM = 1e30
"""The temperature `inf`: divided by it, all logits are 0 in any precision, and masked ones stay infinite."""
MAX_RAMP_STEPS = 10**9
TEMPERATURE_HINT = (
    "use a number such as 0.8; 0 is greedy, inf is uniform; 0.6..1.2 ramps over the piece, 0.6..1.2/400 over 400 steps"
)


@dataclass(frozen=True, slots=True)
class TemperatureRamp:
    """A temperature that changes linearly from `first` to `last` over `steps` sampled steps and then stays.

    Steps of a primer do not count. With 0 `steps`, the ramp is as long as the piece (see `over`).
    """

    first: float
    last: float
    steps: int = 0

    def __str__(self) -> str:
        """Return the text that `parse_temperature` reads, to the last digit."""
        return f"{self.first}..{self.last}" + (f"/{self.steps}" if self.steps else "")

    def over(self, steps: int) -> Self:
        """Return the ramp over `steps`, unless it has a length of its own."""
        return self if self.steps else dataclasses.replace(self, steps=max(steps, 1))

    def at_steps(self, sampled: "Ints") -> "Floats":
        """Return the temperatures after `sampled` steps; float32 of the same shape.

        Elementwise, so that a row's temperature does not depend on the other rows.
        """
        import numpy as np

        position = np.minimum(sampled / max(self.steps - 1, 1), 1.0)
        return np.asarray(self.first + (self.last - self.first) * position, np.float32)


def parse_temperature(text: str) -> float | TemperatureRamp:
    """Parse `0.8`, `inf`, `0.6..1.2` or `0.6..1.2/400`. Raises OptionError."""
    if text in ("inf", str(UNIFORM)):
        return UNIFORM
    ends, slash, length = text.partition("/")
    first, dots, last = ends.partition("..")
    steps = int(length) if length.isdecimal() and 0 < int(length[:11]) <= MAX_RAMP_STEPS else 0
    values = [_temperature(end) for end in ((first, last) if dots else (first,))]
    if None in values or bool(slash) != bool(steps) or (slash and not dots):
        raise OptionError(f"invalid value for --temp: '{text}'", TEMPERATURE_HINT)
    low, high = values[0], values[-1]
    assert low is not None
    assert high is not None
    return low if low == high else TemperatureRamp(low, high, steps)


def _temperature(text: str) -> float | None:
    """Return a valid temperature, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value <= MAX_TEMPERATURE else None


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """Temperature and filters of a whole run; `composer.api.sampling.filters` holds them per row.

    Without a `temperature`, it is the default of the model, if that has one, else 1. Raises OptionError for a value
    outside its range.
    """

    temperature: float | TemperatureRamp | None = option(
        None,
        "Sampling temperature; 0 is greedy, inf is uniform. 0.6..1.2 ramps over the piece, 0.6..1.2/400 over 400 "
        "steps. [default: the model's, else 1]",
        "--temp", metavar="T", minimum=0, maximum=UNIFORM, hint=TEMPERATURE_HINT, parse=parse_temperature,
        recorded_default=1.0,
    )  # fmt: skip
    top_k: int = option(0, "Sample from the K most likely tokens; 0 = all.", metavar="K", minimum=0, maximum=2**31)
    top_p: float = option(
        1.0, "Sample from the smallest set of tokens with total probability P (nucleus sampling).",
        metavar="P", minimum=1e-9, maximum=1.0, hint="use a number above 0, up to 1",
    )  # fmt: skip
    min_p: float = option(
        0.0, "Drop tokens with less than P times the probability of the most likely one; 0 = off.",
        metavar="P", minimum=0, maximum=1,
    )  # fmt: skip

    per_unit: bool = field(default=False, metadata={"internal": True, "recorded": False})
    """Apply temperature and filters to each unit of a frame, as for pieces that were recorded before they applied to
    whole frames."""

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def is_default(self) -> bool:
        """Whether steps are sampled from the model as it is."""
        return dataclasses.replace(self.with_default_temperature(1.0), per_unit=False) == SamplingParams(1.0)

    @property
    def is_greedy(self) -> bool:
        """Whether each step is the most likely one, so that all pieces are the same."""
        return self.top_k == 1 or self.highest_temperature == 0

    @property
    def highest_temperature(self) -> float:
        """The highest temperature in a piece."""
        temperature = 1.0 if self.temperature is None else self.temperature
        return max(temperature.first, temperature.last) if isinstance(temperature, TemperatureRamp) else temperature

    @property
    def ramp(self) -> TemperatureRamp | None:
        """The temperature, if it changes over the piece."""
        return self.temperature if isinstance(self.temperature, TemperatureRamp) else None

    def with_default_temperature(self, default: float) -> Self:
        """Return the parameters with `default` as the temperature, unless they have one."""
        return self if self.temperature is not None else dataclasses.replace(self, temperature=default)
