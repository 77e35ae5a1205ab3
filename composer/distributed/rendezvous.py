"""Connect the processes that train one model, at the address of their launcher, within a time limit."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from threading import current_thread, main_thread
from typing import Any

from composer.api import ComposerError
from composer.distributed.environment import ProcessInfo
from composer.distributed.group import ProcessGroup, TorchProcessGroup

TIMEOUT_VARIABLE = "COMPOSER_RENDEZVOUS_TIMEOUT"
"""The environment variable with the seconds to wait for the other processes."""
DEFAULT_TIMEOUT_SECONDS = 300.0
COLLECTIVE_TIMEOUT = timedelta(minutes=30)
"""Longer than a rank takes to read its share, to fit or to save. A killed rank is noticed at once; only a machine that
falls silent is waited for so long."""


@contextlib.contextmanager
def process_group(process: ProcessInfo, device: str) -> Iterator[ProcessGroup]:
    """Connect to the other processes for the duration of the context. Raises ComposerError if they do not come."""
    if process.is_single:
        yield ProcessGroup(process)
        return
    store = _rendezvous(process, device)
    with TorchProcessGroup(process, store) as group:
        yield group


def _rendezvous(process: ProcessInfo, device: str) -> Any:
    """Join torch's process group; return the store that all ranks share."""
    # torch prints a stack trace for each connection that a lost rank leaves behind
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "FATAL")
    import torch
    import torch.distributed as dist
    from torch.distributed.distributed_c10d import PrefixStore

    if not dist.is_available():
        raise ComposerError("the installed torch cannot train in several processes", "start a single process")
    try:
        seconds = float(os.environ.get(TIMEOUT_VARIABLE) or DEFAULT_TIMEOUT_SECONDS)
    except ValueError:
        raise ComposerError(
            f"invalid value for {TIMEOUT_VARIABLE}: '{os.environ[TIMEOUT_VARIABLE]}'", "use seconds, such as 300"
        ) from None
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    backend = "cpu:gloo,cuda:nccl" if device.startswith("cuda") else "gloo"
    try:
        with _interruptible():
            store, _, _ = next(dist.rendezvous("env://", timeout=timedelta(seconds=seconds)))  # type: ignore[attr-defined]
            members = PrefixStore("group", store)
            dist.init_process_group(
                backend, store=members, rank=process.rank, world_size=process.world_size, timeout=COLLECTIVE_TIMEOUT
            )
    except (RuntimeError, OSError, ValueError) as error:
        raise _rendezvous_error(process, error, seconds) from error
    return PrefixStore("composer", store)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end the process at once: torch ignores it while waiting, and there is nothing to save yet."""
    before = signal.getsignal(signal.SIGINT)
    if current_thread() is not main_thread() or not callable(before):  # ignored, for one
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _rendezvous_error(process: ProcessInfo, error: Exception, seconds: float) -> ComposerError:
    """Return why the processes could not connect."""
    place, text = f"{process.address}:{process.port}", str(error)
    if "EADDRINUSE" in text or "address already in use" in text.lower():
        return ComposerError(
            f"port {process.port} is already in use", "set MASTER_PORT (torchrun: --master-port) to a free port"
        )
    if process.is_main:
        return ComposerError(
            f"not all of the {process.world_size} processes connected to {place} within {seconds:g} s",
            "start all of them with the same MASTER_ADDR, MASTER_PORT and WORLD_SIZE; "
            f"set {TIMEOUT_VARIABLE} to wait longer",
        )
    return ComposerError(
        f"rank {process.rank} could not connect to rank 0 at {place} within {seconds:g} s",
        f"check that rank 0 is running and not behind a firewall; set {TIMEOUT_VARIABLE} to wait longer",
    )
