"""NADE: exact probabilities, exact sampling, and rules."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.api import FrameRule, Limit, OptionError, SequenceSpec, StepKind
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG, mask_array
from composer.toolkit.models.nade_numpy import NadeSampler
from composer.toolkit.models.nade_torch import NadeDistribution
from composer.toolkit.models.settings import check_output
from composer_lstm import Lstm, LstmConfig

D, UNITS, MANY = 5, 4, 40_000
ALL_FRAMES = np.array(list(product([0, 1], repeat=D)), np.uint8)
"""All frames of D units."""


def make_nade(size=D, units=UNITS):
    """Return a NADE with strongly dependent units."""
    torch.manual_seed(3)
    network = NadeDistribution(size, units)
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(0, 1.5)
    return network


def biases(rows, size=D, units=UNITS, seed=0):
    """Return the same biases for each row; most units are more often off than on."""
    both = np.random.default_rng(seed).normal(0, 1, size + units).astype(np.float32)
    both[:size] -= 0.5
    return np.tile(both, (rows, 1))


def make_sampler(network):
    return NadeSampler(*(weight.detach().numpy() for weight in (network.W, network.V)))


def by_definition(network, both, frame):
    """Return log p(v), unit by unit, as published."""
    w, v = (weight.detach().double().numpy() for weight in (network.W, network.V))
    bv, bh, logp = both[: len(frame)], both[len(frame) :], 0.0
    for i, on in enumerate(frame):
        h = 1 / (1 + np.exp(-(bh + w[:, :i] @ frame[:i])))
        prob = 1 / (1 + np.exp(-(bv[i] + v[i] @ h)))
        logp += np.log(prob if on else 1 - prob)
    return logp


def draw_frames(network, params=None, rows=MANY, size=D):
    both = biases(rows, size)
    rng = CounterRNG(range(rows)).at_steps(np.zeros(rows, int))
    return make_sampler(network).draw(both, params or BatchSamplingParams.for_rows(rows), rng)


def frequencies(frames):
    """Return how often each of ALL_FRAMES was drawn."""
    numbers = np.array(frames) @ (1 << np.arange(D)[::-1])
    return np.bincount(numbers, minlength=2**D) / len(frames)


def test_log_probs_match_the_definition():
    network, both = make_nade(), biases(len(ALL_FRAMES))
    exact = np.array([by_definition(network, both[0], frame) for frame in ALL_FRAMES])
    with torch.no_grad():
        nats = network.nll(torch.from_numpy(both), torch.from_numpy(ALL_FRAMES).float())
    assert np.allclose(-nats.numpy(), exact, atol=1e-5)
    assert np.allclose(make_sampler(network).log_prob(both, ALL_FRAMES), exact, atol=1e-5)
    assert np.exp(exact).sum() == pytest.approx(1)


def test_batches_of_frames_with_any_number_of_units():
    network, generator = make_nade(11, 6), np.random.default_rng(1)
    frames = (generator.random((3, 7, 11)) < generator.random((3, 7, 1))).astype(np.float32)
    frames[1, 2], frames[2, 3] = 1, 0
    both = generator.normal(0, 1, (3, 7, 17)).astype(np.float32)
    nats = network.nll(torch.from_numpy(both), torch.from_numpy(frames)).detach().numpy()
    for place in np.ndindex(3, 7):
        assert -nats[place] == pytest.approx(by_definition(network, both[place], frames[place]), abs=1e-4)


def test_batch_of_empty_frames():
    network = make_nade()
    nats = network.nll(torch.from_numpy(biases(2)), torch.zeros(2, D))
    assert nats.tolist() == pytest.approx([-by_definition(network, biases(1)[0], np.zeros(D))] * 2, abs=1e-5)


def test_gradients():
    network = NadeDistribution(D, UNITS).double()
    frames = torch.from_numpy(ALL_FRAMES[5:9]).double()
    both = torch.from_numpy(biases(4)).double().requires_grad_()
    inputs = (both, *network.parameters())
    assert torch.autograd.gradcheck(lambda both, *_: network.logits(frames > 0, *both.split([D, UNITS], 1)), inputs)


def test_frames_have_the_frequencies_of_the_model():
    network = make_nade()
    exact = np.exp([by_definition(network, biases(1)[0], frame) for frame in ALL_FRAMES])
    draw = draw_frames(network)
    assert np.abs(frequencies(draw.steps) - exact).max() < 0.01
    assert np.allclose(draw.logp, np.log(exact)[draw.steps @ (1 << np.arange(D)[::-1])], atol=1e-4)
    assert not draw.masked_prob.any()


@pytest.mark.parametrize("temperature", [0.4, 0.6, 1.5, 3, 1e30])
def test_temperature_applies_to_whole_frames(temperature):
    rows = 10_000
    network, both = make_nade(), biases(1)[0]
    exact = np.array([by_definition(network, both, frame) for frame in ALL_FRAMES])
    goal = np.exp((exact - exact.max()) / temperature)
    found = draw_frames(network, BatchSamplingParams.for_rows(rows, temperature=temperature), rows)
    assert np.abs(frequencies(found.steps) - goal / goal.sum()).max() < 0.015
    assert np.allclose(found.logp, exact[found.steps @ (1 << np.arange(D)[::-1])], atol=1e-4)


def make_chooser():
    """Return weights and biases of one note among twelve, each as likely, and a silent frame in 8 of 100."""
    size, probs = 12, 0.92 / 12
    w = np.full((size, size), 60.0, np.float32)  # one active unit turns on all hidden units
    v = np.full((size, size), -5.0, np.float32)  # which turn off all others
    left = 1 - probs * np.arange(size)  # probability that no unit was on so far
    both = np.concatenate([np.log(probs / (left - probs)), np.full(size, -30.0)]).astype(np.float32)
    return NadeSampler(w.T, v), both


@pytest.mark.parametrize("temperature", [0.6, 0.8, 1.0, 1.2])
def test_low_temperatures_do_not_silence_frames(temperature):
    """The note of each unit is unlikely, but that there is one is not."""
    rows, (sampler, both) = 2000, make_chooser()
    silent = {}
    for per_unit in (True, False):
        rng = CounterRNG(range(rows)).at_steps(np.zeros(rows, int))
        params = BatchSamplingParams.for_rows(rows, temperature=temperature, per_unit=per_unit)
        silent[per_unit] = (sampler.draw(np.tile(both, (rows, 1)), params, rng).steps.sum(1) == 0).mean()
    assert silent[False] == pytest.approx(0.08, abs=0.025)
    assert temperature != 0.6 or silent[True] > 0.2


def test_temperature_and_rules():
    """Frames that obey the rule have their tempered probabilities."""
    rows, network, rule = 10_000, make_nade(), FrameRule(must_be_off=0b00010, limits=(Limit(0b11101, 2, min_active=1),))
    exact = np.array([by_definition(network, biases(1)[0], frame) for frame in ALL_FRAMES])
    goal = np.where([allowed(frame, rule) for frame in ALL_FRAMES], np.exp(exact / 0.6), 0)
    draw = draw_frames(network, BatchSamplingParams.for_rows(rows, temperature=0.6, rule=[rule] * rows), rows)
    assert np.abs(frequencies(draw.steps) - goal / goal.sum()).max() < 0.04


def test_projections_choose_among_frames_that_they_leave():
    rows, network = 10_000, make_nade()
    rule = FrameRule(project=lambda frame: tuple(unit for unit in frame if unit != 1 or 0 not in frame))
    exact = np.array([by_definition(network, biases(1)[0], frame) for frame in ALL_FRAMES])
    goal = np.where(ALL_FRAMES[:, 0] & ALL_FRAMES[:, 1], 0, np.exp(exact / 0.7))
    draw = draw_frames(network, BatchSamplingParams.for_rows(rows, temperature=0.7, rule=[rule] * rows), rows)
    assert np.abs(frequencies(draw.steps) - goal / goal.sum()).max() < 0.015


@pytest.mark.parametrize("settings", [{"top_k": 3}, {"top_p": 0.5}, {"min_p": 0.4}])
def test_filters_keep_the_likeliest_frames(settings):
    rows, network = 5000, make_nade()
    exact = np.exp([by_definition(network, biases(1)[0], frame) for frame in ALL_FRAMES])
    order = np.argsort(-exact)
    most = np.searchsorted(exact[order].cumsum(), 0.5) + 1
    kept = {"top_k": 3, "top_p": most, "min_p": (exact > 0.4 * exact.max()).sum()}
    goal = np.zeros(len(exact))
    best = order[: kept[next(iter(settings))]]
    goal[best] = exact[best] / exact[best].sum()
    found = frequencies(draw_frames(network, BatchSamplingParams.for_rows(rows, **settings), rows).steps)
    assert np.abs(found - goal).sum() / 2 < 0.1


def test_rows_at_temperature_one_do_not_depend_on_others():
    alone = draw_frames(make_nade(), BatchSamplingParams.for_rows(40), 40)
    mixed = draw_frames(make_nade(), BatchSamplingParams.for_rows(40, temperature=[1, 0.5] * 20), 40)
    assert (alone.steps[::2] == mixed.steps[::2]).all()
    assert (alone.logp[::2] == mixed.logp[::2]).all()
    assert (alone.steps[1::2] != mixed.steps[1::2]).any()


def test_recorded_pieces_have_a_temperature_for_each_unit():
    """At 2, the logit of every unit, given those before it, is halved."""
    network, both = make_nade(), biases(1)[0]
    w, v = (weight.detach().numpy() for weight in (network.W, network.V))
    exact = []
    for frame in ALL_FRAMES:
        h = 1 / (1 + np.exp(-(both[D:, None] + w @ np.triu(frame[:, None] * np.ones(D), 1))))
        probs = 1 / (1 + np.exp(-(both[:D] + (v.T * h).sum(0)) / 2))
        exact.append(np.where(frame, probs, 1 - probs).prod())
    assert sum(exact) == pytest.approx(1)
    assert (
        np.abs(
            frequencies(draw_frames(network, BatchSamplingParams.for_rows(MANY, temperature=2, per_unit=True)).steps)
            - exact
        ).max()
        < 0.01
    )


@pytest.mark.parametrize("settings", [{"temperature": 0}, {"top_k": 1}])
def test_greedy_takes_the_likeliest_frame(settings):
    rows = 8
    draw = draw_frames(make_nade(), BatchSamplingParams.for_rows(rows, **settings), rows).steps
    exact = [by_definition(make_nade(), biases(1)[0], frame) for frame in ALL_FRAMES]
    assert (draw == ALL_FRAMES[np.argmax(exact)]).all()


@pytest.mark.parametrize(
    "rule",
    [
        FrameRule(must_be_off=0b00010, must_be_on=0b01000),
        FrameRule(limits=(Limit(0b11011, 1),)),
        FrameRule(must_be_on=0b10000, limits=(Limit(0b11110, 2), Limit(0b00111, 1))),
    ],
)
def test_masked_prob_is_the_mass_that_a_rule_removes(rule):
    network, rows = make_nade(), 8000
    exact = np.exp([by_definition(network, biases(1)[0], frame) for frame in ALL_FRAMES])
    legal = np.array([allowed(frame, rule) for frame in ALL_FRAMES])
    draw = draw_frames(network, BatchSamplingParams.for_rows(rows, rule=[rule] * rows), rows)
    assert all(allowed(frame, rule) for frame in draw.steps)
    assert draw.masked_prob.mean() == pytest.approx(exact[~legal].sum(), abs=0.01)


@pytest.mark.parametrize("temperature", [0.6, 1.0])
def test_free_units_know_of_later_fixed_ones(temperature):
    """Units before a fixed one have the probabilities that they have given it."""
    rows, network, rule = 5000, make_nade(), FrameRule(must_be_on=0b10000)
    exact = np.array([by_definition(network, biases(1)[0], frame) for frame in ALL_FRAMES])
    goal = np.where(ALL_FRAMES[:, 4], np.exp(exact / temperature), 0)
    draw = draw_frames(network, BatchSamplingParams.for_rows(rows, temperature=temperature, rule=[rule] * rows), rows)
    assert np.abs(frequencies(draw.steps) - goal / goal.sum()).max() < 0.03
    assert draw.masked_prob.mean() == pytest.approx(np.exp(exact)[ALL_FRAMES[:, 4] == 0].sum(), abs=0.02)


def test_units_after_a_removed_one_are_drawn_without_it():
    """Unit 1 is removed if unit 0 is on; the others are then drawn as if 1 had been off anyway."""
    network, both = make_nade(), biases(1)[0]
    rule = FrameRule(project=lambda frame: tuple(unit for unit in frame if unit != 1 or 0 not in frame))
    frames = draw_frames(network, BatchSamplingParams.for_rows(MANY, rule=[rule] * MANY)).steps
    exact = np.exp([by_definition(network, both, frame) for frame in ALL_FRAMES])
    first, second = ALL_FRAMES[:, 0] == 1, ALL_FRAMES[:, 1] == 1
    given = np.where(first & ~second, exact / exact[first & ~second].sum() * exact[first].sum(), exact)
    expected = np.where(first & second, 0, given)
    assert np.abs(frequencies(frames) - expected).max() < 0.01


def allowed(frame, rule):
    """Return whether a frame obeys the rule, apart from projections."""
    units = {number for number, on in enumerate(frame) if on}
    off, on = (set(np.flatnonzero(mask_array(mask, len(frame)))) for mask in (rule.must_be_off, rule.must_be_on))
    counts = [len(units & set(np.flatnonzero(mask_array(each.units, len(frame))))) for each in rule.limits]
    kept = all(each.min_active <= count <= each.max_active for each, count in zip(rule.limits, counts, strict=True))
    return not units & off and on <= units and kept


WIDE = 12
masks = st.integers(0, 2**WIDE - 1)


@st.composite
def rules(draw):
    off = draw(masks)
    on = draw(masks) & ~off & draw(masks) & draw(masks)
    units = draw(masks) & ~off | on
    max_active = draw(st.integers(max(1, on.bit_count()), WIDE))
    min_active = draw(st.integers(0, min(max_active, units.bit_count())))
    return FrameRule(off, on, (Limit(units, max_active, min_active),))


@settings(max_examples=30)
@given(st.lists(st.none() | rules(), min_size=1, max_size=5), st.integers(0, 99), st.sampled_from([0.0, 0.5, 1.0, 3.0]))
def test_random_rules(each, seed, temperature):
    network, rows = make_nade(WIDE), len(each)
    rng = CounterRNG(range(seed, seed + rows)).at_steps(np.zeros(rows, int))
    draw = make_sampler(network).draw(
        biases(rows, WIDE), BatchSamplingParams.for_rows(rows, temperature=temperature, rule=each), rng
    )
    for frame, rule, logp, masked_prob in zip(draw.steps, each, draw.logp, draw.masked_prob, strict=True):
        assert rule is None or allowed(frame, rule)
        assert logp == pytest.approx(by_definition(network, biases(1, WIDE)[0], frame), abs=1e-3)
        assert 0 <= masked_prob <= 1


def test_min_p_removes_unlikely_units():
    network = make_nade()
    draw = draw_frames(network, BatchSamplingParams.for_rows(MANY, min_p=0.3))
    exact = np.array([by_definition(network, biases(1)[0], frame) for frame in ALL_FRAMES])
    kept = frequencies(draw.steps) > 0
    assert 1 < kept.sum() < frequencies(draw_frames(network).steps).astype(bool).sum()
    assert np.allclose(exact[kept].max(), draw.logp.max(), atol=1e-4)


def test_network_and_sampler_draw_the_same_sparse_frames():
    spec, config = (
        SequenceSpec(StepKind.FRAMES, size=30),
        LstmConfig(hidden=16, embedding=8, output="nade", nade_units=9),
    )
    torch.manual_seed(0)
    network = Lstm().network(spec, config).eval()
    sampler = Lstm().sampler(spec, config, {name: each.numpy() for name, each in network.state_dict().items()})
    rng, params = CounterRNG(range(40)), BatchSamplingParams.for_rows(40, rule=[FrameRule(must_be_on=1 << 7)] * 40)
    one, other = ((model, model.initial_state([{}] * 40)) for model in (network, sampler))
    frames = []
    for step in range(5):
        draw = [model.sample(state, params, rng.at_steps(np.full(40, step))) for model, state in (one, other)]
        assert (draw[0].steps == draw[1].steps).all()
        assert np.allclose(draw[0].logp, draw[1].logp, atol=1e-4)
        frames.append(draw[0].steps)
        one, other = ((model, model.advance(state, frames[-1])) for model, state in (one, other))
    assert np.array(frames)[..., 7].all()
    assert 0.005 < np.delete(np.array(frames), 7, 2).mean() < 0.05


def test_nade_needs_frames():
    check_output(StepKind.FRAMES, "nade")
    with pytest.raises(OptionError, match="`output=nade` needs a representation of frames"):
        check_output(StepKind.TOKENS, "nade")


def test_nade_units_must_be_positive():
    with pytest.raises(OptionError, match="nade_units"):
        LstmConfig(nade_units=0)
