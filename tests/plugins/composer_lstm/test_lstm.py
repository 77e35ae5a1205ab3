"""The lstm plugin: contract, settings, resets, conditions and sampler."""

import numpy as np
import pytest
import torch

from composer.api import CheckpointError, OptionError, SequenceSpec, StepKind
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG
from composer.api.testing import check_model
from composer.checkpoints.network import load_weights
from composer.toolkit.models.embedded_torch import _segments
from composer_lstm import Lstm, LstmConfig

TOKENS = SequenceSpec(StepKind.TOKENS, size=9, end=0)


class FramesLstm(Lstm):
    accepts = frozenset({StepKind.FRAMES})


class TokensLstm(Lstm):
    accepts = frozenset({StepKind.TOKENS})


@pytest.mark.parametrize("layers", [1, 3])
def test_contract(layers):
    check_model(Lstm, hidden=12, embedding=6, layers=layers)


def test_contract_with_nade():
    check_model(FramesLstm, hidden=12, embedding=6, output="nade", nade_units=10)


def test_contract_with_tied_weights():
    check_model(TokensLstm, hidden=12, embedding=6, tied=True)


def test_tied_weights_are_one_parameter():
    network = Lstm().network(TOKENS, LstmConfig(hidden=8, embedding=3, tied=True))
    assert network.embed.weight is network.output.weight
    assert network.embed.weight.shape == (9, 8)
    with torch.no_grad():
        network.embed.weight.normal_()
    restored = Lstm().network(TOKENS, LstmConfig(hidden=8, embedding=3, tied=True))
    restored.load_state_dict(network.state_dict())
    assert torch.equal(restored.output.weight, network.embed.weight)
    assert len(list(network.parameters())) == len(list(Lstm().network(TOKENS, LstmConfig()).parameters())) - 1


def test_untied_weights_do_not_load_into_a_tied_network():
    untied = Lstm().network(TOKENS, LstmConfig(hidden=8, embedding=8))
    weights = {name: tensor.numpy() for name, tensor in untied.state_dict().items()}
    load_weights(Lstm().network(TOKENS, LstmConfig(hidden=8, embedding=8)), weights, "the checkpoint")
    with pytest.raises(CheckpointError, match="do not fit the model"):
        load_weights(Lstm().network(TOKENS, LstmConfig(hidden=8, tied=True)), weights, "the checkpoint")


def test_frames_cannot_be_tied():
    with pytest.raises(OptionError, match="`tied` needs a representation of tokens"):
        Lstm().check(StepKind.FRAMES, LstmConfig(tied=True))


@pytest.mark.parametrize("name", ["hidden", "layers", "embedding", "condition"])
def test_sizes_must_be_positive(name):
    with pytest.raises(OptionError, match=name):
        LstmConfig(**{name: 0})


def test_dropout_rate_must_be_below_one():
    with pytest.raises(OptionError, match="dropout"):
        LstmConfig(dropout=1.0)


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_input_dropout_rate_must_be_in_range(rate):
    with pytest.raises(OptionError, match="input_dropout"):
        LstmConfig(input_dropout=rate)


@pytest.mark.parametrize(("setting", "same"), [({}, False), ({"input_dropout": 0.0}, True)])
def test_input_dropout_defaults_to_dropout(setting, same):
    """At a rate of 0.9, dropped inputs show in the final states."""
    torch.manual_seed(0)
    network = Lstm().network(TOKENS, LstmConfig(hidden=8, layers=1, dropout=0.9, **setting)).train()
    steps = torch.arange(9)[None]
    one, other = (network(steps, network.initial_layer_states(1), None, {}) for _ in range(2))
    assert torch.equal(one[1][0], other[1][0]) is same
    assert not torch.equal(one[0], other[0])


def test_unknown_condition_starts_as_the_mean_of_all_values():
    """So it is useful even if every training piece has the condition."""
    spec = SequenceSpec(StepKind.TOKENS, size=9, end=0, conditions={"rhythm": ("jig", "reel", "waltz")})
    table = Lstm().network(spec, LstmConfig()).conditions[0].weight
    assert torch.allclose(table[0], table[1:].mean(0))


def test_segments_split_at_resets_of_any_row():
    reset = torch.zeros(2, 10, dtype=torch.bool)
    reset[0, 0] = reset[1, 4] = reset[0, 7] = True
    assert list(_segments(reset, 10)) == [(0, 4), (4, 7), (7, 10)]
    assert list(_segments(None, 10)) == [(0, 10)]


@pytest.mark.parametrize("name", ["rhythm", "type", "no. of verses", "keys"])
def test_conditions_of_any_name_change_the_output(name):
    spec = SequenceSpec(StepKind.TOKENS, size=9, end=0, conditions={name: ("jig", "reel")})
    config = LstmConfig(hidden=8, embedding=4)
    torch.manual_seed(0)
    network = Lstm().network(spec, config)
    weights = {key: tensor.numpy() for key, tensor in network.state_dict().items()}
    sampler = Lstm().sampler(spec, config, weights)
    state = sampler.initial_state([{name: "jig"}, {name: "reel"}, {}])
    logp = sampler.log_prob(state, np.array([1, 1, 1]))
    assert len(set(logp.tolist())) == 3


def test_network_and_sampler_draw_the_same_steps():
    config = LstmConfig(hidden=16, embedding=8)
    torch.manual_seed(1)
    network = Lstm().network(TOKENS, config).eval()
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    samplers = [network, Lstm().sampler(TOKENS, config, weights)]
    draws = []
    for sampler in samplers:
        state, steps, rng = sampler.initial_state([{}] * 4), [], CounterRNG(range(4))
        for step in range(50):
            step_ids = sampler.sample(
                state, BatchSamplingParams.for_rows(4, temperature=0.9), rng.at_steps(np.full(4, step))
            ).steps
            state = sampler.advance(state, step_ids)
            steps.append(step_ids)
        draws.append(np.array(steps))
    assert (draws[0] == draws[1]).mean() > 0.99
