"""The average of the weights is what is measured and kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from composer.checkpoints.file import load
from composer.training.ema import EMA
from composer.training.events import Validated
from composer.training.trainer import Trainer


def test_an_average_counts_the_older_less_and_less():
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


def test_the_first_steps_are_soon_forgotten():
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


def test_it_is_what_is_measured_and_kept(run, changed, events):
    averaged = replace(changed(run, ema=0.9, patience=0), path=run.path.with_name("averaged.safetensors"))
    plain, told = ([each.value for each in events(each, Validated)] for each in (run, averaged))
    assert len(plain) == len(told) == 4
    assert plain != told
    kept = load(averaged.path).weights
    assert any(not np.array_equal(kept[name], each) for name, each in load(run.path).weights.items())


def test_the_weights_that_descend_are_as_without_it(run, changed, events, weights):
    averaged = replace(changed(run, ema=0.9), path=run.path.with_name("averaged.safetensors"))
    events(run)
    events(averaged)
    without, beside = weights(run), weights(averaged)
    assert all(np.array_equal(each, beside[name]) for name, each in without.items())
    assert {name.split("/")[0] for name in beside.keys() - without.keys()} == {"ema"}


@pytest.mark.parametrize("stop_at", [3, 10])
def test_an_interrupted_training_goes_on_with_its_average(run, changed, events, weights, same, stop_at):
    run = changed(run, ema=0.9)
    other, told = replace(run, path=run.path.with_name("other.safetensors")), []
    events(run)
    events(replace(other, stop=lambda: told.append(1) or len(told) == stop_at))
    events(replace(other, resume=True))
    assert same(weights(run), weights(other))
    assert same(load(run.path).weights, load(other.path).weights)


def test_a_training_that_had_none_can_begin_one(run, changed, events):
    told = []
    events(replace(run, stop=lambda: told.append(1) or len(told) == 10))
    assert events(replace(changed(run, ema=0.9), resume=True))[-1].reason == "done"


def test_measuring_leaves_the_network_as_it_was(run, changed):
    learner = Trainer.start(changed(run, ema=0.9))
    learner.start_phase(learner.network.phases()[0])
    for batch in run.train_batches.epoch_batches(0):
        learner.train_step(batch, 0.05)
    before = {name: tensor.clone() for name, tensor in learner.network.state_dict().items()}
    learner.validate()
    learner.checkpoint()
    assert all(torch.equal(before[name], tensor) for name, tensor in learner.network.state_dict().items())
