"""A temperature that changes over a piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from composer.api.sampling.filters import Floats, Ints

__all__ = ["TemperatureCurve", "usual_length"]


@dataclass(frozen=True, slots=True)
class TemperatureCurve:
    """A temperature that goes in a straight line from `first` to `last` over `steps` steps, and then stays there.

    Steps are counted from the first one that is drawn, so that a primer takes nothing of the way.
    """

    first: float
    last: float
    steps: int

    def __str__(self) -> str:
        """As on the command line: `0.6..1.2/400`."""
        return f"{self.first:g}..{self.last:g}/{self.steps}"

    def at(self, drawn: Ints) -> Floats:
        """The temperatures of the next steps of rows of which so many steps were `drawn`; float32, of the same shape.

        Elementwise, so that a row's temperature does not depend on the other rows.
        """
        way = np.minimum(drawn / max(self.steps - 1, 1), 1.0)
        return np.asarray(self.first + (self.last - self.first) * way, np.float32)


def usual_length(record: Mapping[str, Any]) -> int | None:
    """How many steps the pieces that a model was taught have on average, by the record of its training, if it says."""
    pieces, steps = (record.get(name, {}).get("train") for name in ("pieces", "counted"))
    return round(steps / pieces) if pieces and steps else None
