"""Frames whose units depend on one another: exact chances, exact draws, and rules that are obeyed on the way."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.api import FrameRule, Limit, OptionError, SequenceSpec, StepKind
from composer.api.sampling.filters import CounterRNG, SamplingParams, mask_array
from composer.toolkit.models.nade_numpy import NadeSampler
from composer.toolkit.models.nade_torch import NadeDistribution as NadeNetwork
from composer.toolkit.models.settings import check_output
from composer_lstm import Lstm, LstmConfig

D, UNITS, MANY = 5, 4, 40_000
EVERY = np.array(list(product([0, 1], repeat=D)), np.uint8)
"""All frames of D units."""


def learnt(size=D, units=UNITS):
    """A NADE whose units depend strongly on one another."""
    torch.manual_seed(3)
    network = NadeNetwork(size, units)
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(0, 1.5)
    return network


def biases(rows, size=D, units=UNITS, seed=0):
    """The same biases for each row, of units that are on less often than not."""
    both = np.random.default_rng(seed).normal(0, 1, size + units).astype(np.float32)
    both[:size] -= 0.5
    return np.tile(both, (rows, 1))


def played(network):
    return NadeSampler(*(weight.detach().numpy() for weight in (network.W, network.V)))


def by_definition(network, both, frame):
    """log p(v) unit by unit, as the article has it."""
    w, v = (weight.detach().double().numpy() for weight in (network.W, network.V))
    bv, bh, logp = both[: len(frame)], both[len(frame) :], 0.0
    for i, on in enumerate(frame):
        h = 1 / (1 + np.exp(-(bh + w[:, :i] @ frame[:i])))
        chance = 1 / (1 + np.exp(-(bv[i] + v[i] @ h)))
        logp += np.log(chance if on else 1 - chance)
    return logp


def drawn(network, params=None, rows=MANY, size=D):
    both = biases(rows, size)
    rng = CounterRNG(range(rows)).at_steps(np.zeros(rows, int))
    return played(network).draw(both, params or SamplingParams.for_rows(rows), rng)


def shares(frames):
    """How often each of EVERY was drawn."""
    numbers = np.array(frames) @ (1 << np.arange(D)[::-1])
    return np.bincount(numbers, minlength=2**D) / len(frames)


def test_both_faces_are_the_definition_and_sum_to_one():
    network, both = learnt(), biases(len(EVERY))
    exact = np.array([by_definition(network, both[0], frame) for frame in EVERY])
    with torch.no_grad():
        nats = network.nll(torch.from_numpy(both), torch.from_numpy(EVERY).float())
    assert np.allclose(-nats.numpy(), exact, atol=1e-5)
    assert np.allclose(played(network).log_prob(both, EVERY), exact, atol=1e-5)
    assert np.exp(exact).sum() == pytest.approx(1)


def test_frames_of_any_width_are_told_apart_in_a_batch():
    """Frames are gone through by how many units they have on, and put back in their places."""
    network, generator = learnt(11, 6), np.random.default_rng(1)
    frames = (generator.random((3, 7, 11)) < generator.random((3, 7, 1))).astype(np.float32)
    frames[1, 2], frames[2, 3] = 1, 0
    both = generator.normal(0, 1, (3, 7, 17)).astype(np.float32)
    nats = network.nll(torch.from_numpy(both), torch.from_numpy(frames)).detach().numpy()
    for place in np.ndindex(3, 7):
        assert -nats[place] == pytest.approx(by_definition(network, both[place], frames[place]), abs=1e-4)


def test_silence_alone_is_a_batch():
    network = learnt()
    nats = network.nll(torch.from_numpy(biases(2)), torch.zeros(2, D))
    assert nats.tolist() == pytest.approx([-by_definition(network, biases(1)[0], np.zeros(D))] * 2, abs=1e-5)


def test_gradients_are_those_of_the_definition():
    network = NadeNetwork(D, UNITS).double()
    frames = torch.from_numpy(EVERY[5:9]).double()
    both = torch.from_numpy(biases(4)).double().requires_grad_()
    inputs = (both, *network.parameters())
    assert torch.autograd.gradcheck(lambda both, *_: network.logits(frames > 0, *both.split([D, UNITS], 1)), inputs)


def test_frames_are_drawn_as_often_as_they_are_likely():
    network = learnt()
    exact = np.exp([by_definition(network, biases(1)[0], frame) for frame in EVERY])
    found = drawn(network)
    assert np.abs(shares(found.steps) - exact).max() < 0.01
    assert np.allclose(found.logp, np.log(exact)[found.steps @ (1 << np.arange(D)[::-1])], atol=1e-4)
    assert not found.masked_prob.any()


def test_a_temperature_is_that_of_each_unit():
    """At 2, every logit is halved, and so is at each step what the units before it bring."""
    network, both = learnt(), biases(1)[0]
    w, v = (weight.detach().numpy() for weight in (network.W, network.V))
    exact = []
    for frame in EVERY:
        h = 1 / (1 + np.exp(-(both[D:, None] + w @ np.triu(frame[:, None] * np.ones(D), 1))))
        chances = 1 / (1 + np.exp(-(both[:D] + (v.T * h).sum(0)) / 2))
        exact.append(np.where(frame, chances, 1 - chances).prod())
    assert sum(exact) == pytest.approx(1)
    assert np.abs(shares(drawn(network, SamplingParams.for_rows(MANY, temperature=2)).steps) - exact).max() < 0.01


def test_greedy_takes_each_unit_that_is_likelier_than_not():
    rows = 8
    found = drawn(learnt(), SamplingParams.for_rows(rows, temperature=0), rows).steps
    assert (found == found[0]).all()
    h_first = 1 / (1 + np.exp(-biases(1)[0, D:]))
    assert found[0, 0] == (biases(1)[0, 0] + learnt().V[0].detach().numpy() @ h_first > 0)


@pytest.mark.parametrize(
    "rule",
    [
        FrameRule(must_be_off=0b00010, must_be_on=0b01000),
        FrameRule(limits=(Limit(0b11011, 1),)),
        FrameRule(must_be_on=0b10000, limits=(Limit(0b11110, 2), Limit(0b00111, 1))),
    ],
)
def test_what_is_refused_is_the_mass_that_a_rule_forbids(rule):
    network = learnt()
    exact = np.exp([by_definition(network, biases(1)[0], frame) for frame in EVERY])
    legal = np.array([allowed(frame, rule) for frame in EVERY])
    found = drawn(network, SamplingParams.for_rows(MANY, rule=[rule] * MANY))
    assert all(allowed(frame, rule) for frame in found.steps)
    assert found.masked_prob.mean() == pytest.approx(exact[~legal].sum(), abs=0.01)


def test_units_that_a_projection_takes_out_are_off_for_those_that_follow():
    """Unit 1 never goes with unit 0: where 0 is on, the others are drawn as if 1 had been off by itself."""
    network, both = learnt(), biases(1)[0]
    rule = FrameRule(project=lambda frame: tuple(unit for unit in frame if unit != 1 or 0 not in frame))
    frames = drawn(network, SamplingParams.for_rows(MANY, rule=[rule] * MANY)).steps
    exact = np.exp([by_definition(network, both, frame) for frame in EVERY])
    first, second = EVERY[:, 0] == 1, EVERY[:, 1] == 1
    given = np.where(first & ~second, exact / exact[first & ~second].sum() * exact[first].sum(), exact)
    expected = np.where(first & second, 0, given)
    assert np.abs(shares(frames) - expected).max() < 0.01


def allowed(frame, rule):
    """Whether a frame obeys the rule, projections aside."""
    units = {number for number, on in enumerate(frame) if on}
    off, on = (set(np.flatnonzero(mask_array(mask, len(frame)))) for mask in (rule.must_be_off, rule.must_be_on))
    within = [len(units & set(np.flatnonzero(mask_array(each.units, len(frame))))) for each in rule.limits]
    kept = all(each.min_active <= count <= each.max_active for each, count in zip(rule.limits, within, strict=True))
    return not units & off and on <= units and kept


WIDE = 12
masks = st.integers(0, 2**WIDE - 1)


@st.composite
def rules(draw):
    off = draw(masks)
    on = draw(masks) & ~off & draw(masks) & draw(masks)
    units = draw(masks) & ~off | on
    most = draw(st.integers(max(1, on.bit_count()), WIDE))
    least = draw(st.integers(0, min(most, units.bit_count())))
    return FrameRule(off, on, (Limit(units, most, least),))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | rules(), min_size=1, max_size=5), st.integers(0, 99), st.sampled_from([0.0, 0.5, 1.0, 3.0]))
def test_rules_are_obeyed(each, seed, temperature):
    network, rows = learnt(WIDE), len(each)
    rng = CounterRNG(range(seed, seed + rows)).at_steps(np.zeros(rows, int))
    found = played(network).draw(
        biases(rows, WIDE), SamplingParams.for_rows(rows, temperature=temperature, rule=each), rng
    )
    for frame, rule, logp, refused in zip(found.steps, each, found.logp, found.masked_prob, strict=True):
        assert rule is None or allowed(frame, rule)
        assert logp == pytest.approx(by_definition(network, biases(1, WIDE)[0], frame), abs=1e-3)
        assert 0 <= refused <= 1


def test_min_p_leaves_out_what_is_less_likely():
    network = learnt()
    found = drawn(network, SamplingParams.for_rows(MANY, min_p=0.3))
    exact = np.array([by_definition(network, biases(1)[0], frame) for frame in EVERY])
    kept = shares(found.steps) > 0
    assert 1 < kept.sum() < shares(drawn(network).steps).astype(bool).sum()
    assert np.allclose(exact[kept].max(), found.logp.max(), atol=1e-4)


def test_a_network_and_its_sampler_draw_the_same_and_begin_with_seldom_units():
    spec, config = (
        SequenceSpec(StepKind.FRAMES, size=30),
        LstmConfig(hidden=16, embedding=8, output="nade", nade_units=9),
    )
    torch.manual_seed(0)
    network = Lstm().network(spec, config).eval()
    sampler = Lstm().sampler(spec, config, {name: each.numpy() for name, each in network.state_dict().items()})
    rng, how = CounterRNG(range(40)), SamplingParams.for_rows(40, rule=[FrameRule(must_be_on=1 << 7)] * 40)
    one, other = ((player, player.initial_state([{}] * 40)) for player in (network, sampler))
    frames = []
    for step in range(5):
        found = [player.sample(state, how, rng.at_steps(np.full(40, step))) for player, state in (one, other)]
        assert (found[0].steps == found[1].steps).all()
        assert np.allclose(found[0].logp, found[1].logp, atol=1e-4)
        frames.append(found[0].steps)
        one, other = ((player, player.advance(state, frames[-1])) for player, state in (one, other))
    assert np.array(frames)[..., 7].all()
    assert 0.005 < np.delete(np.array(frames), 7, 2).mean() < 0.05


def test_it_is_for_frames():
    check_output(StepKind.FRAMES, "nade")
    with pytest.raises(OptionError, match="`output=nade` needs a representation of frames"):
        check_output(StepKind.TOKENS, "nade")


def test_a_nade_has_units():
    with pytest.raises(OptionError, match="nade_units"):
        LstmConfig(nade_units=0)
