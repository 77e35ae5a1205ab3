"""A short training of a small model, and its results."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_plugins import letters, tiny, tunes

from composer.checkpoints.file import load
from composer.checkpoints.training_files import state_path
from composer.data.dataset import prepare
from composer.data.splits import SplitSettings
from composer.training.loop import train
from composer.training.run import TrainingRun
from composer.training.settings import Settings

__all__ = ["changed", "events", "letters", "run", "same", "tiny", "tunes", "weights"]

QUICK = Settings(
    max_updates=20, epochs=100, batch_size=4, seq_length=16, validate_every=5, save_every=0, lr=0.01, precision="fp32"
)


@pytest.fixture
def run(letters, tiny, tunes, tmp_path):
    """A training of 20 updates that has not started."""
    torch.set_num_threads(1)  # more would be slower for so little work
    data = prepare(letters, [str(tunes)], SplitSettings(valid=0.2))
    return TrainingRun(tiny, tiny.Config(), letters, data, tmp_path / "out" / "m.safetensors", QUICK)


@pytest.fixture
def events():
    """Train to the end: `events(run)` are all events, `events(run, Saved)` those of one class."""

    def of(run, kind=object):
        return [event for event in train(run) if isinstance(event, kind)]

    return of


@pytest.fixture
def changed():
    """Return a run with other settings: `changed(run, lr=0.1)`."""

    def with_settings(run, **settings):
        return replace(run, settings=replace(run.settings, **settings))

    return with_settings


@pytest.fixture
def weights():
    """Return all arrays of a saved training state: `weights(run)`."""

    def on_disk(run):
        return load(state_path(run.path)).weights

    return on_disk


@pytest.fixture
def same():
    """Return whether two sets of arrays are equal bit by bit."""

    def compare(ours, theirs):
        return ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in ours)

    return compare
