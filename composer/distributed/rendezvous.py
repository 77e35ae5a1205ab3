"""How several processes that train one model meet: at the address that their launcher names, within bounded time."""

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
"""The environment variable that says for how many seconds to wait for the others to come; else
DEFAULT_TIMEOUT_SECONDS.
"""
DEFAULT_TIMEOUT_SECONDS = 300.0
COLLECTIVE_TIMEOUT = timedelta(minutes=30)
"""The longest time without a word from the others: more than a rank takes to read its share, to fit, or to save. One
that is killed is noticed at once; only a machine that falls silent is waited for so long."""


@contextlib.contextmanager
def process_group(process: ProcessInfo, device: str) -> Iterator[ProcessGroup]:
    """Meet the others, and part from them in good order. Raises ComposerError where they do not come."""
    if process.is_single:
        yield ProcessGroup(process)
        return
    store = _rendezvous(process, device)
    with TorchProcessGroup(process, store) as group:
        yield group


def _rendezvous(process: ProcessInfo, device: str) -> Any:
    """Join the process group; the store that all ranks write to and read from."""
    # torch prints a stack trace for each connection that a lost rank leaves behind
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "FATAL")
    import torch
    import torch.distributed as dist
    from torch.distributed.distributed_c10d import PrefixStore

    if not dist.is_available():
        raise ComposerError("the torch that is installed cannot train in several processes", "start one alone")
    try:
        seconds = float(os.environ.get(TIMEOUT_VARIABLE) or DEFAULT_TIMEOUT_SECONDS)
    except ValueError:
        raise ComposerError(
            f"{TIMEOUT_VARIABLE} cannot be `{os.environ[TIMEOUT_VARIABLE]}`", "give seconds, such as 300"
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
    """Let Ctrl-C end the process at once: torch waits without looking at it, and there is nothing to save yet."""
    if current_thread() is not main_thread() or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _rendezvous_error(process: ProcessInfo, error: Exception, seconds: float) -> ComposerError:
    """Why the ranks could not meet."""
    place, text = f"{process.address}:{process.port}", str(error)
    if "EADDRINUSE" in text or "address already in use" in text.lower():
        return ComposerError(
            f"port {process.port} is taken, so that the other processes cannot reach this one",
            "set MASTER_PORT (torchrun: --master-port) to a free port",
        )
    if process.is_main:
        return ComposerError(
            f"not all of the {process.world_size} processes came to {place} within {seconds:g} s",
            "start all of them with the same MASTER_ADDR, MASTER_PORT and WORLD_SIZE; "
            f"{TIMEOUT_VARIABLE} is how long to wait",
        )
    return ComposerError(
        f"rank {process.rank} did not find rank 0 at {place} within {seconds:g} s",
        f"is it running, and does a firewall let us through? {TIMEOUT_VARIABLE} is how long to wait, in seconds",
    )
