"""Gradient of one update: of the whole batch at once, or accumulated over micro-batches and processes.

The objective is a mean over the steps that count. So each micro-batch's is multiplied by how many of its steps count,
gradients are summed over micro-batches and ranks, and the sum is divided by the total count: the gradient of the whole
batch, however it was divided.

Why not torch's DistributedDataParallel: it takes the plain mean over ranks, it hooks into `forward`, while a network
here is asked for its `loss`, and it communicates during the backward pass, where a rank that runs out of memory would
leave the others waiting. Here ranks communicate after it: first what hosts know (whether memory ran out, how many steps
counted, which parameters have a gradient), then all gradients at once. That this cannot overlap with the backward pass
costs little for networks of some million weights.

Running statistics of batch normalization are averaged over ranks too, though each rank normalizes by its own rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from composer.data.batches import to_device
from composer.distributed.environment import shard
from composer.system.out_of_memory import OOMGuard, OutOfMemory, release_cached_memory
from composer.training.batch_rows import BatchAxes, rows_of
from composer.training.optimizer import autocast

if TYPE_CHECKING:
    import torch

    from composer.api.network import Batch, Loss, Network
    from composer.distributed.group import ProcessGroup

    _LossOf = Callable[[Batch, Any], tuple[Loss, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class StepResult:
    """The mean `monitor` of an update, on its device, how many steps `counted`, and the `state` after it."""

    monitor: torch.Tensor
    counted: float
    state: Any


def micro_batches(count: int, max_rows: int) -> list[range]:
    """Divide `count` rows evenly into as few micro-batches of at most `max_rows` as possible; 0 is no limit."""
    parts = -(-count // max_rows) if max_rows else min(1, count)
    return [shard(range(count), part, parts) for part in range(parts)]


def compute_gradient(
    network: Network, batch: Batch, state: Any, *, group: ProcessGroup, device: str, precision: str,
    max_rows: int = 0, axes: BatchAxes | None = None,
) -> StepResult:  # fmt: skip
    """Compute the gradient of an update over the rows of all ranks; `batch` and `state` are this rank's rows.

    With `max_rows`, that many rows go through the network at a time; `axes` then divides the state. Raises OutOfMemory
    on all ranks alike, with everything but the random numbers as before.
    """

    def loss(rows: Batch, before: Any) -> tuple[Loss, Any]:
        with autocast(precision, device):
            return network.loss(to_device(rows, device), before)

    parts = micro_batches(len(batch.inputs), max_rows)
    buffers, guard, found = _Buffers(network), OOMGuard(), None
    whole = group.is_single and len(parts) == 1
    with guard.guarding():
        found = _whole_batch(loss, batch, state) if whole else _by_micro_batch(loss, batch, state, parts, axes, device)
    parameters = list(network.parameters())
    have_grad = [float(parameter.grad is not None) for parameter in parameters]
    ranks = group.all_gather_floats([float(guard.triggered), found.counted if found else 0.0, *have_grad])
    if found is None or any(out_of_memory for out_of_memory, *_ in ranks):
        found = None  # releases what was computed
        network.zero_grad(set_to_none=True)
        buffers.restore()
        release_cached_memory(device)
        raise OutOfMemory
    if whole:
        return found
    on_any_rank = [any(flags) for flags in zip(*(flags for _, _, *flags in ranks), strict=True)]
    with_grad = [parameter for parameter, flag in zip(parameters, on_any_rank, strict=True) if flag]
    total = sum(counted for _, counted, *_ in ranks)
    return StepResult(_all_reduce(with_grad, buffers, found, total, group), total, found.state)


def _whole_batch(loss: _LossOf, batch: Batch, state: Any) -> StepResult:
    """Compute the gradient of all rows at once, in a single process."""
    found, after = loss(batch, state)
    found.objective.backward()  # type: ignore[no-untyped-call]
    return StepResult(found.monitor, float(batch.weight.sum()), after)


def _by_micro_batch(
    loss: _LossOf, batch: Batch, state: Any, parts: Sequence[range], axes: BatchAxes | None, device: str
) -> StepResult:
    """Add up micro-batches; monitor and gradients are sums over the steps that count."""
    import torch

    monitor, total, states = torch.zeros((), device=device), 0.0, []
    for part in parts:
        rows = rows_of(batch, part)
        before = state if state is None or axes is None or len(parts) == 1 else axes.select_rows(state, part)
        found, after = loss(rows, before)
        states.append(after)
        if counted := float(rows.weight.sum()):
            (found.objective * counted).backward()  # type: ignore[no-untyped-call]
            monitor, total = monitor + found.monitor * counted, total + counted
    joined = axes.concat_rows(states) if axes is not None and len(states) > 1 else next(iter(states), None)
    return StepResult(monitor, total, joined)


def _all_reduce(
    parameters: Sequence[torch.Tensor], buffers: _Buffers, found: StepResult, total: float, group: ProcessGroup
) -> torch.Tensor:
    """Set the gradient of all ranks and the mean change of buffers; return the mean monitor.

    `total` is how many steps counted on all ranks.
    """
    import torch

    changes = [] if group.is_single else [change * found.counted for change in buffers.changes()]
    grads = [torch.zeros_like(each) if each.grad is None else each.grad for each in parameters]
    flat = torch.cat([each.flatten().float() for each in (found.monitor, *changes, *grads)])
    group.all_reduce_(flat)
    flat /= max(1.0, total)
    monitor, *pieces = torch.split(flat, [each.numel() for each in (found.monitor, *changes, *grads)])
    if changes:
        buffers.change(pieces[: len(changes)])
    for parameter, piece in zip(parameters, pieces[len(changes) :], strict=True):
        parameter.grad = piece.view_as(parameter).to(parameter.dtype)
    return monitor[0]


@dataclass(slots=True, eq=False)
class _Buffers:
    """The buffers of a network (state that is not trained), and their values before an update."""

    network: Network
    _before: list[torch.Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._before = [buffer.clone() for buffer in self.network.buffers()]

    def restore(self) -> None:
        """Set all buffers back."""
        for buffer, before in self._pairs():
            buffer.copy_(before)

    def changes(self) -> list[torch.Tensor]:
        """Return what the update added to floating-point buffers."""
        return [buffer - before for buffer, before in self._pairs() if buffer.is_floating_point()]

    def change(self, changes: Sequence[torch.Tensor]) -> None:
        """Set floating-point buffers to their values before the update plus `changes`."""
        floating = [pair for pair in self._pairs() if pair[0].is_floating_point()]
        for (buffer, before), change in zip(floating, changes, strict=True):
            buffer.copy_(before + change.view_as(before))

    def _pairs(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        return list(zip(self.network.buffers(), self._before, strict=True))
