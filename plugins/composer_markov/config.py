"""Settings of the `markov` model."""

from __future__ import annotations

from dataclasses import dataclass

from composer.api import OptionError, StepKind
from composer.api.fields import check_ranges, option

MAX_ORDER = 16
MAX_FRAME_ORDER = 10
"""Each unit of a frame has a table of 2^order contexts."""


@dataclass(frozen=True, slots=True)
class MarkovConfig:
    """Settings of a Markov chain."""

    order: int = option(
        4, "number of previous tokens or frames that the next one depends on; 0 = only its frequency",
        minimum=0, maximum=MAX_ORDER,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_ranges(self, "--set")


def check_order(kind: StepKind, config: MarkovConfig) -> None:
    """Raise OptionError if the order is too high for frames."""
    if kind is StepKind.FRAMES and config.order > MAX_FRAME_ORDER:
        raise OptionError(
            f"invalid value for `order`: '{config.order}' is too high for frames",
            f"use 0 to {MAX_FRAME_ORDER}, such as --set order=4",
        )


def check_vocabulary(size: int, order: int) -> None:
    """Raise OptionError if sequences of order + 1 tokens cannot be numbered in 63 bits."""
    if size ** (order + 1) < 2**63:
        return
    highest = next(each for each in range(order, -1, -1) if size ** (each + 1) < 2**63)
    raise OptionError(
        f"invalid value for `order`: '{order}' is too high for a vocabulary of {size}",
        f"use --set order={highest} or less",
    )
