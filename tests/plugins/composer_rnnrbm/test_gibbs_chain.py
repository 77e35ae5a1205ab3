"""Gibbs chains for generation: distribution, rules, temperature and filters."""

import itertools

import numpy as np
import pytest
import torch

from composer.api import FrameRule, Limit, SequenceSpec, StepKind
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG
from composer_rnnrbm import RnnRbm, RnnRbmConfig


def make_sampler(W, bv, bh=None, gibbs=25):
    """Return a sampler of an RBM with constant biases."""
    hidden, visible = np.shape(W)
    weights = {
        "W": W, "bv": bv, "bh": np.zeros(hidden) if bh is None else bh, "bu": [0], "u0": [0],
        "Wuv": np.zeros((visible, 1)), "Wuh": np.zeros((hidden, 1)), "Wvu": np.zeros((1, visible)), "Wuu": [[0]],
    }  # fmt: skip
    spec = SequenceSpec(StepKind.FRAMES, size=visible)
    config = RnnRbmConfig(hidden=hidden, recurrent=1, gibbs=gibbs)
    return RnnRbm().sampler(spec, config, {name: np.array(each, np.float16) for name, each in weights.items()})


def draw(sampler, rows, params=None, before=None, seed=0):
    state = sampler.initial_state([{}] * rows)
    if before is not None:
        state = sampler.advance(state, np.tile(before, (rows, 1)))
    rng = CounterRNG(range(seed, seed + rows)).at_steps(np.zeros(rows, int))
    return sampler.sample(state, params or BatchSamplingParams.for_rows(rows), rng)


PAIRED_WEIGHTS = [[9.0, 9, 0, 0], [0, 0, 9, 9]]
"""Two hidden units, each connected to a pair of visible units."""
LOOSE_BIASES = ([-6.0] * 4, [-6.0] * 2)
"""Biases with which one unit of a pair is enough to turn on the other."""
TIGHT_BIASES = ([-5.0] * 4, [-13.0] * 2)
"""Biases with which a pair stays on only together."""


SMALL = [[2.0, -1, 0.5], [-1.5, 1, 1]], [-0.5, 0.25, -1], [0.5, -0.5]
"""W, bv and bh of an RBM whose frames can be counted."""


def exact_probabilities(temperature, per_unit=False):
    """Return p(v)^(1/T) of all frames of SMALL, normalized; if `per_unit`, the sum of p(v, h)^(1/T) over h."""
    W, bv, bh = map(np.array, SMALL)
    v, h = (np.array(list(itertools.product([0, 1], repeat=n))) for n in (3, 2))
    minus_energy = (v @ bv)[:, None] + h @ bh + v @ W.T @ h.T
    weights = (
        np.exp(minus_energy / temperature).sum(1) if per_unit else np.exp(minus_energy).sum(1) ** (1 / temperature)
    )
    return weights / weights.sum()


def frequencies_of(params, rows=20_000, gibbs=25):
    frames = draw(make_sampler(*SMALL, gibbs), rows, params).steps
    return np.bincount(frames @ [4, 2, 1], minlength=8) / len(frames)


@pytest.mark.parametrize("temperature", [0.5, 0.8, 1.0, 2.0, 1e30])
def test_long_chains_sample_the_distribution_at_any_temperature(temperature):
    found = frequencies_of(BatchSamplingParams.for_rows(20_000, temperature=temperature))
    assert np.abs(found - exact_probabilities(temperature)).max() < 0.015


def test_recorded_pieces_have_a_temperature_for_each_unit():
    found = frequencies_of(BatchSamplingParams.for_rows(20_000, temperature=2, per_unit=True))
    assert np.abs(found - exact_probabilities(2, per_unit=True)).max() < 0.015


def test_rows_at_temperature_one_do_not_depend_on_others():
    sampler = make_sampler(*SMALL)
    alone = draw(sampler, 40)
    mixed = draw(sampler, 40, BatchSamplingParams.for_rows(40, temperature=[1, 0.3] * 20, top_k=[0, 2] * 20))
    assert (alone.steps[::2] == mixed.steps[::2]).all()
    assert (alone.steps[1::2] != mixed.steps[1::2]).any()


@pytest.mark.parametrize(
    ("settings", "kept"), [({"top_k": 2}, 2), ({"min_p": 0.55}, 5), ({"top_p": 0.3, "temperature": 0.5}, 1)]
)
def test_filters_keep_the_likeliest_frames(settings, kept):
    exact = exact_probabilities(settings.get("temperature", 1.0))
    goal = np.zeros(8)
    likeliest = np.argsort(-exact)[:kept]
    goal[likeliest] = exact[likeliest] / exact[likeliest].sum()
    found = frequencies_of(BatchSamplingParams.for_rows(5000, **settings), 5000, gibbs=50)
    assert np.abs(found - goal).sum() / 2 < 0.05


def test_temperature_zero_is_deterministic():
    rng = np.random.default_rng(0)
    sampler = make_sampler(rng.normal(size=(6, 9)), rng.normal(size=9), rng.normal(size=6))
    one, other = (draw(sampler, 3, BatchSamplingParams.for_rows(3, temperature=0), seed=seed).steps for seed in (0, 50))
    assert (one == other).all()
    assert (one == one[0]).all()
    assert len(np.unique(draw(sampler, 50).steps, axis=0)) > 10


def test_chains_start_from_the_last_frame():
    sampler = make_sampler(PAIRED_WEIGHTS, *LOOSE_BIASES, gibbs=1)
    frequency = [draw(sampler, 200, before=before).steps.mean(0) for before in ([1, 1, 0, 0], [0, 0, 1, 1])]
    assert (frequency[0] > [0.9, 0.9, -1, -1]).all()
    assert (frequency[0] < [2, 2, 0.1, 0.1]).all()
    np.testing.assert_allclose(frequency[0], frequency[1][::-1], atol=0.1)
    assert draw(sampler, 200).steps.mean() < 0.1


def test_fixed_units_act_in_every_half_step():
    """So a fixed unit turns its partner on or off."""
    sampler = make_sampler(PAIRED_WEIGHTS, *TIGHT_BIASES)
    silent, sounding = [0, 0, 0, 0], [1, 1, 0, 0]
    on, off, free = ([FrameRule(must_be_on=0b0001)] * 300, [FrameRule(must_be_off=0b0001)] * 300, None)
    frequency = {
        (str(before), name): draw(sampler, 300, BatchSamplingParams.for_rows(300, rule=rule), before).steps.mean(0)
        for before in (silent, sounding)
        for name, rule in (("on", on), ("off", off), ("free", free))
    }
    assert frequency[str(silent), "on"][0] == frequency[str(sounding), "on"][0] == 1
    assert frequency[str(silent), "off"][0] == frequency[str(sounding), "off"][0] == 0
    assert frequency[str(silent), "on"][1] > 4 * frequency[str(silent), "free"][1]
    assert frequency[str(sounding), "off"][1] < frequency[str(sounding), "free"][1] / 4


def test_limits_and_projections_apply():
    sampler = make_sampler(np.zeros((2, 6)), [2.0, 1, 2, 3, 4, 5])
    swapped = FrameRule(
        project=lambda frame: tuple(5 - unit for unit in reversed(frame)), must_be_on=1, must_be_off=0b100000
    )
    rules = [FrameRule(limits=(Limit(0b111100, 2), Limit(0b000011, 1))), swapped] * 20
    frames = draw(sampler, 40, BatchSamplingParams.for_rows(40, rule=rules)).steps.reshape(20, 2, 6)
    assert (frames[:, 0, 2:].sum(1) <= 2).all()
    assert (frames[:, 0, :2].sum(1) <= 1).all()
    assert frames[:, 0, 4:].mean() > 0.9
    assert (frames[:, 1, 5] == 1).all()
    assert (frames[:, 1, 0] == 0).all()


def test_chains_continue_from_repaired_frames():
    """A unit that a projection removes has no further effect."""
    sampler = make_sampler(PAIRED_WEIGHTS, *LOOSE_BIASES)
    rule = FrameRule(project=lambda frame: tuple(unit for unit in frame if unit != 0))
    frames = draw(sampler, 100, BatchSamplingParams.for_rows(100, rule=[rule] * 100), before=[1, 1, 0, 0]).steps
    free = draw(sampler, 100, before=[1, 1, 0, 0]).steps
    assert frames[:, 0].sum() == 0
    assert frames[:, 1].mean() < free[:, 1].mean() - 0.1


def sampler_and_network(sampler):
    """Return the sampler and a network with the same weights."""
    network = RnnRbm().network(sampler.spec, sampler.config)
    weights = {
        "W": sampler.W,
        "bv": sampler.biases_without_context[: sampler.spec.size],
        "bh": sampler.biases_without_context[sampler.spec.size :],
    }
    zeros = {name: torch.zeros_like(each) for name, each in network.state_dict().items()}
    network.load_state_dict(zeros | {name: torch.from_numpy(each.copy()) for name, each in weights.items()})
    return sampler, network.eval()


def test_fixed_units_survive_limits_within_a_chain():
    """Unit 0 is forced on, unlikely, and turns on unit 1; unit 2 is likely; at most one of 0 and 2 may be on."""
    sampler = make_sampler([[30.0, 10, 0]], [-30.0, -5, 9], [-15.0], gibbs=6)
    rule = FrameRule(must_be_on=0b001, limits=(Limit(0b101, 1),))
    for model in sampler_and_network(sampler):
        frames = draw(model, 50, BatchSamplingParams.for_rows(50, rule=[rule] * 50)).steps
        assert (frames[:, [0, 2]] == [1, 0]).all()
        assert frames[:, 1].mean() > 0.9


def test_minimum_limits_apply_within_a_chain():
    """Unit 0 is unlikely and turns on unit 1; one of 0, 2 and 3 must be on; 2 is forced off."""
    sampler = make_sampler([[30.0, 10, 0, 0]], [-10.0, -5, 9, -20], [-15.0], gibbs=6)
    rule = FrameRule(must_be_off=0b0100, limits=(Limit(0b1101, 1, min_active=1),))
    for model in sampler_and_network(sampler):
        frames = draw(model, 50, BatchSamplingParams.for_rows(50, rule=[rule] * 50)).steps
        assert (frames[:, [0, 2, 3]] == [1, 0, 0]).all()
        assert frames[:, 1].mean() > 0.9


def test_chains_start_from_the_last_frame_clamped_to_the_rules():
    sampler = make_sampler(PAIRED_WEIGHTS, *LOOSE_BIASES, gibbs=1)
    frequencies = {"on": [], "off": []}
    for model in sampler_and_network(sampler):
        on, off = (
            BatchSamplingParams.for_rows(200, rule=[FrameRule(must_be_on=0b0001)] * 200),
            BatchSamplingParams.for_rows(200, rule=[FrameRule(must_be_off=0b0011)] * 200),
        )
        frequencies["on"].append(draw(model, 200, on).steps[:, 1].mean())
        frequencies["off"].append(draw(model, 200, off, before=[1, 1, 0, 0]).masked_prob.mean())
    assert min(frequencies["on"]) > 0.9
    assert max(frequencies["off"]) < 0.1
    assert frequencies["on"][0] == frequencies["on"][1]


def test_top_k_1_is_greedy():
    params = BatchSamplingParams.for_rows(30, top_k=1)
    frames = draw(make_sampler(*SMALL), 30, params).steps
    assert (frames == frames[0]).all()
    assert frames[0] @ [4, 2, 1] == exact_probabilities(1).argmax()


def test_log_prob_is_that_of_the_last_half_step():
    """With zero weights, it is that of the frame."""
    bv = np.array([2.0, -1, 0.5], np.float32)
    frames = draw(make_sampler(np.zeros((2, 3)), bv), 30)
    expected = np.where(frames.steps, bv, 0).sum(1) - np.log1p(np.exp(bv)).sum()
    np.testing.assert_allclose(frames.logp, expected, atol=1e-5)


@pytest.mark.parametrize("gibbs", [1, 2])
def test_rows_do_not_depend_on_the_batch_size(gibbs):
    rng = np.random.default_rng(0)
    sampler = make_sampler(rng.normal(size=(7, 9)), rng.normal(size=9), gibbs=gibbs)
    assert (draw(sampler, 1, seed=3).steps[0] == draw(sampler, 8).steps[3]).all()
