"""Frames as one value for each pitch, as some systems have them: 1 where a note is struck, .5 where it is held."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from composer.api import SequenceSpec

VALUES = {"onset": 1.0, "on": 1.0, "hold": 0.5}

JITTER = ((0.0, 0.0, 0.1), (0.25, 0.4, 0.6), (0.75, 0.8, 1.0))
"""Blurred values: what is at least the first number lies between the other two."""


def pitch_values(spec: SequenceSpec) -> NDArray[np.float32]:
    """What each unit of a frame adds to each input: (V, P).

    There is an input for each pitch at each substep, and one for each unit that belongs to no group.
    """
    places: dict[tuple[int, int], int] = {}
    found = []
    for group in spec.groups:
        for unit in range(group.start, group.stop):
            place = (group.substep, group.lowest + unit - group.start)
            found.append((unit, places.setdefault(place, len(places)), VALUES[group.role]))
    alone = sorted(set(range(spec.size)) - {unit for unit, _, _ in found})
    found += [(unit, len(places) + number, 1.0) for number, unit in enumerate(alone)]
    values = np.zeros((spec.size, len(places) + len(alone)), np.float32)
    for unit, column, value in found:
        values[unit, column] = value
    return values
