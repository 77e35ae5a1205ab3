"""Several processes that train one model: what they tell one another, and how they part; `meeting` says how they meet.

    with meeting.joined(ranks.here(), device) as others:
        with others.turn():
            ...                         # rank 0 first, then the first rank of each other machine, then the rest
        others.rows(64)                 # this rank's share of 64 rows
        others.add(gradients)           # in place: the sum over all ranks

Small things that hosts know go by gloo whatever the device, so that a rank that is gone is noticed at once; tensors on
CUDA devices go by nccl. An error on one rank ends all: the rank it happened to says it, the others raise
FailedElsewhere. Only numbers and bytes travel, and nothing is unpickled.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from composer.api import ComposerError
from composer.distributed.environment import ProcessInfo, shard

if TYPE_CHECKING:
    import torch

EXIT_GRACE_SECONDS = 5.0
"""Seconds that a rank which ends with an error waits for the others to hear of it."""
POLL_SECONDS = 0.05


class RankLost(ComposerError):
    """Another process ended without a word."""


class FailedElsewhere(Exception):
    """All end, for a reason that another process tells the user."""


class ProcessGroup:
    """One process by itself: what it tells the others, it tells nobody."""

    def __init__(self, process: ProcessInfo = ProcessInfo()) -> None:  # noqa: B008
        self.process = process

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that speaks, saves and logs."""
        return self.process.is_main

    @property
    def is_single(self) -> bool:
        """Whether there are no others."""
        return self.process.is_single

    def local_rows(self, count: int) -> range:
        """This rank's share of `count` rows."""
        return shard(range(count), self.process.rank, self.process.world_size)

    def max_local_rows(self, count: int) -> int:
        """The largest share that any rank has of `count` rows."""
        return len(shard(range(count), 0, self.process.world_size))

    def all_gather_floats(self, values: Sequence[float]) -> list[list[float]]:
        """The values, as many everywhere, of each rank in order: the same on all."""
        return [list(values)]

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Of each flag, whether some rank has raised it."""
        found = self.all_gather_floats([float(flag) for flag in flags])
        return tuple(any(values) for values in zip(*found, strict=True))

    def all_gather_bytes(self, data: bytes) -> list[bytes]:
        """What each rank has, in order."""
        return [data]

    def broadcast_bytes(self, make: Callable[[], bytes]) -> bytes:
        """What `make` gives on the first rank, where alone it is called."""
        return make()

    def all_reduce_(self, tensor: torch.Tensor) -> None:
        """Make `tensor` the sum over all ranks."""

    def broadcast_(self, tensors: Iterable[torch.Tensor]) -> None:
        """Give `tensors` the values that they have on the first rank."""

    @contextlib.contextmanager
    def main_process_first(self) -> Iterator[None]:
        """Do one after another what leaves something on a disk for those who come later."""
        yield


class TorchProcessGroup(ProcessGroup):
    """One process among others, which have all come."""

    def __init__(self, process: ProcessInfo, store: Any) -> None:
        super().__init__(process)
        self._store = store
        machines = [local == 0 for (local,) in self.all_gather_floats([process.local_rank])]
        self._turns = [1, sum(machines[1:])]

    def all_gather_floats(self, values: Sequence[float]) -> list[list[float]]:
        import torch
        import torch.distributed as dist

        ours = torch.tensor(values, dtype=torch.float64)
        every = [torch.empty_like(ours) for _ in range(self.process.world_size)]
        with self._detecting_lost_ranks():
            dist.all_gather(every, ours)
        return [each.tolist() for each in every]

    def all_gather_bytes(self, data: bytes) -> list[bytes]:
        import numpy as np
        import torch
        import torch.distributed as dist

        sizes = [int(size) for (size,) in self.all_gather_floats([len(data)])]
        if not max(sizes):
            return [b""] * len(sizes)
        ours = torch.from_numpy(np.frombuffer(data.ljust(max(sizes), b"\0"), np.uint8).copy())
        every = [torch.empty_like(ours) for _ in sizes]
        with self._detecting_lost_ranks():
            dist.all_gather(every, ours)
        return [each[:size].numpy().tobytes() for each, size in zip(every, sizes, strict=True)]

    def broadcast_bytes(self, make: Callable[[], bytes]) -> bytes:
        import numpy as np
        import torch
        import torch.distributed as dist

        data = make() if self.is_main else b""
        size = int(self.all_gather_floats([len(data)])[0][0])
        whole = torch.from_numpy(np.frombuffer(data, np.uint8).copy()) if self.is_main else torch.empty(size).byte()
        if size:
            with self._detecting_lost_ranks():
                dist.broadcast(whole, 0)
        return whole.numpy().tobytes()

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
        """Rank 0 first, then the first rank of each other machine, then the rest.

        What one leaves on a disk that they share, the others find; who shares none, does it once for a machine.
        """
        stage = 0 if self.is_main else 1 if self.process.local_rank == 0 else 2
        for before, count in enumerate(self._turns[:stage]):
            while self._turns_done(before) < count:
                time.sleep(POLL_SECONDS)
        yield
        with self._detecting_lost_ranks():
            self._store.add(f"turn/{stage}", 1)

    def _turns_done(self, stage: int) -> int:
        """How many ranks have had their turn. Raises FailedElsewhere where one has failed."""
        with self._detecting_lost_ranks():
            if self._store.check([ERROR_REPORTED]):
                raise FailedElsewhere
            return int(self._store.add(f"turn/{stage}", 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import torch.distributed as dist

        if error is not None:
            LEFT_BEHIND.append(self.process.rank)
        if error is None:
            self.all_gather_floats([0.0])  # whoever goes first would seem to be lost
            dist.destroy_process_group()
        elif not self._reports_error(error) and isinstance(error, Exception):
            raise FailedElsewhere from error
        elif isinstance(error, ComposerError) and not self.is_main:
            error.message = f"rank {self.process.rank}: {error.message}"

    def _reports_error(self, error: BaseException) -> bool:
        """Whether this is the process that tells the user; the others get to know that somebody does."""
        if isinstance(error, FailedElsewhere):
            return False
        try:
            # a rank that ends with an error says so before it is missed
            if isinstance(error, RankLost) and not self.is_main:
                self._wait(lambda: self._store.check([ERROR_REPORTED]))
            own = f"rank {self.process.rank}"
            speaks = self._store.compare_set(ERROR_REPORTED, "", own).decode() == own
            self._store.add(HAS_LEFT, 1)
            self._close_connections()
            if self.is_main and not (isinstance(error, RankLost) and self.process.world_size == 2):
                self._wait(
                    lambda: self._store.add(HAS_LEFT, 0) == self.process.world_size
                )  # the store may go when we do
        except RuntimeError:  # the store is gone, and rank 0 with it
            return self.process.rank <= 1
        return bool(speaks)

    def _close_connections(self) -> None:
        """Close the connections, so that those who wait for a word from here know that none will come."""
        import torch.distributed as dist

        closing = Thread(target=dist.destroy_process_group, daemon=True)  # which may wait for a device, and for ever
        closing.start()
        closing.join(EXIT_GRACE_SECONDS)

    def _wait(self, come: Callable[[], bool]) -> None:
        """Wait until `come`, but not for longer than EXIT_GRACE_SECONDS."""
        until = time.monotonic() + EXIT_GRACE_SECONDS
        while time.monotonic() < until and not come():
            time.sleep(POLL_SECONDS)

    @contextlib.contextmanager
    def _detecting_lost_ranks(self) -> Iterator[None]:
        """Turn what torch raises when another rank is gone into RankLost."""
        try:
            yield
        except RuntimeError as error:
            who = f"rank {1 - self.process.rank}" if self.process.world_size == 2 else "one or more ranks"
            raise RankLost(
                f"{who} of this training ended without a word, or cannot be reached any more",
                "its machine or launcher may say why; go on with --resume, with as many processes as you like",
            ) from error


LEFT_BEHIND: list[int] = []
"""The ranks of this process whose group ended in an error: threads of torch's may still wait for the others."""
ERROR_REPORTED, HAS_LEFT = "said", "left"
"""What stands in the store: which rank tells the user how it ended, and how many know that."""
