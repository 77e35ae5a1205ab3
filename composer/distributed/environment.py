"""Rank, world size and device of this process, from the environment variables of a launcher such as torchrun.

    torchrun --nproc-per-node 4 -m composer train abc tunes/

Nothing here imports torch; `composer.distributed.rendezvous` connects the processes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from composer.api import DeviceError, UsageError

Items = TypeVar("Items", bound="Sequence[object]")

LAUNCH_HINT = "use `torchrun --nproc-per-node 2 -m composer ...`, or `unset WORLD_SIZE` for a single process"


class ProcessInfo(NamedTuple):
    """This process is number `rank` of `world_size`, and number `local_rank` on its machine, all from 0.

    `local_world_size` processes run on this machine; if the launcher does not say how many, all of them. The main
    process listens at `address` and `port`.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    address: str = ""
    port: int = 0
    local_world_size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process prints, saves and logs."""
        return self.rank == 0

    @property
    def is_single(self) -> bool:
        """Whether there are no others."""
        return self.world_size == 1


def from_environment(environ: Mapping[str, str] | None = None) -> ProcessInfo:
    """Return this process's number from `environ`, by default the process's own. Raises UsageError for bad values."""
    variables = os.environ if environ is None else environ
    if "WORLD_SIZE" not in variables:
        return ProcessInfo()
    world_size = _number(variables, "WORLD_SIZE", 1)
    if world_size == 1:
        return ProcessInfo()
    rank = _number(variables, "RANK", 0, world_size - 1)
    port = _number(variables, "MASTER_PORT", 1, 65535)
    local_rank = _number({"LOCAL_RANK": str(rank), **variables}, "LOCAL_RANK", 0)
    if not variables.get("MASTER_ADDR"):
        raise UsageError("WORLD_SIZE is set, but MASTER_ADDR is not", LAUNCH_HINT)
    local_world_size = _number({"LOCAL_WORLD_SIZE": str(world_size), **variables}, "LOCAL_WORLD_SIZE", 1)
    return ProcessInfo(rank, world_size, local_rank, variables["MASTER_ADDR"], port, local_world_size)


def shard(items: Items, rank: int, world_size: int) -> Items:
    """Return the share of `items` of a rank: consecutive, as equal as possible, the first rank's the largest.

    With fewer items than ranks, some have none.
    """
    start, end = (-(-len(items) * number // world_size) for number in (rank, rank + 1))
    return items[start:end]  # type: ignore[return-value]


def device_of(device: str, process: ProcessInfo, devices: int) -> str:
    """Return the device of this process, given the `device` resolved for all: each has a CUDA device of its own.

    Raises DeviceError if there are fewer `devices` than processes, or if several processes would share one.
    """
    if process.is_single or device == "cpu":
        return device
    if device != "cuda":
        hint = "use --device cuda, which gives each its own, or --device cpu"
        raise DeviceError(f"several processes cannot share `{device}`", hint)
    if process.local_rank >= devices:
        raise DeviceError(
            f"more processes on this machine than CUDA devices ({devices})", f"start {devices}, or use --device cpu"
        )
    return f"cuda:{process.local_rank}"


def _number(variables: Mapping[str, str], name: str, minimum: int, maximum: int | None = None) -> int:
    text = variables.get(name, "")
    if not text:
        raise UsageError(f"WORLD_SIZE is set, but {name} is not", LAUNCH_HINT)
    if not text.isdecimal() or int(text) < minimum or (maximum is not None and int(text) > maximum):
        valid = f", {minimum} or more" if maximum is None else f" from {minimum} to {maximum}"
        raise UsageError(f"invalid value for {name}: '{text}'", f"set a whole number{valid}; {LAUNCH_HINT}")
    return int(text)
