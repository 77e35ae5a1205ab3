"""LSTM layers in torch, with state resets between pieces."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from composer.toolkit.models.dropout import drop
from composer.toolkit.models.embedded_torch import with_resets

__all__ = ["init_forget_bias", "lstm_with_resets"]


@torch.no_grad()
def init_forget_bias(lstm: nn.LSTM) -> None:
    """Start with open forget gates (Jozefowicz, Zaremba and Sutskever 2015)."""
    for layer in range(lstm.num_layers):
        getattr(lstm, f"bias_ih_l{layer}")[lstm.hidden_size : 2 * lstm.hidden_size] = 1.0


def lstm_with_resets(
    lstm: nn.LSTM, vectors: Tensor, state: tuple[Tensor, ...], reset: Tensor | None
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return the outputs (B, T, H) of `lstm` over `vectors`, clearing the state at each `reset`, and the last state.

    The state is the hidden and the cell (layers, B, H).
    """
    return with_resets(partial(_lstm_layers, lstm), vectors, state, reset)


def _lstm_layers(lstm: nn.LSTM, vectors: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Call `lstm`, or its layers one by one with the faster `drop` between them."""
    if not (lstm.training and lstm.dropout and vectors.device.type == "cpu"):
        result: tuple[Tensor, tuple[Tensor, ...]] = lstm(vectors, state)
        return result
    final_states = []
    for layer, (weights, hidden, cell) in enumerate(zip(lstm.all_weights, *state, strict=True)):
        dropped = drop(vectors, lstm.dropout) if layer else vectors
        begin = (hidden[None], cell[None])
        vectors, *final_state = torch.lstm(dropped, begin, tuple(weights), True, 1, 0.0, True, False, True)
        final_states.append(final_state)
    hidden, cell = (torch.cat(parts) for parts in zip(*final_states, strict=True))
    return vectors, (hidden, cell)
