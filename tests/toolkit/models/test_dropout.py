"""Dropout: the share that it drops, and layers with dropout between them."""

import pytest
import torch
from torch import nn

from composer.toolkit.models import dropout, lstm_torch


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9])
def test_a_share_is_dropped_and_the_rest_is_as_much_larger(share):
    torch.manual_seed(0)
    found = dropout.drop(torch.ones(50, 40, 101), share)
    kept = found[found != 0]
    assert kept.unique().tolist() == pytest.approx([1 / (1 - share)], rel=1e-4)
    assert kept.numel() / found.numel() == pytest.approx(1 - share, abs=0.005)
    torch.manual_seed(0)
    assert torch.equal(found, dropout.drop(torch.ones(50, 40, 101), share))


def test_neighbours_are_dropped_on_their_own():
    torch.manual_seed(0)
    kept = (dropout.drop(torch.ones(4, 10_000), 0.5) != 0).float()
    together = torch.corrcoef(kept.view(-1, 8).T) - torch.eye(8)
    assert together.abs().max() < 0.05


def test_nothing_and_everything():
    ones = torch.ones(3, 5)
    assert torch.equal(dropout.drop(ones, 0.0), ones)
    assert torch.equal(dropout.drop(ones, 1.0), ones * 0)


def test_gradients_go_where_the_values_went():
    torch.manual_seed(0)
    values = torch.ones(100, requires_grad=True)
    found = dropout.drop(values, 0.3)
    found.sum().backward()
    assert torch.equal(values.grad, found.detach())


def test_it_rests_while_a_network_is_measured():
    ones = torch.ones(3, 5)
    assert torch.equal(dropout.Dropout(0.5).eval()(ones), ones)


def test_layers_with_dropout_between_are_the_layers_of_the_module(monkeypatch):
    """With nothing dropped, they give what the module gives; and what enters an upper layer is what is dropped."""
    torch.manual_seed(0)
    lstm, vectors = nn.LSTM(5, 7, 3, dropout=0.5, batch_first=True), torch.randn(2, 11, 5)
    state = torch.randn(3, 2, 7), torch.randn(3, 2, 7)
    seen = []
    monkeypatch.setattr(lstm_torch, "drop", lambda values, share: seen.append((tuple(values.shape), share)) or values)
    outputs, ends = lstm_torch.lstm_with_resets(lstm.train(), vectors, state, None)
    assert seen == [((2, 11, 7), 0.5)] * 2
    expected, expected_ends = lstm.eval()(vectors, state)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(ends, expected_ends)
