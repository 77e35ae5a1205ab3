"""The training loop: events, best checkpoint, early stopping, snapshots."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from composer.api import CheckpointError
from composer.checkpoints import network as checkpoint_network
from composer.checkpoints.file import load, read_header
from composer.checkpoints.training_files import state_path
from composer.data.dataset import prepare
from composer.data.splits import SplitSettings
from composer.training.events import Finished, Prepared, Saved, Snapshot, Started, Updated, Validated
from composer.training.loop import train
from composer.training.optimizer import bf16_obstacle
from composer.training.resume import saved_header


def test_events(run, events):
    found = events(run)
    assert [type(event) for event in found[:3]] == [Prepared, Started, Updated]
    assert type(found[-1]) is Finished
    started = found[1]
    assert (started.update, started.updates, started.device) == (0, 20, "cpu")
    assert sum(started.pieces) == 60
    assert [event.update for event in found if isinstance(event, Updated)] == list(range(1, 21))
    assert [event.update for event in found if isinstance(event, Validated)] == [5, 10, 15, 20]
    assert found[-1].reason == "done"
    assert all(json.dumps(event.to_json()) for event in found)


def test_the_loss_falls(run, events, changed):
    values = [event.value for event in events(changed(run, max_updates=150, validate_every=25), Validated)]
    assert values[-1] < values[0] - 0.1


def test_the_best_checkpoint_and_its_record(run, events):
    found = events(run)
    best = min(event.value for event in found if isinstance(event, Validated))
    assert found[-1].best == best
    record = read_header(run.path).record
    assert record["best"] == best
    assert record["finished"] is True
    assert (record["data"], record["updates"], record["unit"]) == (["tunes"], 20, "bits per step")
    assert record["pieces"]["train"] + record["pieces"]["valid"] == 60
    assert record["usual_length"] == np.diff(run.data.splits["train"].offsets).max()  # fewer pieces than 200
    assert str(run.path.parent) not in run.path.read_bytes().decode("latin-1")
    assert all(array.dtype == np.float16 for array in load(run.path, half=True).weights.values())


def test_the_validated_model_is_the_saved_one(run, events):
    found = events(run)
    saved = load(run.path)
    network = run.model.network(run.data.spec, run.config).eval()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in saved.weights.items()})
    total, state = 0.0, None
    for batch in run.valid_batches.epoch_batches(0):
        measure, state = network.evaluate(batch, state)
        total += measure.total
    assert total / run.data.splits["valid"].count == pytest.approx(found[-1].best, abs=1e-3)


def test_two_runs_are_equal(run, tmp_path, events, changed, weights, same):
    events(run)
    other = replace(run, path=tmp_path / "other.safetensors")
    events(other)
    assert same(weights(run), weights(other))
    third = replace(changed(run, seed=1), path=tmp_path / "third.safetensors")
    events(third)
    assert not same(weights(run), weights(third))


def test_early_stopping(run, events, changed):
    stuck = changed(run, lr=1e-12, max_updates=0, patience=3, schedule="constant")
    found = events(stuck)
    validated = [event for event in found if isinstance(event, Validated)]
    assert found[-1].reason == "early"
    assert [event.best for event in validated[-3:]] == [False] * 3
    again = events(replace(stuck, resume=True))
    assert len([event for event in again if isinstance(event, Validated)]) == 3
    assert (again[-1].reason, again[-1].update) == ("early", found[-1].update + 15)


def test_snapshots(run, events, changed, same):
    found = events(changed(run, snapshots=(0, 7, 20)))
    snapshots = [event for event in found if isinstance(event, Snapshot)]
    assert [event.update for event in snapshots] == [0, 7, 20]
    headers = [read_header(event.path) for event in snapshots]
    assert [header.record["update"] for header in headers] == [0, 7, 20]
    assert {header.record["kind"] for header in headers} == {"snapshot"}
    assert not same(load(snapshots[0].path).weights, load(snapshots[1].path).weights)


def test_snapshots_after_epochs(run, events, changed):
    per_epoch = run.train_batches.batches_per_epoch
    found = events(changed(run, max_updates=3 * per_epoch, snapshots=(1,), snapshot_epochs=(1, 3, 4)), Snapshot)
    assert [event.update for event in found] == [1, per_epoch, 3 * per_epoch]


def test_without_validation_the_latest_weights_are_saved(run, letters, tunes, events, weights, same):
    found = events(replace(run, data=prepare(letters, [str(tunes)], SplitSettings(valid=0))))
    assert not [event for event in found if isinstance(event, Validated)]
    assert found[-1].best is None
    latest = {name.removeprefix("weights/"): a for name, a in weights(run).items() if name.startswith("weights/")}
    assert same({name: a.astype(np.float16) for name, a in latest.items()}, load(run.path, half=True).weights)


def test_a_full_disk_keeps_the_earlier_checkpoint(run, monkeypatch):
    stream = train(run)
    for event in stream:
        if isinstance(event, Saved):
            break
    before = run.path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="No space left on device"):
        list(stream)
    assert run.path.read_bytes() == before
    assert {path for path in run.path.parent.rglob("*") if path.is_file()} == {run.path, state_path(run.path)}


def test_a_new_training_removes_an_old_state(run, events):
    events(run)
    stream = train(run)
    next(event for event in stream if isinstance(event, Started))
    assert saved_header(run.path).record["progress"]["update"] == 0


@pytest.mark.skipif(bool(bf16_obstacle("cpu")), reason="this processor does not train in bf16")
def test_bf16(run, events, changed):
    found = events(changed(run, precision="bf16", max_updates=5))
    assert next(event for event in found if isinstance(event, Started)).precision == "bf16"
    assert found[-1].update == 5


def test_a_model_that_is_too_large_for_a_file_is_not_trained(run, monkeypatch):
    monkeypatch.setattr(checkpoint_network, "MAX_BYTES", 1000)
    with pytest.raises(CheckpointError, match="this model would have 0 MB, more than 0 MB") as caught:
        list(train(run))
    assert "COMPOSER_LIMITS=" in caught.value.hint
    assert not run.path.parent.exists()


def test_a_model_that_grows_beyond_the_limit_is_saved(run, events, monkeypatch):
    """The counts of a Markov chain grow while it is trained."""
    monkeypatch.setattr(load, "__defaults__", (False, 100, None))
    assert events(run)[-1].reason == "done"
    with pytest.raises(CheckpointError, match="more than"):
        load(run.path)
    assert events(replace(run, resume=True))[-1].reason == "done"
    assert read_header(run.path).record["finished"] is True
