"""NADE with limits on the units that are on: drawn given how many they leave room for."""

import numpy as np
import pytest

from composer.api import FrameRule, Limit
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG
from composer.toolkit.models.nade_numpy import NadeSampler


def make_independent(logits):
    """Return a sampler whose units do not depend on each other, and its biases."""
    size = len(logits)
    both = np.concatenate([np.asarray(logits, np.float32), np.zeros(1, np.float32)])
    return NadeSampler(np.zeros((1, size), np.float32), np.zeros((size, 1), np.float32)), both


def draws_given(logits, rule, temperature, rows=20_000):
    """Return frames of independent units that a rule limits."""
    sampler, both = make_independent(logits)
    rng = CounterRNG(range(rows)).at_steps(np.zeros(rows, int))
    params = BatchSamplingParams.for_rows(rows, temperature=temperature, rule=[rule] * rows)
    return sampler.draw(np.tile(both, (rows, 1)), params, rng).steps.astype(bool)


@pytest.mark.parametrize("minimum", [0, 1])
def test_all_frames_within_a_limit_are_equally_likely_at_an_infinite_temperature(minimum):
    size = 12
    rule = FrameRule(must_be_on=1 << 5, limits=(Limit((1 << size) - 1, 3, minimum), Limit(0b1111, 1)))
    frames = draws_given(np.linspace(-3, 3, size), rule, 1e30)
    numbers = frames @ (1 << np.arange(size))
    within = [
        number
        for number in range(1 << size)
        if number >> 5 & 1 and number.bit_count() <= 3 and (number & 0b1111).bit_count() <= 1
    ]
    counts = np.bincount(numbers, minlength=1 << size)
    assert counts.sum() == counts[within].sum()
    assert np.abs(counts[within] / len(frames) * len(within) - 1).max() < 0.35


def test_pitches_within_a_limit_that_seldom_binds_are_those_of_the_model():
    logits = np.random.default_rng(2).normal(-3, 1, 24)
    tempered = 1 / (1 + np.exp(-logits / 1.2))
    frames = draws_given(logits, FrameRule(limits=(Limit((1 << 24) - 1, 4),)), 1.2)
    free = np.random.default_rng(1).random((400_000, 24)) < tempered
    goal = free[free.sum(axis=1) <= 4].mean(axis=0)
    assert np.abs(frames.mean(axis=0) - goal).max() < 0.015


def test_limits_of_recorded_pieces_are_met_in_order():
    rule = FrameRule(limits=(Limit((1 << 24) - 1, 2),), in_order=True)
    frames = draws_given(np.zeros(24), rule, 1e30, rows=1000)
    assert np.nonzero(frames)[1].mean() < 8
    frames = draws_given(np.zeros(24), FrameRule(limits=rule.limits), 1e30, rows=1000)
    assert np.nonzero(frames)[1].mean() == pytest.approx(11.5, abs=0.6)
