"""Sampling filters and random numbers in numpy."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import FrameRule, Limit
from composer.api.sampling.filters import (
    BatchSamplingParams,
    CounterRNG,
    draw_frames,
    draw_tokens,
    log_softmax,
    mask_array,
)
from composer.api.sampling.params import UNIFORM

LOGITS = np.log(np.array([[0.4, 0.3, 0.2, 0.1]]))


def step_rng(seed=0, rows=1, step=0):
    return CounterRNG(range(seed, seed + rows)).at_steps(np.full(rows, step))


def frequencies(rows=4000, **settings):
    """Return how often each of four tokens with probabilities .4 .3 .2 .1 is drawn."""
    logits = np.repeat(LOGITS, rows, axis=0)
    draw = draw_tokens(logits, BatchSamplingParams.for_rows(rows, **settings), step_rng(rows=rows))
    return np.bincount(draw.steps, minlength=4) / rows


def test_tokens_have_the_frequencies_of_the_model():
    assert frequencies() == pytest.approx([0.4, 0.3, 0.2, 0.1], abs=0.03)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"temperature": 0}, [1, 0, 0, 0]),
        ({"temperature": 0.5}, [16 / 30, 9 / 30, 4 / 30, 1 / 30]),
        ({"top_k": 2}, [4 / 7, 3 / 7, 0, 0]),
        ({"top_p": 0.5}, [4 / 7, 3 / 7, 0, 0]),
        ({"top_p": 0.01}, [1, 0, 0, 0]),
        ({"min_p": 0.6}, [4 / 7, 3 / 7, 0, 0]),
        ({"top_k": 3, "top_p": 0.5}, [4 / 7, 3 / 7, 0, 0]),
        ({"temperature": 1e6}, [0.25] * 4),
        ({"temperature": UNIFORM}, [0.25] * 4),
        ({"temperature": UNIFORM, "top_k": 2}, [0.5, 0.5, 0, 0]),
    ],
)
def test_filters(settings, expected):
    assert frequencies(**settings) == pytest.approx(expected, abs=0.03)


def test_mask_applies_first_and_its_mass_is_reported():
    rule = np.array([[False, True, True, False]])
    draw = draw_tokens(LOGITS, BatchSamplingParams.for_rows(1, temperature=0, rule=rule), step_rng())
    assert draw.steps.tolist() == [1]
    assert draw.masked_prob == pytest.approx([0.5])
    assert draw.logp == pytest.approx(np.log([0.3]))


def test_mask_applies_even_if_probabilities_underflow():
    logits = np.array([[0.0, -1000.0, -1200.0]])
    draw = draw_tokens(logits, BatchSamplingParams.for_rows(1, rule=np.array([[False, True, True]])), step_rng())
    assert draw.steps.tolist() == [1]


def test_rows_have_their_own_params():
    logits = np.repeat(LOGITS, 2, axis=0)
    rule = np.array([[True] * 4, [False, False, False, True]])
    draw = draw_tokens(logits, BatchSamplingParams.for_rows(2, temperature=[0, 1], rule=rule), step_rng(rows=2))
    assert draw.steps.tolist() == [0, 3]


@given(st.integers(0, 2**63), st.integers(0, 10**6), st.integers(1, 9))
def test_random_numbers_do_not_depend_on_other_rows(seed, step, rows):
    alone = CounterRNG([seed]).at_steps(np.array([step])).uniform(1, 3)
    seeds = [*range(rows - 1), seed]
    together = CounterRNG(seeds).at_steps(np.array([*range(rows - 1), step])).uniform(rows, 3)
    assert (together[-1] == alone[0]).all()
    assert ((alone >= 0) & (alone < 1)).all()


def test_random_numbers_do_not_depend_on_call_order():
    one = step_rng().uniform(1, 1), step_rng().uniform(1, 3)
    at = step_rng()
    split = np.concatenate([at.uniform(1, 1), at.uniform(1, 2)], axis=1)
    assert (split == one[1]).all()
    assert one[0][0, 0] == one[1][0, 0]
    sequential = CounterRNG([5])
    values = [sequential.at_steps(np.array([step])).uniform(1, 1)[0, 0] for step in range(200)]
    assert values[150] == CounterRNG([5]).at_steps(np.array([150])).uniform(1, 1)[0, 0]
    assert len(set(values)) == 200


def test_random_numbers_are_uniform():
    values = CounterRNG(range(500)).at_steps(np.zeros(500, int)).uniform(500, 40)
    counts, _ = np.histogram(values, bins=20, range=(0, 1))
    assert (np.abs(counts - 1000) < 160).all()  # five standard deviations


def test_frame_rules_apply():
    logits = np.full((1, 8), 3.0)
    rule = FrameRule(must_be_off=0b11, must_be_on=0b100, limits=(Limit(0b11111000, 2),))
    draw = draw_frames(logits, BatchSamplingParams.for_rows(1, rule=[rule]), step_rng())
    assert draw.steps[0, :3].tolist() == [0, 0, 1]
    assert draw.steps[0, 3:].sum() == 2
    assert draw.masked_prob[0] > 0.9


def test_missing_units_are_the_most_likely_ones():
    logits = np.array([[-9.0, -7, -8, -6, 9]])
    rule = FrameRule(must_be_off=0b1000, limits=(Limit(0b01111, 3, min_active=2), Limit(0b10000, 1, min_active=1)))
    assert draw_frames(logits, BatchSamplingParams.for_rows(1, rule=[rule]), step_rng()).steps.tolist() == [
        [0, 1, 1, 0, 1]
    ]
    assert draw_frames(logits, BatchSamplingParams.for_rows(1, top_k=1, rule=[rule]), step_rng()).steps.tolist() == [
        [0, 1, 1, 0, 1]
    ]


def test_projection_applies_last():
    rule = FrameRule(project=lambda frame: tuple(unit for unit in frame if unit % 2 == 0))
    draw = draw_frames(np.full((1, 6), 9.0), BatchSamplingParams.for_rows(1, rule=[rule]), step_rng())
    assert draw.steps.tolist() == [[1, 0, 1, 0, 1, 0]]


def test_infinite_temperature_is_exactly_uniform():
    logits, rule = np.array([[90.0, -90.0, 5.0, 0.0]], np.float32), np.array([[True, True, False, True]])
    params = BatchSamplingParams.for_rows(1, temperature=UNIFORM, rule=rule)
    with np.errstate(over="raise", invalid="raise"):
        draws = [int(draw_tokens(logits, params, step_rng(step=step)).steps[0]) for step in range(3000)]
        frames = [
            draw_frames(logits, BatchSamplingParams.for_rows(1, temperature=UNIFORM), step_rng(step=step)).steps
            for step in range(2000)
        ]
    assert [draws.count(token) / 3000 for token in range(4)] == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3], abs=0.04)
    assert np.mean(frames, axis=(0, 1)) == pytest.approx([0.5] * 4, abs=0.05)


UNITS = np.array([[1.5, -1.0, 0.4]])
"""Logits of independent units."""
FRAMES = np.array(list(product([0, 1], repeat=3)))


def frame_frequencies(rows=6000, logits=UNITS, **settings):
    """Return how often each of FRAMES is drawn."""
    rng = CounterRNG(range(rows)).at_steps(np.zeros(rows, int))
    draw = draw_frames(np.repeat(logits, rows, axis=0), BatchSamplingParams.for_rows(rows, **settings), rng)
    return np.bincount(draw.steps @ [4, 2, 1], minlength=8) / rows


def frame_probabilities(temperature=1.0):
    weights = np.exp((FRAMES @ UNITS[0]) / temperature)
    return weights / weights.sum()


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"top_k": 2}, 2),
        ({"top_k": 3, "temperature": 1.5}, 3),
        ({"top_p": 0.3, "temperature": 0.7}, 1),
        ({"top_p": 0.5}, 2),
        ({"min_p": 0.3}, 3),
        ({"top_k": 3, "min_p": 0.5}, 2),
        ({"temperature": 0.5}, 8),
    ],
)
def test_filters_apply_to_whole_frames(settings, kept):
    """The probabilities of the frames, in order, are 0.36, 0.24, 0.13, 0.09, 0.08, 0.05, 0.03 and 0.02."""
    exact = frame_probabilities(settings.get("temperature", 1.0))
    likeliest = np.argsort(-exact)[:kept]
    expected = np.zeros(8)
    expected[likeliest] = exact[likeliest] / exact[likeliest].sum()
    assert np.abs(frame_frequencies(**settings) - expected).sum() / 2 < 0.06


def test_the_likeliest_frame_is_greedy():
    for settings in ({"temperature": 0}, {"top_k": 1}, {"temperature": 0, "top_k": 2}):
        assert frame_frequencies(50, **settings)[0b101] == 1


def test_rows_without_filters_do_not_depend_on_others():
    logits, rng = np.repeat(UNITS, 40, axis=0), CounterRNG(range(40))
    plain, mixed = BatchSamplingParams.for_rows(40), BatchSamplingParams.for_rows(40, top_k=[0, 2] * 20)
    alone, together = (draw_frames(logits, each, rng.at_steps(np.zeros(40, int))).steps for each in (plain, mixed))
    assert (alone[::2] == together[::2]).all()
    assert (alone[1::2] != together[1::2]).any()


def test_candidates_that_obey_the_rules_are_preferred():
    """Two units must be on: that is not the likeliest frame and the likeliest unit added."""
    rule = FrameRule(limits=(Limit(0b111, 3, min_active=2),))
    allowed = FRAMES.sum(1) >= 2
    exact = np.where(allowed, frame_probabilities(), 0)
    found = frame_frequencies(top_p=0.999, rule=[rule] * 6000)
    assert found[~allowed].sum() == 0
    assert found == pytest.approx(exact / exact.sum(), abs=0.04)


def test_recorded_pieces_are_filtered_unit_by_unit():
    logits = np.array([[2.0, -1.0, 0.5, 1.0]])
    params = BatchSamplingParams.for_rows(1, temperature=0, top_k=2, per_unit=True)
    assert draw_frames(logits, params, step_rng()).steps.tolist() == [[1, 0, 0, 1]]


def test_log_prob_ignores_filters():
    draw = draw_tokens(LOGITS, BatchSamplingParams.for_rows(1, temperature=0.1, top_k=1), step_rng())
    assert draw.logp == pytest.approx(log_softmax(LOGITS)[0, draw.steps])
    logits = np.array([[0.3, -0.7]])
    frame = draw_frames(logits, BatchSamplingParams.for_rows(1), step_rng())
    prob = 1 / (1 + np.exp(-logits))
    expected = np.log(np.where(frame.steps, prob, 1 - prob)).sum()
    assert frame.logp == pytest.approx([expected])


def test_mask_array():
    assert mask_array(0b1011, 10).nonzero()[0].tolist() == [0, 1, 3]
