"""Several processes that train one model: what they tell one another, and how they part; `meeting` says how they meet.

    with meeting.joined(ranks.here(), device) as others:
        with others.turn():
            ...                         # rank 0 first, then the first rank of each other machine, then the rest
        others.rows(64)                 # this rank's share of 64 rows
        others.add(gradients)           # in place: the sum over all ranks

Small things that hosts know go by gloo whatever the device, so that a rank that is gone is noticed at once; tensors on
CUDA devices go by nccl. An error on one rank ends all: the rank it happened to says it, the others raise Elsewhere.
Only numbers and bytes travel, and nothing is unpickled.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from composer.api import ComposerError
from composer.distributed.environment import Ranks, mine

if TYPE_CHECKING:
    import torch

GRACE = 5.0
"""Seconds that a rank which ends with an error waits for the others to hear of it."""
POLL = 0.05


class Lost(ComposerError):
    """Another process ended without a word."""


class Elsewhere(Exception):
    """All end, for a reason that another process tells the user."""


class Group:
    """One process by itself: what it tells the others, it tells nobody."""

    def __init__(self, ranks: Ranks = Ranks()) -> None:  # noqa: B008
        self.ranks = ranks

    @property
    def first(self) -> bool:
        """Whether this process is the one that speaks, saves and logs."""
        return self.ranks.first

    @property
    def alone(self) -> bool:
        """Whether there are no others."""
        return self.ranks.alone

    def rows(self, count: int) -> range:
        """This rank's share of `count` rows."""
        return mine(range(count), self.ranks.rank, self.ranks.world)

    def most(self, count: int) -> int:
        """The largest share that any rank has of `count` rows."""
        return len(mine(range(count), 0, self.ranks.world))

    def floats(self, values: Sequence[float]) -> list[list[float]]:
        """The values, as many everywhere, of each rank in order: the same on all."""
        return [list(values)]

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Of each flag, whether some rank has raised it."""
        found = self.floats([float(flag) for flag in flags])
        return tuple(any(values) for values in zip(*found, strict=True))

    def everyone(self, data: bytes) -> list[bytes]:
        """What each rank has, in order."""
        return [data]

    def from_first(self, make: Callable[[], bytes]) -> bytes:
        """What `make` gives on the first rank, where alone it is called."""
        return make()

    def add(self, tensor: torch.Tensor) -> None:
        """Make `tensor` the sum over all ranks."""

    def copy(self, tensors: Iterable[torch.Tensor]) -> None:
        """Give `tensors` the values that they have on the first rank."""

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Do one after another what leaves something on a disk for those who come later."""
        yield


class Joined(Group):
    """One process among others, which have all come."""

    def __init__(self, ranks: Ranks, store: Any) -> None:
        super().__init__(ranks)
        self._store = store
        machines = [local == 0 for (local,) in self.floats([ranks.local])]
        self._turns = [1, sum(machines[1:])]

    def floats(self, values: Sequence[float]) -> list[list[float]]:
        import torch
        import torch.distributed as dist

        ours = torch.tensor(values, dtype=torch.float64)
        every = [torch.empty_like(ours) for _ in range(self.ranks.world)]
        with self._listening():
            dist.all_gather(every, ours)
        return [each.tolist() for each in every]

    def everyone(self, data: bytes) -> list[bytes]:
        import numpy as np
        import torch
        import torch.distributed as dist

        sizes = [int(size) for (size,) in self.floats([len(data)])]
        if not max(sizes):
            return [b""] * len(sizes)
        ours = torch.from_numpy(np.frombuffer(data.ljust(max(sizes), b"\0"), np.uint8).copy())
        every = [torch.empty_like(ours) for _ in sizes]
        with self._listening():
            dist.all_gather(every, ours)
        return [each[:size].numpy().tobytes() for each, size in zip(every, sizes, strict=True)]

    def from_first(self, make: Callable[[], bytes]) -> bytes:
        import numpy as np
        import torch
        import torch.distributed as dist

        data = make() if self.first else b""
        size = int(self.floats([len(data)])[0][0])
        whole = torch.from_numpy(np.frombuffer(data, np.uint8).copy()) if self.first else torch.empty(size).byte()
        if size:
            with self._listening():
                dist.broadcast(whole, 0)
        return whole.numpy().tobytes()

    def add(self, tensor: torch.Tensor) -> None:
        import torch.distributed as dist

        with self._listening():
            dist.all_reduce(tensor)

    def copy(self, tensors: Iterable[torch.Tensor]) -> None:
        import torch.distributed as dist

        with self._listening():
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Rank 0 first, then the first rank of each other machine, then the rest.

        What one leaves on a disk that they share, the others find; who shares none, does it once for a machine.
        """
        stage = 0 if self.first else 1 if self.ranks.local == 0 else 2
        for before, count in enumerate(self._turns[:stage]):
            while self._done(before) < count:
                time.sleep(POLL)
        yield
        with self._listening():
            self._store.add(f"turn/{stage}", 1)

    def _done(self, stage: int) -> int:
        """How many ranks have had their turn. Raises Elsewhere where one has failed."""
        with self._listening():
            if self._store.check([SAID]):
                raise Elsewhere
            return int(self._store.add(f"turn/{stage}", 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import torch.distributed as dist

        if error is not None:
            LEFT_BEHIND.append(self.ranks.rank)
        if error is None:
            self.floats([0.0])  # whoever goes first would seem to be lost
            dist.destroy_process_group()
        elif not self._speaks(error) and isinstance(error, Exception):
            raise Elsewhere from error
        elif isinstance(error, ComposerError) and not self.first:
            error.message = f"rank {self.ranks.rank}: {error.message}"

    def _speaks(self, error: BaseException) -> bool:
        """Whether this is the process that tells the user; the others get to know that somebody does."""
        if isinstance(error, Elsewhere):
            return False
        try:
            # a rank that ends with an error says so before it is missed
            if isinstance(error, Lost) and not self.first:
                self._wait(lambda: self._store.check([SAID]))
            own = f"rank {self.ranks.rank}"
            speaks = self._store.compare_set(SAID, "", own).decode() == own
            self._store.add(LEFT, 1)
            self._hang_up()
            if self.first and not (isinstance(error, Lost) and self.ranks.world == 2):
                self._wait(lambda: self._store.add(LEFT, 0) == self.ranks.world)  # the store may go when we do
        except RuntimeError:  # the store is gone, and rank 0 with it
            return self.ranks.rank <= 1
        return bool(speaks)

    def _hang_up(self) -> None:
        """Close the connections, so that those who wait for a word from here know that none will come."""
        import torch.distributed as dist

        closing = Thread(target=dist.destroy_process_group, daemon=True)  # which may wait for a device, and for ever
        closing.start()
        closing.join(GRACE)

    def _wait(self, come: Callable[[], bool]) -> None:
        """Wait until `come`, but not for longer than GRACE."""
        until = time.monotonic() + GRACE
        while time.monotonic() < until and not come():
            time.sleep(POLL)

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        """Turn what torch raises when another rank is gone into Lost."""
        try:
            yield
        except RuntimeError as error:
            who = f"rank {1 - self.ranks.rank}" if self.ranks.world == 2 else "one or more ranks"
            raise Lost(
                f"{who} of this training ended without a word, or cannot be reached any more",
                "its machine or launcher may say why; go on with --resume, with as many processes as you like",
            ) from error


LEFT_BEHIND: list[int] = []
"""The ranks of this process whose group ended in an error: threads of torch's may still wait for the others."""
SAID, LEFT = "said", "left"
"""What stands in the store: which rank tells the user how it ended, and how many know that."""
