"""Loading models, and errors of checkpoints that do not fit together."""

import dataclasses

import numpy as np
import pytest
from training_record import TRAINING_RECORD

from composer.api import CheckpointError
from composer.checkpoints import file as checkpoints
from composer.checkpoints import tensors
from composer.checkpoints.load import load_model


@pytest.fixture
def damaged(checkpoint, tmp_path):
    """Save the small model with changes."""

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
    """Remove the last row of one tensor."""
    return lambda weights: weights | {name: weights[name][:-1]}


def test_a_valid_checkpoint_opens(damaged):
    assert load_model(damaged(), "abc").spec.size > 10


def test_a_model_that_is_replaced_while_it_is_read(damaged, tmp_path, monkeypatch):
    other = damaged(record={"usual_length": 300}).rename(tmp_path / "other.safetensors")
    path, opened, open_file = damaged(record={"usual_length": 500}), [], tensors._open
    digest = checkpoints.digest(path)

    def open_and_replace(path):
        opened.append(open_file(path))
        other.replace(path)
        return opened[-1]

    monkeypatch.setattr(tensors, "_open", open_and_replace)
    model = load_model(path, "abc")
    assert (model.representation.length, model.digest, len(opened)) == (500, digest, 1)


@pytest.mark.parametrize(
    ("usual", "expected"), [({}, 2000), ({"usual_length": 300}, 300), ({"usual_length": 9000}, 2000)]
)
def test_length_is_limited_by_the_training_data(damaged, usual, expected):
    assert load_model(damaged(record=usual)).representation.length == expected


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
        ({"record": TRAINING_RECORD}, "is a training state"),
        ({"representation_version": 0}, "version 0 of `abc`"),
        ({"model": "gone"}, "made with the model `gone`, which is not installed"),
        ({"model_version": 2}, "version 2 of `lstm`, but version 1 is installed"),
        ({"record": None}, "not a complete checkpoint"),
        ({"representation": ["abc"]}, "not a complete checkpoint"),
        ({"model": "a\nb"}, "not a complete checkpoint"),
    ],
)
def test_unusable_checkpoints(damaged, change, complaint):
    with pytest.raises(CheckpointError, match=complaint) as caught:
        load_model(damaged(**change), "abc")
    assert caught.value.hint


def test_a_truncated_checkpoint_has_no_card(damaged):
    path = damaged()
    path.write_bytes(path.read_bytes()[:-10])
    for read in (checkpoints.read_header, checkpoints.load):
        with pytest.raises(CheckpointError, match="not a complete checkpoint"):
            read(path)


def test_weights_are_fp32(damaged):
    saved = checkpoints.load(damaged())
    assert {array.dtype for array in saved.weights.values()} == {np.dtype(np.float32)}
