"""Diverged training is an error, and keeps earlier models."""

from dataclasses import replace

import pytest
import torch

from composer.checkpoints.training_files import state_path
from composer.data.dataset import prepare
from composer.data.splits import SplitSettings
from composer.training import trainer as trainer_module
from composer.training.divergence import Diverged
from composer.training.loop import train


def test_a_loss_that_is_not_finite(run, changed):
    found = []
    with pytest.raises(Diverged, match=r"diverged at update \d+: the loss is") as caught:
        found.extend(train(changed(run, lr=1000.0, max_grad_norm=0.0, optimizer="sgd", warmup=0)))
    assert "--lr" in caught.value.hint


@pytest.mark.parametrize("valid", [0.2, 0])
def test_a_loss_far_worse_than_guessing(run, letters, tunes, valid, events, changed):
    """The losses are finite, and the name is free for another try."""
    data = prepare(letters, [str(tunes)], SplitSettings(valid=valid))
    with pytest.raises(Diverged, match=r"diverged at update 5: the loss is .* nats per step; a uniform guess has 2\.2"):
        events(replace(changed(run, lr=1000.0), data=data))
    assert not list(run.path.parent.glob("*.safetensors"))


def test_a_saved_model_stays_when_training_diverges(run, events, changed):
    events(changed(run, max_updates=5, schedule="constant"))
    before = run.path.read_bytes()
    with pytest.raises(Diverged):
        events(replace(changed(run, lr=1000.0, schedule="constant"), resume=True))
    assert run.path.read_bytes() == before
    assert state_path(run.path).is_file()
    state = state_path(run.path).read_bytes()
    with pytest.raises(Diverged):
        events(changed(run, lr=1000.0))
    assert (run.path.read_bytes(), state_path(run.path).read_bytes()) == (before, state)


def test_weights_that_are_not_finite(run, monkeypatch, events):
    proper = trainer_module.Trainer.train_step

    def infinite(self, batch, lr):
        step = proper(self, batch, lr)
        with torch.no_grad():
            self.network.output.bias.fill_(float("inf") if self.progress.update == 3 else 0)
        return step

    monkeypatch.setattr(trainer_module.Trainer, "train_step", infinite)
    with pytest.raises(Diverged, match="diverged at update 3: its weights are infinite or nan"):
        events(run)
