"""Filters and noise: each does what it says, and none depends on its neighbours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import FrameRule, Limit
from composer.api.sampling.filters import CounterRNG, SamplingParams, draw_frames, draw_tokens, log_softmax, mask_array

LOGITS = np.log(np.array([[0.4, 0.3, 0.2, 0.1]]))


def noise(seed=0, rows=1, step=0):
    return CounterRNG(range(seed, seed + rows)).at_steps(np.full(rows, step))


def shares(how_many=4000, **settings):
    """How often each of four tokens with chances .4 .3 .2 .1 is drawn."""
    logits = np.repeat(LOGITS, how_many, axis=0)
    drawn = draw_tokens(logits, SamplingParams.for_rows(how_many, **settings), noise(rows=how_many))
    return np.bincount(drawn.steps, minlength=4) / how_many


def test_tokens_are_drawn_as_often_as_the_model_says():
    assert shares() == pytest.approx([0.4, 0.3, 0.2, 0.1], abs=0.03)


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
    ],
)
def test_filters(settings, expected):
    assert shares(**settings) == pytest.approx(expected, abs=0.03)


def test_the_rule_comes_first_and_its_mass_is_reported():
    rule = np.array([[False, True, True, False]])
    drawn = draw_tokens(LOGITS, SamplingParams.for_rows(1, temperature=0, rule=rule), noise())
    assert drawn.steps.tolist() == [1]
    assert drawn.masked_prob == pytest.approx([0.5])
    assert drawn.logp == pytest.approx(np.log([0.3]))


def test_a_rule_holds_even_where_the_model_says_never():
    logits = np.array([[0.0, -1000.0, -1200.0]])
    drawn = draw_tokens(logits, SamplingParams.for_rows(1, rule=np.array([[False, True, True]])), noise())
    assert drawn.steps.tolist() == [1]


def test_each_row_may_be_drawn_in_its_own_way():
    logits = np.repeat(LOGITS, 2, axis=0)
    rule = np.array([[True] * 4, [False, False, False, True]])
    drawn = draw_tokens(logits, SamplingParams.for_rows(2, temperature=[0, 1], rule=rule), noise(rows=2))
    assert drawn.steps.tolist() == [0, 3]


@given(st.integers(0, 2**63), st.integers(0, 10**6), st.integers(1, 9))
def test_noise_does_not_depend_on_its_neighbours(seed, step, rows):
    alone = CounterRNG([seed]).at_steps(np.array([step])).uniform(1, 3)
    seeds = [*range(rows - 1), seed]
    together = CounterRNG(seeds).at_steps(np.array([*range(rows - 1), step])).uniform(rows, 3)
    assert (together[-1] == alone[0]).all()
    assert ((alone >= 0) & (alone < 1)).all()


def test_noise_goes_on_within_a_step_and_is_the_same_ahead_or_not():
    one = noise().uniform(1, 1), noise().uniform(1, 3)
    at = noise()
    split = np.concatenate([at.uniform(1, 1), at.uniform(1, 2)], axis=1)
    assert (split == one[1]).all()
    assert one[0][0, 0] == one[1][0, 0]
    walked = CounterRNG([5])
    values = [walked.at_steps(np.array([step])).uniform(1, 1)[0, 0] for step in range(200)]
    assert values[150] == CounterRNG([5]).at_steps(np.array([150])).uniform(1, 1)[0, 0]
    assert len(set(values)) == 200


def test_noise_is_uniform():
    values = CounterRNG(range(500)).at_steps(np.zeros(500, int)).uniform(500, 40)
    counts, _ = np.histogram(values, bins=20, range=(0, 1))
    assert (np.abs(counts - 1000) < 160).all()  # five standard deviations


def test_a_frame_obeys_what_must_be_off_or_on_and_how_many():
    logits = np.full((1, 8), 3.0)
    rule = FrameRule(must_be_off=0b11, must_be_on=0b100, limits=(Limit(0b11111000, 2),))
    drawn = draw_frames(logits, SamplingParams.for_rows(1, rule=[rule]), noise())
    assert drawn.steps[0, :3].tolist() == [0, 0, 1]
    assert drawn.steps[0, 3:].sum() == 2
    assert drawn.masked_prob[0] > 0.9


def test_units_that_a_frame_lacks_are_the_likeliest_that_may_be_on():
    logits = np.array([[-9.0, -7, -8, -6, 9]])
    rule = FrameRule(must_be_off=0b1000, limits=(Limit(0b01111, 3, min_active=2), Limit(0b10000, 1, min_active=1)))
    assert draw_frames(logits, SamplingParams.for_rows(1, rule=[rule]), noise()).steps.tolist() == [[0, 1, 1, 0, 1]]
    assert draw_frames(logits, SamplingParams.for_rows(1, top_k=1, rule=[rule]), noise()).steps.tolist() == [
        [0, 1, 1, 0, 1]
    ]


def test_a_frame_is_projected_last():
    rule = FrameRule(project=lambda frame: tuple(unit for unit in frame if unit % 2 == 0))
    drawn = draw_frames(np.full((1, 6), 9.0), SamplingParams.for_rows(1, rule=[rule]), noise())
    assert drawn.steps.tolist() == [[1, 0, 1, 0, 1, 0]]


def test_greedy_frames_and_the_likeliest_units():
    logits = np.array([[2.0, -1.0, 0.5, 1.0]])
    assert draw_frames(logits, SamplingParams.for_rows(1, temperature=0), noise()).steps.tolist() == [[1, 0, 1, 1]]
    assert draw_frames(logits, SamplingParams.for_rows(1, temperature=0, top_k=2), noise()).steps.tolist() == [
        [1, 0, 0, 1]
    ]


def test_the_log_probability_is_the_models_own():
    drawn = draw_tokens(LOGITS, SamplingParams.for_rows(1, temperature=0.1, top_k=1), noise())
    assert drawn.logp == pytest.approx(log_softmax(LOGITS)[0, drawn.steps])
    logits = np.array([[0.3, -0.7]])
    frame = draw_frames(logits, SamplingParams.for_rows(1), noise())
    chance = 1 / (1 + np.exp(-logits))
    expected = np.log(np.where(frame.steps, chance, 1 - chance)).sum()
    assert frame.logp == pytest.approx([expected])


def test_a_mask_is_its_bits():
    assert mask_array(0b1011, 10).nonzero()[0].tolist() == [0, 1, 3]
