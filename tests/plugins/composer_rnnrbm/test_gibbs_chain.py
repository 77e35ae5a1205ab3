"""Chains that are played: what they draw, and what rules, temperatures and filters do to them."""

import itertools

import numpy as np
import pytest
import torch

from composer.api import FrameRule, Limit, SequenceSpec, StepKind
from composer.api.sampling.filters import CounterRNG, SamplingParams
from composer_rnnrbm import RnnRbm, RnnRbmConfig


def player(W, bv, bh=None, gibbs=25):
    """A sampler of a machine whose biases never change."""
    hidden, visible = np.shape(W)
    weights = {
        "W": W, "bv": bv, "bh": np.zeros(hidden) if bh is None else bh, "bu": [0], "u0": [0],
        "Wuv": np.zeros((visible, 1)), "Wuh": np.zeros((hidden, 1)), "Wvu": np.zeros((1, visible)), "Wuu": [[0]],
    }  # fmt: skip
    spec = SequenceSpec(StepKind.FRAMES, size=visible)
    config = RnnRbmConfig(hidden=hidden, recurrent=1, gibbs=gibbs)
    return RnnRbm().sampler(spec, config, {name: np.array(each, np.float16) for name, each in weights.items()})


def drawn(sampler, rows, params=None, before=None, seed=0):
    state = sampler.initial_state([{}] * rows)
    if before is not None:
        state = sampler.advance(state, np.tile(before, (rows, 1)))
    rng = CounterRNG(range(seed, seed + rows)).at_steps(np.zeros(rows, int))
    return sampler.sample(state, params or SamplingParams.for_rows(rows), rng)


PAIRED = [[9.0, 9, 0, 0], [0, 0, 9, 9]]
"""Two hidden units, each with two visible ones that go together."""
APART = ([-6.0] * 4, [-6.0] * 2)
"""Biases with which one unit of a pair is enough to bring the other."""
TOGETHER = ([-5.0] * 4, [-13.0] * 2)
"""And biases with which it takes both to keep each other."""


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_a_long_chain_draws_from_the_machine_at_its_temperature(temperature):
    W, bv, bh = [[2.0, -1, 0.5], [-1.5, 1, 1]], [-0.5, 0.25, -1], [0.5, -0.5]
    v, h = (np.array(list(itertools.product([0, 1], repeat=n))) for n in (3, 2))
    energy = -((v @ bv)[:, None] + h @ bh + v @ np.array(W).T @ h.T) / temperature
    chance = np.exp(-energy).sum(1) / np.exp(-energy).sum()
    got = drawn(player(W, bv, bh), 20_000, SamplingParams.for_rows(20_000, temperature=temperature)).steps
    found = np.bincount(got @ [4, 2, 1], minlength=8) / len(got)
    assert np.abs(found - chance).max() < 0.015


def test_without_temperature_there_is_nothing_left_to_chance():
    rng = np.random.default_rng(0)
    sampler = player(rng.normal(size=(6, 9)), rng.normal(size=9), rng.normal(size=6))
    one, other = (drawn(sampler, 3, SamplingParams.for_rows(3, temperature=0), seed=seed).steps for seed in (0, 50))
    assert (one == other).all()
    assert (one == one[0]).all()
    assert len(np.unique(drawn(sampler, 50).steps, axis=0)) > 10


def test_a_chain_starts_from_the_frame_before():
    sampler = player(PAIRED, *APART, gibbs=1)
    share = [drawn(sampler, 200, before=before).steps.mean(0) for before in ([1, 1, 0, 0], [0, 0, 1, 1])]
    assert (share[0] > [0.9, 0.9, -1, -1]).all()
    assert (share[0] < [2, 2, 0.1, 0.1]).all()
    np.testing.assert_allclose(share[0], share[1][::-1], atol=0.1)
    assert drawn(sampler, 200).steps.mean() < 0.1


def test_what_is_held_on_or_off_is_so_in_every_half_step():
    """So a unit that is held brings, or keeps away, the one that goes with it."""
    sampler = player(PAIRED, *TOGETHER)
    silent, sounding = [0, 0, 0, 0], [1, 1, 0, 0]
    on, off, free = ([FrameRule(must_be_on=0b0001)] * 300, [FrameRule(must_be_off=0b0001)] * 300, None)
    share = {
        (str(before), name): drawn(sampler, 300, SamplingParams.for_rows(300, rule=rule), before).steps.mean(0)
        for before in (silent, sounding)
        for name, rule in (("on", on), ("off", off), ("free", free))
    }
    assert share[str(silent), "on"][0] == share[str(sounding), "on"][0] == 1
    assert share[str(silent), "off"][0] == share[str(sounding), "off"][0] == 0
    assert share[str(silent), "on"][1] > 4 * share[str(silent), "free"][1]
    assert share[str(sounding), "off"][1] < share[str(sounding), "free"][1] / 4


def test_limits_and_projections_are_kept():
    sampler = player(np.zeros((2, 6)), [2.0, 1, 2, 3, 4, 5])
    swapped = FrameRule(
        project=lambda frame: tuple(5 - unit for unit in reversed(frame)), must_be_on=1, must_be_off=0b100000
    )
    rules = [FrameRule(limits=(Limit(0b111100, 2), Limit(0b000011, 1))), swapped] * 20
    got = drawn(sampler, 40, SamplingParams.for_rows(40, rule=rules)).steps.reshape(20, 2, 6)
    assert (got[:, 0, 2:].sum(1) <= 2).all()
    assert (got[:, 0, :2].sum(1) <= 1).all()
    assert got[:, 0, 4:].mean() > 0.9
    assert (got[:, 1, 5] == 1).all()
    assert (got[:, 1, 0] == 0).all()


def test_the_chain_goes_on_from_frames_that_are_mended():
    """What a projection takes out of the frame has no part in what comes of it."""
    sampler = player(PAIRED, *APART)
    rule = FrameRule(project=lambda frame: tuple(unit for unit in frame if unit != 0))
    got = drawn(sampler, 100, SamplingParams.for_rows(100, rule=[rule] * 100), before=[1, 1, 0, 0]).steps
    free = drawn(sampler, 100, before=[1, 1, 0, 0]).steps
    assert got[:, 0].sum() == 0
    assert got[:, 1].mean() < free[:, 1].mean() - 0.1


def both(sampler):
    """The numpy and the torch face of a machine, each as `drawn` takes it."""
    network = RnnRbm().network(sampler.spec, sampler.config)
    weights = {"W": sampler.W, "bv": sampler.biased[: sampler.spec.size], "bh": sampler.biased[sampler.spec.size :]}
    nought = {name: torch.zeros_like(each) for name, each in network.state_dict().items()}
    network.load_state_dict(nought | {name: torch.from_numpy(each.copy()) for name, each in weights.items()})
    return sampler, network.eval()


def test_a_unit_that_is_held_is_kept_in_the_middle_of_a_chain_too():
    """Unit 0 is held on, unlikely, and alone brings unit 1; unit 2 is likely, and only one of 0 and 2 may be on."""
    sampler = player([[30.0, 10, 0]], [-30.0, -5, 9], [-15.0], gibbs=6)
    rule = FrameRule(must_be_on=0b001, limits=(Limit(0b101, 1),))
    for face in both(sampler):
        got = drawn(face, 50, SamplingParams.for_rows(50, rule=[rule] * 50)).steps
        assert (got[:, [0, 2]] == [1, 0]).all()
        assert got[:, 1].mean() > 0.9


def test_units_that_must_be_on_are_in_the_middle_of_a_chain_too():
    """Unit 0 is unlikely, and alone brings unit 1; of 0, 2 and 3 one must be on, and 2 is held off."""
    sampler = player([[30.0, 10, 0, 0]], [-10.0, -5, 9, -20], [-15.0], gibbs=6)
    rule = FrameRule(must_be_off=0b0100, limits=(Limit(0b1101, 1, min_active=1),))
    for face in both(sampler):
        got = drawn(face, 50, SamplingParams.for_rows(50, rule=[rule] * 50)).steps
        assert (got[:, [0, 2, 3]] == [1, 0, 0]).all()
        assert got[:, 1].mean() > 0.9


def test_a_chain_starts_from_what_a_rule_leaves_of_the_frame_before():
    sampler = player(PAIRED, *APART, gibbs=1)
    shares = {"on": [], "off": []}
    for face in both(sampler):
        on, off = (
            SamplingParams.for_rows(200, rule=[FrameRule(must_be_on=0b0001)] * 200),
            SamplingParams.for_rows(200, rule=[FrameRule(must_be_off=0b0011)] * 200),
        )
        shares["on"].append(drawn(face, 200, on).steps[:, 1].mean())
        shares["off"].append(drawn(face, 200, off, before=[1, 1, 0, 0]).masked_prob.mean())
    assert min(shares["on"]) > 0.9
    assert max(shares["off"]) < 0.1
    assert shares["on"][0] == shares["on"][1]


def test_top_k_keeps_the_likeliest_units():
    sampler = player(np.zeros((2, 6)), [2.0, 1, 3, 6, 4, 5])
    got = drawn(sampler, 60, SamplingParams.for_rows(60, top_k=[2] * 30 + [0] * 30)).steps
    assert (got[:30, [0, 1, 2, 4]] == 0).all()
    assert got[:30, [3, 5]].mean() > 0.9
    assert got[30:].sum(1).max() > 2


def test_a_chance_is_that_of_the_last_half_step():
    """Where hidden units say nothing, it is the frame's own."""
    bv = np.array([2.0, -1, 0.5], np.float32)
    got = drawn(player(np.zeros((2, 3)), bv), 30)
    expected = np.where(got.steps, bv, 0).sum(1) - np.log1p(np.exp(bv)).sum()
    np.testing.assert_allclose(got.logp, expected, atol=1e-5)


@pytest.mark.parametrize("gibbs", [1, 2])
def test_a_row_does_not_depend_on_how_many_there_are(gibbs):
    rng = np.random.default_rng(0)
    sampler = player(rng.normal(size=(7, 9)), rng.normal(size=9), gibbs=gibbs)
    assert (drawn(sampler, 1, seed=3).steps[0] == drawn(sampler, 8).steps[3]).all()
