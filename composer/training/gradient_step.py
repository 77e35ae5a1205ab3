"""The gradient of one step, whether its rows go through the network together, in stretches, or in several processes.

An objective is a mean over the steps that count. So each stretch's is multiplied by how many of its steps count, the
gradients are added, over stretches and over ranks, and the sum is divided by how many count in all: the gradient of the
whole batch, however it was divided.

Why not torch's DistributedDataParallel: it takes the plain mean over ranks, it hooks into `forward` where a network
here is asked for its `loss`, and it communicates from within the backward pass, where a rank that runs out of memory
would leave the others waiting. Here ranks speak after it: of what hosts know (whether memory ran out, how many steps
counted, which parameters have a gradient), and then add all gradients in one go. That this cannot overlap with the
backward pass costs little with networks of some million weights.

What a batch normalisation keeps of the rows it saw is averaged over ranks too, though each normalises by its own rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from composer.distributed.environment import shard
from composer.system.out_of_memory import OOMGuard, OutOfMemory, release_cached_memory
from composer.training import microbatch
from composer.training import optimizer as optimizers

if TYPE_CHECKING:
    import torch

    from composer.api.network import Batch, Network
    from composer.distributed.group import ProcessGroup
    from composer.training.trainer import Trainer


@dataclass(frozen=True, slots=True, eq=False)
class StepResult:
    """What came of a step: the mean `monitor`, on its device, how many steps `counted`, and the `state` after it."""

    monitor: torch.Tensor
    counted: float
    state: Any


def micro_batches(count: int, max_rows: int) -> list[range]:
    """`count` rows in as few stretches of at most `max_rows` as can be, alike in size; 0 is no limit."""
    parts = -(-count // max_rows) if max_rows else min(1, count)
    return [shard(range(count), part, parts) for part in range(parts)]


def compute_gradient(learner: Trainer, batch: Batch) -> StepResult:
    """Give the parameters the gradient of a step of which `batch` are this rank's rows; its stream is of these alone.

    Raises OutOfMemory, on all ranks alike; everything but the random numbers is then as it was.
    """
    network, group = learner.network, learner.run.group
    parts = micro_batches(len(batch.inputs), learner.progress.max_rows)
    buffers, watch, found = _Buffers(network), OOMGuard(), None
    whole = group.is_single and len(parts) == 1
    with watch.guarding():
        found = _whole_batch(learner, batch) if whole else _by_micro_batch(learner, batch, parts)
    parameters = list(network.parameters())
    given = [parameter.grad is not None for parameter in parameters]
    told = group.all_gather_floats([float(watch.triggered), found.counted if found else 0.0, *map(float, given)])
    if found is None or any(short for short, *_ in told):
        found = None
        network.zero_grad(set_to_none=True)
        buffers.restore()
        release_cached_memory(learner.run.device)
        raise OutOfMemory
    if whole:
        return found
    somewhere = [any(flags) for flags in zip(*(flags for _, _, *flags in told), strict=True)]
    owners = [parameter for parameter, there in zip(parameters, somewhere, strict=True) if there]
    total = sum(counted for _, counted, *_ in told)
    return StepResult(_all_reduce(owners, buffers, found, total, group), total, found.state)


def _whole_batch(learner: Trainer, batch: Batch) -> StepResult:
    """All rows together, alone."""
    monitor, objective, stream = _loss(learner, batch, learner.state)
    objective.backward()  # type: ignore[no-untyped-call]
    return StepResult(monitor, float(batch.weight.sum()), stream)


def _by_micro_batch(learner: Trainer, batch: Batch, parts: Sequence[range]) -> StepResult:
    """Stretch by stretch; monitor and gradients are sums over the steps that count."""
    import torch

    monitor, every, streams = torch.zeros((), device=learner.run.device), 0.0, []
    for part in parts:
        own = microbatch.rows_of(batch, part)
        before = learner.state
        if before is not None and len(parts) > 1:
            before = learner.axes.select_rows(before, part)
        watched, objective, after = _loss(learner, own, before)
        streams.append(after)
        if counted := float(own.weight.sum()):
            (objective * counted).backward()  # type: ignore[no-untyped-call]
            monitor, every = monitor + watched * counted, every + counted
    stream = learner.axes.concat_rows(streams) if len(streams) > 1 else next(iter(streams), None)
    return StepResult(monitor, every, stream)


def _loss(learner: Trainer, batch: Batch, stream: Any) -> tuple[torch.Tensor, torch.Tensor, Any]:
    """Monitor, objective and the stream after `batch`."""
    from composer.training.trainer import to_device

    with optimizers.autocast(learner.precision, learner.run.device):
        loss, stream = learner.network.loss(to_device(batch, learner.run.device), stream)
    return loss.monitor, loss.objective, stream


def _all_reduce(
    owners: Sequence[torch.Tensor], buffers: _Buffers, found: StepResult, total: float, group: ProcessGroup
) -> torch.Tensor:
    """Give `owners` the gradient of all ranks, and `buffers` their mean change; the mean monitor.

    `total` is how many steps counted on all ranks.
    """
    import torch

    changes = [] if group.is_single else [change * found.counted for change in buffers.changes()]
    grads = [torch.zeros_like(each) if each.grad is None else each.grad for each in owners]
    flat = torch.cat([each.flatten().float() for each in (found.monitor, *changes, *grads)])
    group.all_reduce_(flat)
    flat /= max(1.0, total)
    monitor, *pieces = torch.split(flat, [each.numel() for each in (found.monitor, *changes, *grads)])
    if changes:
        buffers.change(pieces[: len(changes)])
    for owner, piece in zip(owners, pieces[len(changes) :], strict=True):
        owner.grad = piece.view_as(owner).to(owner.dtype)
    return monitor[0]


@dataclass(slots=True, eq=False)
class _Buffers:
    """What a network holds that is not learnt, and what it was before a step."""

    network: Network
    _before: list[torch.Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._before = [buffer.clone() for buffer in self.network.buffers()]

    def restore(self) -> None:
        """Make them what they were."""
        for buffer, before in self._pairs():
            buffer.copy_(before)

    def changes(self) -> list[torch.Tensor]:
        """What the step added to those that are no whole numbers."""
        return [buffer - before for buffer, before in self._pairs() if buffer.is_floating_point()]

    def change(self, changes: Sequence[torch.Tensor]) -> None:
        """Make them what they were, and `changes` more."""
        floating = [pair for pair in self._pairs() if pair[0].is_floating_point()]
        for (buffer, before), change in zip(floating, changes, strict=True):
            buffer.copy_(before + change.view_as(before))

    def _pairs(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        return list(zip(self.network.buffers(), self._before, strict=True))
