"""The lstm plugin: its contract, and that resets, conditions and the sampler mean what they say."""

import numpy as np
import pytest
import torch

from composer.api import CheckpointError, OptionError, SequenceSpec, StepKind
from composer.api.sampling.filters import CounterRNG, SamplingParams
from composer.api.testing import check_model
from composer.toolkit.models.lstm_torch import _segments
from composer.training.trainer import load_weights
from composer_lstm import Lstm, LstmConfig

TOKENS = SequenceSpec(StepKind.TOKENS, size=9, end=0)


class OfFrames(Lstm):
    accepts = frozenset({StepKind.FRAMES})


class OfTokens(Lstm):
    accepts = frozenset({StepKind.TOKENS})


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_contract(layers):
    check_model(Lstm, hidden=12, embedding=6, layers=layers)


def test_contract_with_units_that_depend_on_one_another():
    check_model(OfFrames, hidden=12, embedding=6, output="nade", nade_units=10)


def test_contract_with_one_table_for_tokens_that_enter_and_leave():
    check_model(OfTokens, hidden=12, embedding=6, tied=True)


def test_the_table_learns_as_one():
    learnt = Lstm().network(TOKENS, LstmConfig(hidden=8, embedding=3, tied=True))
    assert learnt.embed.weight is learnt.output.weight
    assert learnt.embed.weight.shape == (9, 8)
    with torch.no_grad():
        learnt.embed.weight.normal_()
    again = Lstm().network(TOKENS, LstmConfig(hidden=8, embedding=3, tied=True))
    again.load_state_dict(learnt.state_dict())
    assert torch.equal(again.output.weight, learnt.embed.weight)
    assert len(list(learnt.parameters())) == len(list(Lstm().network(TOKENS, LstmConfig()).parameters())) - 1


def test_two_tables_are_not_taken_for_one():
    apart = Lstm().network(TOKENS, LstmConfig(hidden=8, embedding=8))
    weights = {name: tensor.numpy() for name, tensor in apart.state_dict().items()}
    load_weights(Lstm().network(TOKENS, LstmConfig(hidden=8, embedding=8)), weights, "the checkpoint")
    with pytest.raises(CheckpointError, match="do not fit the model"):
        load_weights(Lstm().network(TOKENS, LstmConfig(hidden=8, tied=True)), weights, "the checkpoint")


def test_frames_have_no_table():
    with pytest.raises(OptionError, match="`tied` is for the table of tokens"):
        Lstm().check(StepKind.FRAMES, LstmConfig(tied=True))


@pytest.mark.parametrize("name", ["hidden", "layers", "embedding", "condition"])
def test_a_size_below_one_is_refused(name):
    with pytest.raises(OptionError, match=name):
        LstmConfig(**{name: 0})


def test_dropout_of_everything_is_refused():
    with pytest.raises(OptionError, match="dropout"):
        LstmConfig(dropout=1.0)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_of_the_input_is_one(share):
    with pytest.raises(OptionError, match="input_dropout"):
        LstmConfig(input_dropout=share)


@pytest.mark.parametrize(("given", "same"), [({}, False), ({"input_dropout": 0.0}, True)])
def test_dropout_of_the_input_is_that_of_the_layers_where_nothing_is_said(given, same):
    """With one cell in ten outputs left, what enters the layer shows in the states that it ends with."""
    torch.manual_seed(0)
    network = Lstm().network(TOKENS, LstmConfig(hidden=8, layers=1, dropout=0.9, **given)).train()
    steps = torch.arange(9)[None]
    one, other = (network(steps, network.initial_layer_states(1), None, {}) for _ in range(2))
    assert torch.equal(one[1][0], other[1][0]) is same
    assert not torch.equal(one[0], other[0])


def test_any_value_begins_between_all_values():
    """So that it is something where every piece says what it is, and nothing teaches it."""
    spec = SequenceSpec(StepKind.TOKENS, size=9, end=0, conditions={"rhythm": ("jig", "reel", "waltz")})
    table = Lstm().network(spec, LstmConfig()).conditions[0].weight
    assert torch.allclose(table[0], table[1:].mean(0))


def test_a_window_is_cut_where_a_piece_begins_in_any_row():
    reset = torch.zeros(2, 10, dtype=torch.bool)
    reset[0, 0] = reset[1, 4] = reset[0, 7] = True
    assert list(_segments(reset, 10)) == [(0, 4), (4, 7), (7, 10)]
    assert list(_segments(None, 10)) == [(0, 10)]


@pytest.mark.parametrize("name", ["rhythm", "type", "no. of verses", "keys"])
def test_a_condition_of_any_name_changes_what_is_played(name):
    spec = SequenceSpec(StepKind.TOKENS, size=9, end=0, conditions={name: ("jig", "reel")})
    config = LstmConfig(hidden=8, embedding=4)
    torch.manual_seed(0)
    network = Lstm().network(spec, config)
    weights = {key: tensor.numpy() for key, tensor in network.state_dict().items()}
    sampler = Lstm().sampler(spec, config, weights)
    state = sampler.initial_state([{name: "jig"}, {name: "reel"}, {}])
    logp = sampler.log_prob(state, np.array([1, 1, 1]))
    assert len(set(logp.tolist())) == 3


def test_both_faces_draw_the_same_steps_from_the_same_noise():
    config = LstmConfig(hidden=16, embedding=8)
    torch.manual_seed(1)
    network = Lstm().network(TOKENS, config).eval()
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    players = [network, Lstm().sampler(TOKENS, config, weights)]
    drawn = []
    for player in players:
        state, steps, rng = player.initial_state([{}] * 4), [], CounterRNG(range(4))
        for step in range(50):
            got = player.sample(
                state, SamplingParams.for_rows(4, temperature=0.9), rng.at_steps(np.full(4, step))
            ).steps
            state = player.advance(state, got)
            steps.append(got)
        drawn.append(np.array(steps))
    assert (drawn[0] == drawn[1]).mean() > 0.99
