"""Methods of models that are broken: each is one line that names the plugin and the method."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from broken_plugins import Small, Words, broken, draws, gives, names_the_plugin, raises, with_network, with_sampler

from composer.registry import model_checks
from composer.registry.result_checks import InvalidResult

IN_TRAINING = {
    "network raises": ({"network": raises(RuntimeError("sizes"))}, "failed in network: RuntimeError: sizes"),
    "network gives None": ({"network": gives(None)}, "failed in network: it returned None, not a Network"),
    "loss raises": (with_network(loss=raises(IndexError("dim"))), "failed in loss: IndexError: dim"),
    "loss gives a number": (with_network(loss=gives(1.5)), "failed in loss: it returned 1.5, not a Loss"),
    "evaluate gives None": (with_network(evaluate=gives(None)), "failed in evaluate: it returned None"),
    "no phases": (with_network(phases=gives([])), "failed in phases: it returned []"),
}

IN_GENERATION = {
    "sampler lacks methods": ({"sampler": gives("table")}, "failed in sampler: it returned 'table', which lacks"),
    "sampler in torch": (
        {"sampler": lambda self, spec, config, weights: __import__("torch").nn.Linear(1, 1)},
        "failed in sampler: it returned Linear, a module of torch, not a Sampler in numpy",
    ),
    "sample raises": (with_sampler(sample=raises(IndexError("7"))), "failed in sample: IndexError: 7"),
    "sample exits": (with_sampler(sample=raises(SystemExit(0))), "failed in sample: SystemExit: 0"),
    "sample gives None": (with_sampler(sample=gives(None)), "failed in sample: it returned None, not a Draw"),
    "logits are NaN": (with_sampler(sample=draws(logp=np.array([np.nan]))), "probability of a step is NaN"),
    "wrong shape": (with_sampler(sample=draws(logp=np.zeros(3))), "failed in sample: steps and logp must have"),
    "step too large": (
        with_sampler(sample=draws(steps=np.array([99]))),
        "failed in sample: step 99 is not from 0",
    ),
    "log_prob of one number": (
        with_sampler(log_prob=gives(-1.0)),
        "failed in log_prob: log-probabilities must be",
    ),
}


@pytest.mark.parametrize("case", IN_TRAINING)
def test_in_training(train, case):
    members, reason = IN_TRAINING[case]
    names_the_plugin(train(Words, broken(Small, members)), reason)


@pytest.mark.parametrize("case", IN_GENERATION)
def test_in_generation(gen, case):
    members, reason = IN_GENERATION[case]
    names_the_plugin(gen(Words, broken(Small, members)), reason)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (None, "it returned None, not activations and a state"),
        ((torch.zeros(2, 4), None), r"must have the shape \(2, 3, 'U'\), not \(2, 4\)"),
        ((torch.full((2, 3, 1), torch.nan), None), "an activation is not finite"),
    ],
)
def test_hidden_states(given, reason):
    batch = SimpleNamespace(inputs=torch.zeros(2, 3))
    with pytest.raises(InvalidResult, match=reason):
        model_checks.hidden_states(given, None, batch, None)
