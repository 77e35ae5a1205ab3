"""Probabilities of a frame's units from counts, with Witten-Bell smoothing, in numpy.

Each unit is a Markov chain of its own: whether it is on depends on whether it was on in the last frames. The equations
are those of `token_tables`, with two tokens, off and on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1
"""The value of a unit in a frame that is not known."""


class FrameTables:
    """Tables of the orders 0 to `order` for frames of `size` units.

    `counts` (size, 2^order, 2): how often each unit was off and on after each context. Bit i of a context is the unit
    i + 1 frames ago. Contexts of frames (B, order, size) hold the oldest frame first. Raises ValueError for what cannot
    be counts.
    """

    def __init__(self, size: int, order: int, counts: NDArray[Any]) -> None:
        counts = np.asarray(counts, np.int64)
        if counts.shape != (size, 2**order, 2) or counts.min() < 0:
            raise ValueError("the counts do not have the shape of these frames, or are negative")
        prob = np.full((size, 1), 0.5)
        for j in range(order + 1):
            level = counts.reshape(size, 2 ** (order - j), 2**j, 2).sum(1)
            total, distinct = level.sum(2), (level > 0).sum(2)
            shorter = np.tile(prob, (1, 2)) if j else prob  # without the oldest frame, the highest bit
            mixed = (level[:, :, 1] + distinct * shorter) / np.maximum(total + distinct, 1)
            prob = np.where(total > 0, mixed, shorter)
        self.order = order
        self._logits = np.log(prob) - np.log1p(-prob)

    def logits(self, contexts: NDArray[Any]) -> NDArray[np.float64]:
        """Return the logits (B, size) of the frames after `contexts` (B, order, size)."""
        return np.asarray(self._logits[np.arange(len(self._logits)), context_numbers(contexts, self.order)])


def context_numbers(contexts: NDArray[Any], order: int) -> NDArray[np.int64]:
    """Return the number (B, size) of each unit's context; what is not known counts as off."""
    numbers = np.zeros((len(contexts), contexts.shape[2]), np.int64)
    for lag in range(1, order + 1):
        numbers += (contexts[:, -lag] > 0).astype(np.int64) << (lag - 1)
    return numbers
