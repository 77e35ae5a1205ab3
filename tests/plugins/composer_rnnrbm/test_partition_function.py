"""Partition functions and Gibbs chains of RBMs small enough to enumerate."""

import itertools

import pytest
import torch

from composer_rnnrbm import partition_function
from composer_rnnrbm.partition_function import (
    Effort,
    by_annealing,
    by_enumeration,
    log_partition,
    most_frequent,
    sufficient_chains,
    sum_over,
    temperatures,
)
from composer_rnnrbm.rbm import free_energy, gibbs


def make_rbms(count, visible, hidden, spread=1.0):
    torch.manual_seed(0)
    return (
        spread * torch.randn(hidden, visible) / visible**0.5,
        torch.randn(count, visible) - 1,
        torch.randn(count, hidden),
    )


def states(units):
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=units)))


@pytest.mark.parametrize(("visible", "hidden"), [(5, 3), (3, 5)])
def test_enumeration_is_exact(visible, hidden):
    W, bv, bh = make_rbms(4, visible, hidden)
    v, h = states(visible), states(hidden)
    energy = (v @ bv.T)[:, None] + (h @ bh.T)[None] + (v @ W.T @ h.T)[..., None]
    expected = energy.flatten(0, 1).double().logsumexp(0)
    assert torch.allclose(by_enumeration(W, bv, bh), expected, atol=1e-4)
    assert torch.allclose(log_partition(W, bv, bh, Effort(1, 1))[0], expected, atol=1e-4)


@pytest.mark.parametrize("spread", [1.0, 3.0])
def test_annealing_agrees_with_enumeration(spread):
    W, bv, bh = make_rbms(20, 30, 14, spread)
    exact = by_enumeration(W, bv, bh)
    log_z, variance = by_annealing(W, bv, bh, Effort(500, 8))
    assert (log_z - exact).abs().mean() < 0.05
    assert abs(float((log_z - exact).mean())) < 0.02
    assert 0 < variance.mean().sqrt() < 0.1
    assert float(((log_z - exact) ** 2 / variance).mean()) < 4


def test_temperatures_are_closer_near_the_end():
    found = torch.tensor(temperatures(20))
    gaps = found.diff()
    assert (found[0], found[-1]) == (0, 1)
    assert (gaps.diff() < 0).all()
    assert gaps[0] > 5 * gaps[-1] > 0


def test_chains_are_as_many_as_the_variance_needs():
    W, bv, bh = make_rbms(40, 30, 14)
    torch.manual_seed(0)
    limited = Effort(20, 400, max_variance=1e-4)
    chains = sufficient_chains(W, bv, bh, limited)
    assert 10 < chains < 400
    assert 0.25e-4 < by_annealing(W, bv, bh, Effort(20, chains))[1].mean() < 4e-4
    assert sufficient_chains(W, bv, bh, limited.times(4)) > 2 * chains
    assert sufficient_chains(W, bv, bh, Effort(20, 400, max_variance=1e-4, max_stderr=0.001)) > 2 * chains
    assert sufficient_chains(W, bv, bh, Effort(20, 30, max_variance=1e-9)) == 30


def test_progress_is_the_share_of_frames(monkeypatch):
    monkeypatch.setattr(partition_function, "MAX_NUMBERS", 2 * 16 * 4)
    shares = []
    log_partition(*make_rbms(10, 16, 12), Effort(2, 2), progress=shares.append)
    assert shares == pytest.approx([0.4, 0.8, 1.0])


def test_shared_noise_makes_estimates_independent_of_the_batch():
    W, bv, bh = make_rbms(6, 16, 12)
    effort = Effort(30, 2, shared=True)
    whole, _ = by_annealing(W, bv, bh, effort)
    alone = torch.cat([by_annealing(W, bv[n : n + 1], bh[n : n + 1], effort)[0] for n in range(6)])
    assert torch.allclose(whole, alone, atol=1e-5)
    assert (whole - by_enumeration(W, bv, bh)).abs().max() < 0.5


def test_parallel_chains_sample_each_rbm():
    W, bv, bh = make_rbms(2, 4, 3, spread=2.0)
    v = states(4)
    probability = torch.stack([torch.softmax(-free_energy(v, W, *biases), 0) for biases in zip(bv, bh, strict=True)])
    rows = torch.arange(2).repeat(20_000)
    frames = gibbs(torch.zeros(len(rows), 4), W, bv[rows], bh[rows], k=30)
    index = (frames @ torch.tensor([8.0, 4.0, 2.0, 1.0])).long()
    frequencies = torch.stack([torch.bincount(index[rows == row], minlength=16) / 20_000 for row in range(2)])
    assert (frequencies - probability).abs().max() < 0.02
    assert (probability[0] - probability[1]).abs().max() > 0.1


def test_the_sum_over_all_frames_is_z():
    W, bv, bh = make_rbms(12, 6, 4)
    every = states(6)
    whole = by_enumeration(W, bv, bh)
    torch.testing.assert_close(sum_over(W, bv, bh, every), whole, rtol=0, atol=1e-5)
    assert (sum_over(W, bv, bh, every[::3]) < whole).all()


@pytest.mark.parametrize("share", [2, 1])
def test_chains_do_not_count_known_frames_again(share):
    W, bv, bh = make_rbms(12, 6, 4)
    torch.manual_seed(0)
    log_z, variance = by_annealing(W, bv, bh, Effort(40, 100), states(6)[::share])
    torch.testing.assert_close(log_z, by_enumeration(W, bv, bh), rtol=0, atol=0.1 if share > 1 else 1e-5)
    assert (variance > 0).all() if share > 1 else (variance == 0).all()


def test_known_frames_add_no_error_if_chains_mix():
    W, bv, bh = make_rbms(100, 6, 4)
    exact = by_enumeration(W, bv, bh)
    torch.manual_seed(0)
    alone, with_known = (by_annealing(W, bv, bh, Effort(40, 4), known)[0] for known in (None, states(6)[::2]))
    assert (with_known - exact).square().mean() < 1.2 * (alone - exact).square().mean()


def test_known_frames_recover_missed_modes():
    """Two distant chords of eight keys: chains that start near one never reach the other."""
    chords = torch.zeros(2, 16)
    chords[0, :8] = chords[1, 8:] = 1
    W = 12 * torch.cat([chords * 2 - 1] * 8)
    bv, bh = torch.zeros(1, 16), torch.full((1, 16), -90.0)
    bv[:, 8:] += 0.5
    torch.manual_seed(0)
    alone, _ = log_partition(W, bv, bh, Effort(50, 2))
    frequencies, variance = log_partition(W, bv, bh, Effort(50, 2), chords)
    assert frequencies == sum_over(W, bv, bh, chords) > alone
    assert variance == 0


def test_most_frequent():
    frames = torch.tensor([[1.0, 0], [0, 1], [0, 1], [0, 0], [1, 0], [0, 1]])
    assert most_frequent(frames, 2).tolist() == [[0, 1], [1, 0]]
    assert len(most_frequent(frames, 9)) == 3
