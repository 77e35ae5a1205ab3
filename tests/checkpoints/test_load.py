"""What opens, and what is said of a checkpoint that is none, or does not fit together."""

import dataclasses

import numpy as np
import pytest

from composer.api import CheckpointError
from composer.checkpoints import file as checkpoints
from composer.checkpoints.load import load_model


@pytest.fixture
def damaged(checkpoint, tmp_path):
    """Save the small model with something else in it."""

    def save(weights=None, **header):
        saved = checkpoints.load(checkpoint, half=True)
        path = tmp_path / "damaged.safetensors"
        changed = dataclasses.replace(saved.header, **header)
        checkpoints.save(
            path, checkpoints.Checkpoint(changed, weights(dict(saved.weights)) if weights else saved.weights)
        )
        return path

    return save


def without(weights):
    del weights["output.bias"]
    return weights


def cut(weights):
    weights["lstm.weight_hh_l0"] = weights["lstm.weight_hh_l0"][:, :-1]
    return weights


def short(name):
    """Without the last row of one tensor."""
    return lambda weights: weights | {name: weights[name][:-1]}


def test_a_whole_one_opens(damaged):
    assert load_model(damaged(), "abc").spec.size > 10


@pytest.mark.parametrize(("taught", "most"), [({}, 2000), ({"usual_length": 300}, 300), ({"usual_length": 9000}, 2000)])
def test_pieces_are_no_longer_than_it_was_taught(damaged, taught, most):
    assert load_model(damaged(record=taught)).representation.length == most


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"weights": without}, "do not fit its model"),
        ({"weights": cut}, "do not fit its model"),
        ({"weights": short("embed.weight")}, "do not fit its model"),
        ({"weights": short("output.weight")}, "do not fit its model"),
        ({"weights": short("output.bias")}, "do not fit its model"),
        ({"config": {"hidden": "x"}}, "do not fit its model"),
        ({"config": {"unheard_of": 1}}, "do not fit its model"),
        ({"state": {"characters": "AB"}}, "do not fit together"),
        ({"state": {}}, "cannot restore"),
        ({"record": {"kind": "training"}}, "is a training state"),
        ({"representation_version": 0}, "version 0 of `abc`"),
        ({"model_version": 2}, "version 2 of `lstm`, but version 1 is installed"),
        ({"record": None}, "not a complete checkpoint"),
        ({"representation": ["abc"]}, "not a complete checkpoint"),
    ],
)
def test_one_that_cannot_play_is_named(damaged, change, complaint):
    with pytest.raises(CheckpointError, match=complaint) as caught:
        load_model(damaged(**change), "abc")
    assert caught.value.hint


def test_one_that_was_cut_short_has_no_card_either(damaged):
    path = damaged()
    path.write_bytes(path.read_bytes()[:-10])
    for read in (checkpoints.read_header, checkpoints.load):
        with pytest.raises(CheckpointError, match="not a complete checkpoint"):
            read(path)


def test_weights_come_back_in_full_precision(damaged):
    saved = checkpoints.load(damaged())
    assert {array.dtype for array in saved.weights.values()} == {np.dtype(np.float32)}
