"""Keep freed memory in the process while training and evaluating."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters in glibc's malloc.h."""
MAX_KEPT = 1 << 30
"""Largest block in bytes that comes from the heap."""


@cache
def keep_freed_memory() -> bool:
    """Make glibc keep freed memory; return whether it does. Other C libraries are left alone.

    Each training update allocates and frees the same large blocks. glibc returns such blocks to the system, which
    clears their pages when they are allocated again: a quarter of the time of an update of a 2 x 256 LSTM.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_THRESHOLD, MAX_KEPT) and mallopt(_TRIM_THRESHOLD, 2**31 - 1))
