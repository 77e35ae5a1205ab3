"""The rows of a micro-batch: some rows of a batch, and of the state that a network carries between sequences.

A state consists of tensors as the network likes, with the rows on any axis. The axis is found by comparing the states
of two batches that differ only in their number of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from composer.api.network import Batch, Network

FEWER_ROWS, MORE_ROWS = 2, 3
"""Rows of the two batches that are compared."""


def rows_of(batch: Batch, rows: range) -> Batch:
    """Return these rows of a batch."""
    return batch.map(lambda tensor: tensor[rows.start : rows.stop])


class BatchAxes:
    """The axis of each tensor of a network's state that has the rows; None if it has none."""

    def __init__(self, network: Network, batch: Batch) -> None:
        """Compare the states that `network` returns after one step of `batch`, on the device of both."""
        import torch

        training = network.training
        network.eval()  # so that running statistics stay
        with torch.no_grad(), torch.random.fork_rng():
            states = [network.loss(_repeated(batch, rows), None)[1] for rows in (FEWER_ROWS, MORE_ROWS)]
        network.train(training)
        rows, pairs = (FEWER_ROWS, MORE_ROWS), zip(*map(_tensors, states), strict=True)
        sizes = [list(zip(fewer.shape, more.shape, strict=True)) for fewer, more in pairs]
        self._dimensions = [len(each) for each in sizes]
        self._axes = [each.index(rows) if rows in each else None for each in sizes]

    def fit(self, state: Any, rows: int) -> bool:
        """Return whether `state` has the tensors of a state of that many rows; other sizes may depend on the time."""
        tensors = _tensors(state)
        return [tensor.dim() for tensor in tensors] == self._dimensions and all(
            axis is None or tensor.shape[axis] == rows for tensor, axis in zip(tensors, self._axes, strict=True)
        )

    def select_rows(self, state: Any, rows: range) -> Any:
        """Return these rows of `state`."""
        pairs, begin = zip(_tensors(state), self._axes, strict=True), rows.start
        tensors = (each if axis is None else each.narrow(axis, begin, len(rows)) for each, axis in pairs)
        return _fill(state, tensors)

    def concat_rows(self, states: Sequence[Any]) -> Any:
        """Return the rows of all `states` in order; tensors without rows come from the first."""
        import torch

        parts = zip(zip(*map(_tensors, states), strict=True), self._axes, strict=True)
        return _fill(states[0], (each[0] if axis is None else torch.cat(each, axis) for each, axis in parts))


def _repeated(batch: Batch, rows: int) -> Batch:
    """Return the first step of the first row, repeated on `rows` rows, with weight 1."""
    step = rows_of(batch, range(1)).slice_time(0, 1)
    repeated = step.map(lambda tensor: tensor.expand(rows, *tensor.shape[1:]).clone())
    repeated.weight.fill_(1)
    return repeated


def _tensors(state: Any) -> list[torch.Tensor]:
    """Return the tensors of a state, in the order in which `_fill` takes them."""
    import torch

    if isinstance(state, torch.Tensor):
        return [state]
    items = state.values() if isinstance(state, Mapping) else state if isinstance(state, tuple | list) else ()
    return [tensor for item in items for tensor in _tensors(item)]


def _fill(state: Any, tensors: Iterator[torch.Tensor]) -> Any:
    """Return `state` with its tensors replaced by the next of `tensors`."""
    import torch

    if isinstance(state, torch.Tensor):
        return next(tensors)
    if isinstance(state, Mapping):
        return {key: _fill(item, tensors) for key, item in state.items()}
    if isinstance(state, tuple | list):
        items = [_fill(item, tensors) for item in state]
        return tuple(items) if isinstance(state, tuple) else items
    return state
