"""Fine-tuning: it begins with a checkpoint, is gone on with like any training, and what it saves is plain."""

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


def test_fine_tuning_begins_with_the_weights_of_a_checkpoint(run, tmp_path, events, changed, same):
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


def test_what_it_starts_from_stays_where_nothing_better_comes(run, tmp_path, events, changed, same):
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


def test_a_fine_tuning_can_be_gone_on_with(run, letters, tmp_path, events):
    """Its representation is still the checkpoint's, though the new pieces alone would give another vocabulary."""
    events(run)
    (tmp_path / "new.txt").write_text("abcabc bcabca cabcab")
    data = prepare(letters, [str(tmp_path / "new.txt")], SplitSettings(valid=0), fitted=True)
    tuned = replace(run, path=tmp_path / "tuned.safetensors", origin=load(run.path), data=data)
    events(replace(tuned, stop=lambda: True))
    header, other = saved_header(tuned.path), type(letters)()
    first = resume.original_arguments(header, other)
    again = prepare(other, first.arguments, first.split, augment=first.augment, fitted=first.fitted)
    gone_on = replace(tuned, resume=True, origin=None, representation=other, data=again)
    assert events(gone_on)[-1].reason == "done"
    assert read_header(tuned.path).record["from"]["data"] == ["tunes"]


def test_fine_tuning_with_another_vocabulary_is_refused(run, letters, tunes, events):
    events(run)
    (tunes / "new.txt").write_text("xyz " * 3)
    data = prepare(letters, [str(tunes)], SplitSettings(valid=0.2))
    with pytest.raises(CheckpointError, match="vocabulary of the checkpoint"):
        events(replace(run, data=data, origin=load(run.path)))


def test_opening_an_origin_of_another_representation_is_refused(run, events):
    events(run)
    with pytest.raises(CheckpointError, match="is a model for `letters`, not `abc`"):
        open_checkpoint(run.path, "abc", "train {} --from")


def test_the_checkpoint_of_a_fine_tuning_is_plain(run, events):
    """What is saved can be read without this program's classes: plain JSON and arrays."""
    events(run)
    arrays, text = checkpoint_file.load_arrays(run.path)
    assert json.loads(text)["representation"] == "letters"
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
