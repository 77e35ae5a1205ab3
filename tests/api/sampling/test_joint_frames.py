"""Draw frames from candidates: weights, filters and duplicates; torch agrees with numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.api.sampling import joint_frames, torch_joint_frames
from composer.api.sampling.joint_frames import Truncation, candidate_keys, first_occurrences, gumbel
from composer.api.sampling.rng import FIXED_RNG, CounterRNG
from composer.api.sampling.rng import logistic as numpy_logistic
from composer.api.sampling.torch_rng import HostRNG, fixed_rng, logistic

PROBS = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
"""The model's probabilities of all frames."""


def sample(proposal, temperature, draws=8, rows=20_000, **filters):
    """Return how often each frame is drawn from `draws` candidates of a `proposal`, and a certain one, frame 0."""
    random = np.random.default_rng(0)
    numbers = np.hstack([np.zeros((rows, 1), int), random.choice(len(proposal), p=proposal, size=(rows, draws))])
    frames = numbers[:, :, None] >> np.arange(3) & 1
    truncation = Truncation(*(np.full(rows, filters.get(name, none)) for name, none in NO_FILTERS.items()))
    keys = candidate_keys(
        np.log(PROBS)[numbers], np.log(proposal)[numbers], first_occurrences(frames), np.full(rows, temperature),
        truncation if filters else None, gumbel(random.random((rows, draws + 1))),
    )  # fmt: skip
    drawn = numbers[np.arange(rows), keys.argmax(1)]
    return np.bincount(drawn, minlength=len(PROBS)) / rows


NO_FILTERS = {"top_k": 0, "top_p": 1.0, "min_p": 0.0}


@pytest.mark.parametrize(
    ("temperature", "proposal"),
    [(0.5, PROBS), (0.8, PROBS), (1.0, PROBS), (0.5, np.full(5, 0.2)), (1.5, np.full(5, 0.2)), (1e30, np.full(5, 0.2))],
)
def test_draws_have_the_tempered_probabilities_whatever_the_proposal(temperature, proposal):
    expected = PROBS ** (1 / temperature)
    assert sample(proposal, temperature, draws=16) == pytest.approx(expected / expected.sum(), abs=0.015)


def test_few_candidates_are_between_the_proposal_and_the_goal():
    goal = PROBS**4 / (PROBS**4).sum()
    few, many = (np.abs(sample(PROBS, 0.25, draws) - goal).sum() for draws in (2, 16))
    assert many < few


@pytest.mark.parametrize(
    ("filters", "kept"), [({"top_k": 2}, 2), ({"top_p": 0.6}, 2), ({"min_p": 0.3}, 3), ({"top_k": 4, "top_p": 0.1}, 1)]
)
def test_filters_keep_the_likeliest(filters, kept):
    expected = np.where(np.arange(5) < kept, PROBS, 0)
    assert sample(PROBS, 1.0, draws=16, **filters) == pytest.approx(expected / expected.sum(), abs=0.03)


def test_temperature_zero_takes_the_likeliest():
    assert sample(np.full(5, 0.2), 0.0)[0] == 1


def test_first_occurrences():
    frames = np.array([[[1, 0, 1], [1, 0, 0], [1, 0, 1], [0, 0, 0], [0, 0, 0], [1, 1, 1]]])
    assert first_occurrences(frames).tolist() == [[True, True, False, True, False, True]]


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(2, 12), st.booleans())
def test_torch_agrees_with_numpy(seed, rows, count, with_filters):
    random = np.random.default_rng(seed)
    logp, logq, noise = -9 * random.random((3, rows, count))
    frames = random.random((rows, count, 3)) < 0.5
    temperature = random.choice([0, 0.4, 1, 3, 1e30], size=rows)
    filters = random.integers(0, 5, rows), random.uniform(0.3, 1, rows), random.uniform(0, 0.5, rows)
    valid = first_occurrences(frames)
    keys = candidate_keys(logp, logq, valid, temperature, Truncation(*filters) if with_filters else None, noise)
    tensors = [torch.from_numpy(each) for each in (logp, logq, valid, temperature)]
    truncation = torch_joint_frames.TorchTruncation(*map(torch.from_numpy, filters)) if with_filters else None
    torch_keys = torch_joint_frames.candidate_keys(*tensors, truncation, torch.from_numpy(noise))
    assert (torch_joint_frames.first_occurrences(torch.from_numpy(frames)).numpy() == valid).all()
    np.testing.assert_allclose(keys, torch_keys.numpy(), rtol=1e-9)
    numbers = random.random((rows, count))
    np.testing.assert_allclose(gumbel(numbers), torch_joint_frames.gumbel(torch.from_numpy(numbers)).numpy())


def test_logistic_and_fixed_numbers_in_torch():
    cpu = torch.device("cpu")
    at = CounterRNG([5, 6]).at_steps(np.zeros(2, int))
    again = HostRNG(CounterRNG([5, 6]).at_steps(np.zeros(2, int)), cpu)
    np.testing.assert_allclose(numpy_logistic(at, 2, 7), logistic(again, 2, 7).numpy(), rtol=1e-5)
    for n in (1, 5):
        assert (FIXED_RNG.uniform(1, n) == fixed_rng(cpu).uniform(1, n).numpy()).all()
    assert joint_frames.CANDIDATES > 2
