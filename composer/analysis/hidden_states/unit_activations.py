"""Units of a model over one piece: which to look at, what they follow, and their activation at each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from composer.analysis.hidden_states.run import HiddenStateModel, encode, hidden_states
from composer.analysis.hidden_states.unit_features import UnitResponse, clearest_units, responses
from composer.api import Piece, UsageError

SHOWN_UNITS = 4
"""Number of units that are chosen by themselves."""


@dataclass(frozen=True, slots=True, eq=False)
class UnitActivations:
    """The `activations` (T,) of a unit after each of the T steps of a piece, and what the unit follows.

    `lowest`, `highest` and `median` are those of the activations; they are 0 for a piece without steps.
    """

    response: UnitResponse
    activations: NDArray[np.float32]
    lowest: float = field(init=False)
    highest: float = field(init=False)
    median: float = field(init=False)

    def __post_init__(self) -> None:
        known = self.activations if len(self.activations) else np.zeros(1, np.float32)
        # kept, since each step of a long piece is compared with them
        for name, value in (("lowest", known.min()), ("highest", known.max()), ("median", np.median(known))):
            object.__setattr__(self, name, float(value))

    def distance(self, value: float) -> float:
        """Return how far `value` is from the median, from -1 to 1, as a share of the greatest distance."""
        greatest = max(self.highest - self.median, self.median - self.lowest)
        return (value - self.median) / greatest if greatest > 1e-6 else 0.0

    def level(self, value: float, levels: int) -> int:
        """Return in which of `levels` equal intervals, from 0, between the lowest and the highest `value` is."""
        spread = self.highest - self.lowest
        if spread < 1e-6:
            return levels // 2
        return min(max(int((value - self.lowest) / spread * levels), 0), levels - 1)


def unit_activations(
    model: HiddenStateModel, piece: Piece, features: Mapping[str, NDArray[np.float64]], units: Sequence[int] = ()
) -> tuple[int, list[UnitActivations]]:
    """Return how many units the model has, and the given `units`, numbered from 1, over a piece.

    By default they are those that follow one of the `features` most clearly. Raises EncodeError, and UsageError for a
    unit that the model does not have.
    """
    [(_, states)] = hidden_states(model, [encode(model, piece, labeled=True)])
    count = states.shape[1]
    for unit in units:
        if not 1 <= unit <= count:
            raise UsageError(
                f"invalid value for --unit: '{unit}'", f"{model.name} has units 1 to {count}", flags=("--unit",)
            )
    chosen = responses(states, features, units) if units else clearest_units(states, features, SHOWN_UNITS)
    return count, [UnitActivations(each, states[:, each.unit - 1]) for each in chosen]
