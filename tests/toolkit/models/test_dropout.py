"""Fast dropout, alone and between LSTM layers."""

import pytest
import torch
from torch import nn

from composer.toolkit.models import dropout, lstm_torch


@pytest.mark.parametrize("rate", [0.02, 0.2, 0.5, 0.9])
def test_rate_and_scale(rate):
    torch.manual_seed(0)
    dropped = dropout.drop(torch.ones(50, 40, 101), rate)
    kept = dropped[dropped != 0]
    assert kept.unique().tolist() == pytest.approx([1 / (1 - rate)], rel=1e-4)
    assert kept.numel() / dropped.numel() == pytest.approx(1 - rate, abs=0.005)
    torch.manual_seed(0)
    assert torch.equal(dropped, dropout.drop(torch.ones(50, 40, 101), rate))


def test_neighbors_are_independent():
    torch.manual_seed(0)
    kept = (dropout.drop(torch.ones(4, 10_000), 0.5) != 0).float()
    correlation = torch.corrcoef(kept.view(-1, 8).T) - torch.eye(8)
    assert correlation.abs().max() < 0.05


def test_rates_zero_and_one():
    ones = torch.ones(3, 5)
    assert torch.equal(dropout.drop(ones, 0.0), ones)
    assert torch.equal(dropout.drop(ones, 1.0), ones * 0)


def test_gradients():
    torch.manual_seed(0)
    values = torch.ones(100, requires_grad=True)
    dropped = dropout.drop(values, 0.3)
    dropped.sum().backward()
    assert torch.equal(values.grad, dropped.detach())


def test_no_dropout_in_evaluation():
    ones = torch.ones(3, 5)
    assert torch.equal(dropout.Dropout(0.5).eval()(ones), ones)


def test_dropout_between_lstm_layers(monkeypatch):
    """Without dropout, outputs equal those of nn.LSTM; dropout applies to inputs of upper layers."""
    torch.manual_seed(0)
    lstm, vectors = nn.LSTM(5, 7, 3, dropout=0.5, batch_first=True), torch.randn(2, 11, 5)
    state = torch.randn(3, 2, 7), torch.randn(3, 2, 7)
    calls = []
    monkeypatch.setattr(lstm_torch, "drop", lambda values, rate: calls.append((tuple(values.shape), rate)) or values)
    outputs, ends = lstm_torch.lstm_with_resets(lstm.train(), vectors, state, None)
    assert calls == [((2, 11, 7), 0.5)] * 2
    expected, expected_ends = lstm.eval()(vectors, state)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(ends, expected_ends)
