"""Exponential moving average of the weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from composer.checkpoints.file import load
from composer.training.ema import EMA
from composer.training.events import Validated
from composer.training.trainer import Trainer


def test_exponential_decay():
    network = torch.nn.Linear(1, 1, bias=False)
    average, expected = EMA(network, 0.5), network.weight.item()
    for step in range(1, 30):
        with torch.no_grad():
            network.weight.fill_(step)
        average.update(step)
        share = min(0.5, (1 + step) / (10 + step))
        expected = share * expected + (1 - share) * step
    with average.applied():
        assert network.weight.item() == pytest.approx(expected)
        assert 27.9 < expected < 28.1
    assert network.weight.item() == 29


def test_initial_weights_fade_fast():
    network = torch.nn.Linear(1, 1, bias=False)
    average = EMA(network, 0.999)
    with torch.no_grad():
        network.weight.fill_(1000.0)
    average.update(0)
    with torch.no_grad():
        network.weight.fill_(1.0)
    for step in range(1, 200):
        average.update(step)
    with average.applied():
        assert network.weight.item() == pytest.approx(1.0, abs=1e-3)


def test_the_average_is_validated_and_saved(run, changed, events):
    averaged = replace(changed(run, ema=0.9, patience=0), path=run.path.with_name("averaged.safetensors"))
    plain, averages = ([each.value for each in events(each, Validated)] for each in (run, averaged))
    assert len(plain) == len(averages) == 4
    assert plain != averages
    kept = load(averaged.path).weights
    assert any(not np.array_equal(kept[name], each) for name, each in load(run.path).weights.items())


def test_the_trained_weights_do_not_change(run, changed, events, weights):
    averaged = replace(changed(run, ema=0.9), path=run.path.with_name("averaged.safetensors"))
    events(run)
    events(averaged)
    without, beside = weights(run), weights(averaged)
    assert all(np.array_equal(each, beside[name]) for name, each in without.items())
    assert {name.split("/")[0] for name in beside.keys() - without.keys()} == {"ema"}


@pytest.mark.parametrize("stop_at", [3, 10])
def test_resuming_continues_the_average(run, changed, events, weights, same, stop_at):
    run = changed(run, ema=0.9)
    other, calls = replace(run, path=run.path.with_name("other.safetensors")), []
    events(run)
    events(replace(other, stop=lambda: calls.append(1) or len(calls) == stop_at))
    events(replace(other, resume=True))
    assert same(weights(run), weights(other))
    assert same(load(run.path).weights, load(other.path).weights)


def test_resuming_can_start_an_average(run, changed, events):
    calls = []
    events(replace(run, stop=lambda: calls.append(1) or len(calls) == 10))
    assert events(replace(changed(run, ema=0.9), resume=True))[-1].reason == "done"


def test_validating_does_not_change_the_network(run, changed):
    trainer = Trainer.start(changed(run, ema=0.9))
    trainer.start_phase(trainer.network.phases()[0])
    for batch in run.train_batches.epoch_batches(0):
        trainer.train_step(batch, 0.05)
    before = {name: tensor.clone() for name, tensor in trainer.network.state_dict().items()}
    trainer.validate()
    trainer.checkpoint()
    assert all(torch.equal(before[name], tensor) for name, tensor in trainer.network.state_dict().items())
