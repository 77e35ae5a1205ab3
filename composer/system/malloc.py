"""Memory that is freed stays with the process while it learns, and is used again."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""The numbers of these parameters in glibc's malloc.h."""
MAX_KEPT = 1 << 30
"""Blocks up to this many bytes come from the heap."""


@cache
def keep_freed_memory() -> bool:
    """Let glibc keep what is freed; whether it could be told to. Other C libraries have ways of their own.

    Each step of training takes and frees the same large blocks. glibc gives such blocks back to the system, which
    clears their pages when they are asked for again: a quarter of the time of a step of an LSTM of 2 x 256 cells.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_THRESHOLD, MAX_KEPT) and mallopt(_TRIM_THRESHOLD, 2**31 - 1))
