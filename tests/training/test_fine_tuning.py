"""Fine-tuning a checkpoint, and resuming that."""

import json
from dataclasses import replace

import numpy as np
import pytest

from composer.api import CheckpointError
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints.file import load, read_header
from composer.checkpoints.load import open_checkpoint
from composer.data.dataset import prepare
from composer.data.splits import SplitSettings
from composer.training import resume
from composer.training.events import Snapshot, Validated
from composer.training.resume import saved_header


def test_fine_tuning_starts_from_the_weights_of_a_checkpoint(run, tmp_path, events, changed, same):
    events(run)
    origin = load(run.path)
    tuned = replace(changed(run, snapshots=(0,)), path=tmp_path / "tuned.safetensors", origin=origin)
    (first, *_), last = events(tuned, Snapshot), read_header(tuned.path)
    assert same(load(first.path).weights, origin.weights)
    assert last.record["from"] == {
        "data": ["tunes"],
        "update": read_header(run.path).record["update"],
        "digest": checkpoint_file.digest(run.path),
    }


def test_the_origin_stays_if_nothing_is_better(run, tmp_path, events, changed, same):
    events(changed(run, max_updates=100))
    origin = load(run.path)
    spoilt = replace(changed(run, lr=5.0), path=tmp_path / "tuned.safetensors", origin=origin)
    first, *others = events(spoilt, Validated)
    assert (first.update, first.best) == (0, True)
    assert first.value == pytest.approx(read_header(run.path).record["best"], abs=0.01)  # weights are kept as fp16
    assert all(each.value > first.value and not each.best for each in others)
    record = read_header(spoilt.path).record
    assert (record["best"], record["best_update"]) == (first.value, 0)
    assert same(load(spoilt.path).weights, origin.weights)


def test_resuming_a_fine_tuning(run, letters, tmp_path, events):
    """The representation is that of the checkpoint, although the new pieces have another vocabulary."""
    events(run)
    (tmp_path / "new.txt").write_text("abcabc bcabca cabcab")
    data = prepare(letters, [str(tmp_path / "new.txt")], SplitSettings(valid=0), fitted=run.data.spec)
    tuned = replace(run, path=tmp_path / "tuned.safetensors", origin=load(run.path), data=data)
    events(replace(tuned, stop=lambda: True))
    header, other = saved_header(tuned.path), type(letters)()
    first = resume.original_arguments(header, other)
    again = prepare(other, first.arguments, first.split, augment=first.augment, fitted=first.fitted)
    gone_on = replace(tuned, resume=True, origin=None, representation=other, data=again)
    assert events(gone_on)[-1].reason == "done"
    assert read_header(tuned.path).record["from"]["data"] == ["tunes"]


def test_another_vocabulary_is_an_error(run, letters, tunes, events):
    events(run)
    (tunes / "new.txt").write_text("xyz " * 3)
    data = prepare(letters, [str(tunes)], SplitSettings(valid=0.2))
    with pytest.raises(CheckpointError, match="vocabulary of the checkpoint"):
        events(replace(run, data=data, origin=load(run.path)))


def test_another_representation_is_an_error(run, events):
    events(run)
    with pytest.raises(CheckpointError, match="is a model for `letters`, not `abc`"):
        open_checkpoint(run.path, "abc", "train {} --from")


def test_the_checkpoint_of_a_fine_tuning_is_plain_data(run, events):
    """It can be read without this program's classes: plain JSON and arrays."""
    events(run)
    arrays, text = checkpoint_file.load_arrays(run.path)
    assert json.loads(text)["representation"] == "letters"
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
