"""When memory does not suffice: how that is known, on any device."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from composer.api import ComposerError

PHRASES = (
    "out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory", "alloc_failed",
    "storage size calculation overflowed",
)  # fmt: skip
"""What errors say that are not of a kind of their own: those of the CPU's allocator, of cuBLAS, cuDNN and MPS."""

_REQUESTED = re.compile(r"tried to allocate ([\d.]+) ?(bytes|[KMGT]iB)", re.IGNORECASE)
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


class DoesNotFit(ComposerError):
    """Something for which there is not enough memory, however it is divided."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            "make the model smaller (--set hidden=...), windows shorter (--set seq_length=32), or use "
            "--set checkpoint_chunks=8",
        )


class OutOfMemory(Exception):
    """Here or on another rank, there is not enough memory for so many rows at a time."""


@dataclass(slots=True)
class OOMGuard:
    """Whether memory ran out."""

    triggered: bool = False

    @contextlib.contextmanager
    def guarding(self) -> Iterator[None]:
        """Note that memory runs out, rather than raise it; all that was computed is then dropped."""
        try:
            yield
        except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
            if not is_oom(error):
                raise
            error.__traceback__ = None  # its frames hold what was computed
            self.triggered = True


@contextlib.contextmanager
def report_oom(what: str) -> Iterator[None]:
    """Raise DoesNotFit, naming `what`, where memory runs out."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_oom(error):
            raise
        size = requested_memory(error)
        raise DoesNotFit(f"{what} does not fit into memory{f': {size} more are needed' if size else ''}") from error


def requested_memory(error: BaseException) -> str:
    """How much memory was asked for, such as `2.0 GiB`; empty where `error` does not say."""
    found = _REQUESTED.search(str(error))
    if found is None:
        return ""
    unit = next(place for place, name in enumerate(_UNITS) if name.lower() == found[2].lower())
    size = float(found[1])
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:,.1f} {_UNITS[unit]}" if unit else f"{size:,.0f} bytes"


def is_oom(error: BaseException) -> bool:
    """Whether `error` says that there is not enough memory."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(phrase in text for phrase in PHRASES)


def release_cached_memory(device: str) -> None:
    """Let the device have what torch keeps for later."""
    import torch

    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()
