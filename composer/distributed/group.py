"""Process group for data-parallel training: collectives, turns, and errors that end all processes.

    with rendezvous.process_group(environment.from_environment(), device) as group:
        with group.main_process_first():
            ...                             # rank 0 first, then the first rank of each other machine, then the rest
        group.local_rows(64)                # this rank's share of 64 rows
        group.all_reduce_(gradients)        # in place: the sum over all ranks

Objects and numbers go by gloo on any device, so that a lost rank is noticed at once; tensors on CUDA devices go by
nccl. An error on one rank ends all: that rank reports it, the others raise FailedElsewhere.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from composer.api import ComposerError
from composer.distributed.environment import ProcessInfo, shard

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

EXIT_GRACE_SECONDS = 5.0
"""How long a rank that ends with an error waits for the others to notice."""
POLL_SECONDS = 0.05
ERROR_REPORTED, HAS_LEFT = "error reported", "has left"
"""Keys of the store: the rank that reports the error to the user, and how many ranks know of it."""
LEFT_BEHIND: list[int] = []
"""Ranks of this process whose group ended in an error: threads of torch may still wait for the others."""


class RankLost(ComposerError):
    """Another process ended without reporting an error."""


class FailedElsewhere(Exception):
    """Another process failed and reports the error."""


class ProcessGroup:
    """A group of one process, whose collectives do nothing."""

    def __init__(self, process: ProcessInfo = ProcessInfo()) -> None:  # noqa: B008
        self.process = process

    @property
    def is_main(self) -> bool:
        """Whether this process prints, saves and logs."""
        return self.process.is_main

    @property
    def is_single(self) -> bool:
        """Whether there are no others."""
        return self.process.is_single

    def local_rows(self, count: int) -> range:
        """Return this rank's share of `count` rows."""
        return shard(range(count), self.process.rank, self.process.world_size)

    def max_local_rows(self, count: int) -> int:
        """Return the largest share that any rank has of `count` rows."""
        return len(shard(range(count), 0, self.process.world_size))

    def all_gather_floats(self, values: Sequence[float]) -> list[list[float]]:
        """Return the values of all ranks, the same number from each; cheap enough for every update."""
        return [list(values)]

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Return for each flag whether it is set on any rank."""
        ranks = self.all_gather_floats([float(flag) for flag in flags])
        return tuple(any(values) for values in zip(*ranks, strict=True))

    def all_gather_object(self, value: T) -> list[T]:
        """Return the values of all ranks, which must be picklable."""
        return [value]

    def broadcast_object(self, make: Callable[[], T]) -> T:
        """Return the result of `make` on the main process; it is not called on the others."""
        return make()

    def all_reduce_(self, tensor: torch.Tensor) -> None:
        """Replace `tensor` by its sum over all ranks."""

    def broadcast_(self, tensors: Iterable[torch.Tensor]) -> None:
        """Replace `tensors` by those of the main process."""

    @contextlib.contextmanager
    def main_process_first(self) -> Iterator[None]:
        """Run the block in turns, so that later ranks find on the disk what earlier ones wrote."""
        yield


class TorchProcessGroup(ProcessGroup, contextlib.AbstractContextManager["TorchProcessGroup"]):
    """One of several processes, which are all connected."""

    def __init__(self, process: ProcessInfo, store: Any) -> None:
        super().__init__(process)
        self._store = store
        machines = [local_rank == 0 for (local_rank,) in self.all_gather_floats([process.local_rank])]
        self._turns = [1, sum(machines[1:])]

    def all_gather_floats(self, values: Sequence[float]) -> list[list[float]]:
        import torch
        import torch.distributed as dist

        own = torch.tensor(values, dtype=torch.float64)
        ranks = [torch.empty_like(own) for _ in range(self.process.world_size)]
        with self._detecting_lost_ranks():
            dist.all_gather(ranks, own)
        return [each.tolist() for each in ranks]

    def all_gather_object(self, value: T) -> list[T]:
        import torch.distributed as dist

        ranks: list[Any] = [None] * self.process.world_size
        with self._detecting_lost_ranks():
            dist.all_gather_object(ranks, value)
        return ranks

    def broadcast_object(self, make: Callable[[], T]) -> T:
        import torch.distributed as dist

        values: list[Any] = [make() if self.is_main else None]
        with self._detecting_lost_ranks():
            dist.broadcast_object_list(values)
        return values[0]  # type: ignore[no-any-return]

    def all_reduce_(self, tensor: torch.Tensor) -> None:
        import torch.distributed as dist

        with self._detecting_lost_ranks():
            dist.all_reduce(tensor)

    def broadcast_(self, tensors: Iterable[torch.Tensor]) -> None:
        import torch.distributed as dist

        with self._detecting_lost_ranks():
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    @contextlib.contextmanager
    def main_process_first(self) -> Iterator[None]:
        """Run the block on rank 0 first, then on the first rank of each other machine, then on the rest.

        Ranks that share no disk so do the work once for each machine.
        """
        stage = 0 if self.is_main else 1 if self.process.local_rank == 0 else 2
        for before, count in enumerate(self._turns[:stage]):
            while self._turns_done(before) < count:
                time.sleep(POLL_SECONDS)
        yield
        with self._detecting_lost_ranks():
            self._store.add(f"turn/{stage}", 1)

    def _turns_done(self, stage: int) -> int:
        """Return how many ranks of a stage are done. Raises FailedElsewhere if one failed."""
        with self._detecting_lost_ranks():
            if self._store.check([ERROR_REPORTED]):
                raise FailedElsewhere
            return int(self._store.add(f"turn/{stage}", 0))

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import torch.distributed as dist

        if error is None:
            self.all_gather_floats([0.0])  # a rank that left earlier would seem to be lost
            dist.destroy_process_group()
            return
        LEFT_BEHIND.append(self.process.rank)
        if not self._reports_error(error) and isinstance(error, Exception):
            raise FailedElsewhere from error
        if isinstance(error, ComposerError) and not self.is_main:
            error.message = f"rank {self.process.rank}: {error.message}"

    def _reports_error(self, error: BaseException) -> bool:
        """Return whether this process reports the error to the user, and tell the others that one does."""
        if isinstance(error, FailedElsewhere):
            return False
        try:
            # a rank that fails says so before it is missed
            if isinstance(error, RankLost) and not self.is_main:
                self._wait(lambda: self._store.check([ERROR_REPORTED]))
            own = f"rank {self.process.rank}"
            reports = self._store.compare_set(ERROR_REPORTED, "", own).decode() == own
            self._store.add(HAS_LEFT, 1)
            self._close_connections()
            if self.is_main and not (isinstance(error, RankLost) and self.process.world_size == 2):
                # the store may vanish with this process
                self._wait(lambda: self._store.add(HAS_LEFT, 0) == self.process.world_size)
        except RuntimeError:  # the store is gone, and rank 0 with it
            return self.process.rank <= 1
        return bool(reports)

    def _close_connections(self) -> None:
        """Close the connections, so that ranks waiting for this one notice."""
        import torch.distributed as dist

        closing = Thread(target=dist.destroy_process_group, daemon=True)  # it may wait for a device forever
        closing.start()
        closing.join(EXIT_GRACE_SECONDS)

    def _wait(self, condition: Callable[[], bool]) -> None:
        """Wait for `condition`, at most EXIT_GRACE_SECONDS."""
        until = time.monotonic() + EXIT_GRACE_SECONDS
        while time.monotonic() < until and not condition():
            time.sleep(POLL_SECONDS)

    @contextlib.contextmanager
    def _detecting_lost_ranks(self) -> Iterator[None]:
        """Raise RankLost instead of torch's error when another rank is gone."""
        try:
            yield
        except RuntimeError as error:
            lost = f"rank {1 - self.process.rank}" if self.process.world_size == 2 else "one or more ranks"
            raise RankLost(
                f"{lost} ended without an error message, or cannot be reached",
                "see the messages of its machine or launcher; then resume with --resume, in any number of processes",
            ) from error
