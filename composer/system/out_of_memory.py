"""Detect and report that memory ran out, on any device."""

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
"""Messages of errors without a class of their own: from the CPU's allocator, cuBLAS, cuDNN and MPS."""

_REQUESTED = re.compile(r"tried to allocate ([\d.]+) ?(bytes|[KMGT]iB)", re.IGNORECASE)
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


class DoesNotFit(ComposerError):
    """Memory does not suffice, even for the smallest batch."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            "use a smaller model (--set hidden=64), shorter sequences (--set seq_length=32), or "
            "--set checkpoint_chunks=8",
        )


class OutOfMemory(Exception):
    """Memory ran out on this or another rank; fewer rows at a time may fit."""


@dataclass(slots=True)
class OOMGuard:
    """Records whether memory ran out."""

    triggered: bool = False

    @contextlib.contextmanager
    def guarding(self) -> Iterator[None]:
        """Record that memory ran out instead of raising, and release what was computed."""
        try:
            yield
        except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
            if not is_oom(error):
                raise
            error.__traceback__ = None  # its frames hold what was computed
            self.triggered = True


@contextlib.contextmanager
def report_oom(what: str) -> Iterator[None]:
    """Raise DoesNotFit, naming `what`, if memory runs out."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_oom(error):
            raise
        size = requested_memory(error)
        raise DoesNotFit(f"{what} does not fit into memory{f' ({size} more needed)' if size else ''}") from error


def requested_memory(error: BaseException) -> str:
    """Return how much memory was requested, such as `2.0 GiB`; empty if unknown."""
    found = _REQUESTED.search(str(error))
    if found is None:
        return ""
    unit = next(place for place, name in enumerate(_UNITS) if name.lower() == found[2].lower())
    size = float(found[1])
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:,.1f} {_UNITS[unit]}" if unit else f"{size:,.0f} bytes"


def is_oom(error: BaseException) -> bool:
    """Return whether `error` means that memory ran out."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(phrase in text for phrase in PHRASES)


def release_cached_memory(device: str) -> None:
    """Return the memory that torch has cached to the device."""
    import torch

    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()
