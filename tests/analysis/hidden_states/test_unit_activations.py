"""Units over a piece: where an activation is between the lowest and the highest."""

import numpy as np

from composer.analysis.hidden_states import unit_activations
from composer.analysis.hidden_states.unit_activations import UnitActivations
from composer.analysis.hidden_states.unit_features import UnitResponse

RESPONSE = UnitResponse(1, "pitch", 0.5, 5)


def test_levels_and_distances():
    unit = UnitActivations(RESPONSE, np.array([-1, 0, 0, 1, 3], np.float32))
    assert (unit.lowest, unit.median, unit.highest) == (-1, 0, 3)
    assert [unit.level(float(value), 4) for value in unit.activations] == [0, 1, 1, 2, 3]
    assert [unit.distance(value) for value in (-1, 0, 3)] == [-1 / 3, 0, 1]


def test_a_piece_without_steps():
    unit = UnitActivations(RESPONSE, np.zeros(0, np.float32))
    assert (unit.lowest, unit.median, unit.highest) == (0, 0, 0)


def test_long_pieces_are_measured_once(monkeypatch):
    """With each step measured again, the time would grow with the square of the steps."""
    unit = UnitActivations(RESPONSE, np.arange(9, dtype=np.float32))
    expected = [unit.distance(value) for value in range(9)], [unit.level(value, 8) for value in range(9)]
    monkeypatch.setattr(unit_activations, "np", None)
    unit.activations[:] = 0
    assert ([unit.distance(value) for value in range(9)], [unit.level(value, 8) for value in range(9)]) == expected
