"""Which of several processes this one is: what a launcher such as torchrun says in the environment.

    torchrun --nproc-per-node 4 -m composer train abc tunes/

Nothing here imports torch; `composer.distributed.rendezvous` joins the processes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from composer.api import DeviceError, UsageError

Items = TypeVar("Items", bound="Sequence[object]")

LAUNCH_HINT = "launch it as `torchrun --nproc-per-node 2 -m composer train ...`"


class ProcessInfo(NamedTuple):
    """This process is number `rank` of `world_size`, and number `local_rank` on its machine, all from 0.

    The first of them listens at `address` and `port`.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    address: str = ""
    port: int = 0

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that speaks, saves and logs."""
        return self.rank == 0

    @property
    def is_single(self) -> bool:
        """Whether there are no others."""
        return self.world_size == 1


def from_environment(environ: Mapping[str, str] | None = None) -> ProcessInfo:
    """What `environ`, by default the process's own, says. Raises UsageError where that cannot be meant."""
    said = os.environ if environ is None else environ
    if "WORLD_SIZE" not in said:
        return ProcessInfo()
    world = _number(said, "WORLD_SIZE", 1)
    if world == 1:
        return ProcessInfo()
    rank = _number(said, "RANK", 0, world - 1)
    port = _number(said, "MASTER_PORT", 1, 65535)
    local = _number({"LOCAL_RANK": str(rank), **said}, "LOCAL_RANK", 0)
    if not said.get("MASTER_ADDR"):
        raise UsageError("WORLD_SIZE is set, but MASTER_ADDR is not", LAUNCH_HINT)
    return ProcessInfo(rank, world, local, said["MASTER_ADDR"], port)


def shard(items: Items, rank: int, world_size: int) -> Items:
    """The share of `items` that is rank's: stretches in order, as equal as can be, the first rank's the largest.

    All shares together are all items. Where there are fewer items than ranks, some have none.
    """
    begin, end = (-(-len(items) * number // world_size) for number in (rank, rank + 1))
    return items[begin:end]  # type: ignore[return-value]


def device_of(device: str, process: ProcessInfo, devices: int) -> str:
    """The device of this process, where `device` was resolved for all: each has a CUDA device of its own.

    Raises DeviceError where there are fewer of these than processes, or where one or `mps` was asked for.
    """
    if process.is_single or device == "cpu":
        return device
    if device != "cuda":
        raise DeviceError(
            f"several processes cannot all use `{device}`", "use --device cuda, which gives each its own, or cpu"
        )
    if process.local_rank >= devices:
        raise DeviceError(
            f"there are more processes on this machine than CUDA devices ({devices})",
            f"start {devices}, or use --device cpu",
        )
    return f"cuda:{process.local_rank}"


def _number(said: Mapping[str, str], name: str, least: int, most: int | None = None) -> int:
    text = said.get(name, "")
    if not text:
        raise UsageError(f"WORLD_SIZE is set, but {name} is not", LAUNCH_HINT)
    if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
        known = f"from {least} on" if most is None else f"from {least} to {most}"
        raise UsageError(f"{name} cannot be `{text}`", f"it is a whole number {known}; {LAUNCH_HINT}")
    return int(text)
