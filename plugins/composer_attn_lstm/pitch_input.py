"""Frames as one value per pitch: 1 for an onset, .5 for a hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from composer.api import SequenceSpec

VALUES = {"onset": 1.0, "on": 1.0, "hold": 0.5}

JITTER = ((0.0, 0.0, 0.1), (0.25, 0.4, 0.6), (0.75, 0.8, 1.0))
"""Ranges of noisy values: (minimum of the value, low, high); the last match applies."""


def pitch_values(spec: SequenceSpec) -> NDArray[np.float32]:
    """Return how much each unit of a frame adds to each input: (V, P).

    There is one input per pitch and substep, and one per unit without a group.
    """
    places: dict[tuple[int, int], int] = {}
    entries = []
    for group in spec.groups:
        for unit in range(group.start, group.stop):
            place = (group.substep, group.lowest + unit - group.start)
            entries.append((unit, places.setdefault(place, len(places)), VALUES[group.role]))
    alone = sorted(set(range(spec.size)) - {unit for unit, _, _ in entries})
    entries += [(unit, len(places) + number, 1.0) for number, unit in enumerate(alone)]
    values = np.zeros((spec.size, len(places) + len(alone)), np.float32)
    for unit, column, value in entries:
        values[unit, column] = value
    return values
