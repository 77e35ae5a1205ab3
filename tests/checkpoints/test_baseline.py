"""The baseline in a checkpoint: its arrays survive, and damaged ones are reported."""

from dataclasses import replace

import numpy as np
import pytest

from composer.api import CheckpointError, SequenceSpec, StepKind
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints.baseline import Baseline, baseline_of, pack_baseline
from composer.checkpoints.file import Checkpoint, Header

SPEC = SequenceSpec(StepKind.TOKENS, 3, 0)
HEADER = Header("abc", 1, {}, {}, "lstm", {}, SPEC)


def checkpoint_with(arrays):
    return Checkpoint(HEADER, {"w": np.zeros(2, np.float16)}, extra=arrays)


def test_a_baseline_survives_a_checkpoint_file(tmp_path):
    weights = {
        "ngrams": np.array([0, 5, 2**62, 3]),
        "counts": np.arange(12, dtype=np.int32).reshape(2, 3, 2) * -7,
        "nothing": np.zeros(0, np.uint8),
    }
    path = tmp_path / "m.safetensors"
    checkpoint_file.save(path, checkpoint_with(pack_baseline(Baseline("markov", 2, {"order": 3}, weights))))
    found = baseline_of(checkpoint_file.load(path))
    assert (found.model, found.version, found.config, found.name) == ("markov", 2, {"order": 3}, "markov order 3")
    assert found.weights.keys() == weights.keys()
    for name, array in weights.items():
        assert found.weights[name].dtype == array.dtype
        assert np.array_equal(found.weights[name], array)


def test_a_checkpoint_without_a_baseline():
    assert pack_baseline(None) == {}
    assert baseline_of(checkpoint_with({})) is None


@pytest.mark.parametrize("cut", [5, -3])
def test_a_damaged_baseline_is_reported(cut):
    whole = pack_baseline(Baseline("markov", 1, {"order": 0}, {"counts": np.arange(50)}))
    damaged = replace(checkpoint_with({}), extra={"baseline": whole["baseline"][:cut]})
    with pytest.raises(CheckpointError, match="cannot read the baseline"):
        baseline_of(damaged)
