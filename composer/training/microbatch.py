"""Some rows of a batch, and of the state that a network carries from window to window.

A state is made of tensors as the network likes, its rows on an axis of its choice. Which axis that is, the states of
two batches tell that differ in nothing but their rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from composer.api.network import Batch, Network

FEWER_ROWS, MORE_ROWS = 2, 3
"""How many rows are looked at."""


def rows_of(batch: Batch, rows: range) -> Batch:
    """These rows of a batch."""
    from composer.api.network import Batch

    cut = slice(rows.start, rows.stop)
    conditions = {name: value[cut] for name, value in batch.conditions.items()}
    return Batch(batch.inputs[cut], batch.targets[cut], batch.weight[cut], batch.reset[cut], conditions)


class BatchAxes:
    """On which axis each tensor of a network's state has its rows; None where it has none."""

    def __init__(self, network: Network, batch: Batch) -> None:
        """Look at the states that `network` hands on after a step of `batch`, on the device of both."""
        import torch

        training = network.training
        network.eval()  # nothing is to be learnt from looking
        with torch.no_grad(), torch.random.fork_rng():
            states = [network.loss(_repeated(batch, rows), None)[1] for rows in (FEWER_ROWS, MORE_ROWS)]
        network.train(training)
        self._axes = [_axis(few, more) for few, more in zip(*map(_tensors, states), strict=True)]

    def select_rows(self, state: Any, rows: range) -> Any:
        """These rows of `state`."""
        return _rebuild(state, [_select(each, axis, rows) for each, axis in self._paired(state)])

    def concat_rows(self, states: Sequence[Any]) -> Any:
        """The rows of all `states`, in order. What has no rows is as in the first."""
        import torch

        parts = zip(*map(_tensors, states), strict=True)
        joined = [
            each[0] if axis is None else torch.cat(each, axis) for each, axis in zip(parts, self._axes, strict=True)
        ]
        return _rebuild(states[0], joined)

    def _paired(self, state: Any) -> Iterator[tuple[torch.Tensor, int | None]]:
        return zip(_tensors(state), self._axes, strict=True)


def _repeated(batch: Batch, rows: int) -> Batch:
    """The first step of the first row, `rows` times, and counted."""
    from composer.api.network import Batch

    step = rows_of(batch, range(1)).slice_time(0, 1)

    def repeat(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.expand(rows, *tensor.shape[1:]).clone()

    conditions = {name: repeat(value) for name, value in step.conditions.items()}
    return Batch(
        repeat(step.inputs), repeat(step.targets), repeat(step.weight).fill_(1), repeat(step.reset), conditions
    )


def _axis(few: torch.Tensor, more: torch.Tensor) -> int | None:
    differing = [
        axis for axis, sizes in enumerate(zip(few.shape, more.shape, strict=True)) if sizes == (FEWER_ROWS, MORE_ROWS)
    ]
    return differing[0] if differing else None


def _select(tensor: torch.Tensor, axis: int | None, rows: range) -> torch.Tensor:
    return tensor if axis is None else tensor.narrow(axis, rows.start, len(rows))


def _tensors(state: Any) -> list[torch.Tensor]:
    """The tensors of a state, in the order in which `_rebuild` puts them."""
    import torch

    if isinstance(state, torch.Tensor):
        return [state]
    inside = state.values() if isinstance(state, Mapping) else state if isinstance(state, tuple | list) else ()
    return [tensor for item in inside for tensor in _tensors(item)]


def _rebuild(state: Any, tensors: Sequence[torch.Tensor]) -> Any:
    """`state` with these in the place of its tensors."""
    return _fill(state, iter(tensors))


def _fill(state: Any, tensors: Iterator[torch.Tensor]) -> Any:
    import torch

    if isinstance(state, torch.Tensor):
        return next(tensors)
    if isinstance(state, Mapping):
        return {key: _fill(item, tensors) for key, item in state.items()}
    if isinstance(state, tuple | list):
        items = [_fill(item, tensors) for item in state]
        return tuple(items) if isinstance(state, tuple) else items
    return state
