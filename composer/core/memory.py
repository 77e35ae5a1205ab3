"""When memory does not suffice: how that is known, on any device."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

PHRASES = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory", "alloc_failed")
"""What errors say that are not of a kind of their own: those of the CPU's allocator, of cuBLAS, cuDNN and MPS."""


class OutOfMemory(Exception):
    """Here or on another rank, there is not enough memory for so many rows at a time."""


@dataclass(slots=True)
class Watch:
    """Whether memory ran out."""

    short: bool = False

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Note that memory runs out, rather than raise it; all that was computed is then dropped."""
        try:
            yield
        except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
            if not ran_out(error):
                raise
            error.__traceback__ = None  # its frames hold what was computed
            self.short = True


def ran_out(error: BaseException) -> bool:
    """Whether `error` says that there is not enough memory."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(phrase in text for phrase in PHRASES)


def give_back(device: str) -> None:
    """Let the device have what torch keeps for later."""
    import torch

    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()
