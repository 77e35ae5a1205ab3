"""Numpy samplers and torch networks have the same methods, with the same parameters in the same order."""

import inspect

import pytest

from composer.api.network import Network
from composer.api.sampler import BlockSampler, Sampler
from composer.api.sampling import filters, rng, torch_filters, torch_rng
from composer.toolkit.models.embedded_numpy import EmbeddedSampler
from composer.toolkit.models.embedded_torch import EmbeddedNetwork
from composer.toolkit.models.nade_numpy import NadeSampler
from composer.toolkit.models.nade_torch import NadeDistribution
from composer.toolkit.models.stepwise_numpy import StepwiseSampler
from composer.toolkit.models.stepwise_torch import StepwiseNetwork

TWINS = [
    (filters, torch_filters, {"draw_tokens", "draw_frames", "frame_log_prob"}),
    (filters.BatchSamplingParams, torch_filters.TorchSamplingParams, {"at_step"}),
    (rng.StepRNG, torch_rng.TorchStepRNG, {"uniform"}),
    (rng.RNGStream, torch_rng.TorchCounterRNG, {"at_step"}),
    (NadeSampler, NadeDistribution, {"draw", "log_prob"}),
    (StepwiseSampler, StepwiseNetwork, {"initial_state", "advance", "sample", "gather_rows", "log_prob"}),
    (EmbeddedSampler, EmbeddedNetwork, {"initial_core_state", "core"}),
    (Sampler, Network, {"initial_state", "advance", "sample", "gather_rows", "log_prob"}),
    (BlockSampler, StepwiseNetwork, {"run"}),
]
CONSTRUCTORS = {"__init__", "initial_layer_states", "from_params", "for_rows", "to_numpy"}
"""Numpy gets weights and labels where torch gets sizes and indices."""
ONLY_TORCH = {"reset"}
"""Pieces begin inside a window only in training."""


def functions(owner):
    """Return the public functions of a module, or methods of a class, by name."""
    own = owner.__name__ if inspect.ismodule(owner) else None
    members = inspect.getmembers(owner, inspect.isfunction)
    return {name: each for name, each in members if name[0] != "_" and (own is None or each.__module__ == own)}


def parameters(function):
    return [
        (each.name, each.kind, each.default) for each in inspect.signature(function).parameters.values()
        if each.name not in ONLY_TORCH
    ]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "expected"), TWINS, ids=lambda owner: getattr(owner, "__name__", ""))
def test_twins_have_the_same_parameters(one, other, expected):
    ours, theirs = functions(one), functions(other)
    shared = ours.keys() & theirs.keys() - CONSTRUCTORS
    assert expected <= shared
    for name in sorted(shared):
        assert parameters(ours[name]) == parameters(theirs[name]), name
