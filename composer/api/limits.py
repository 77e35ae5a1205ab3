"""Limits on input, so that no file takes all memory or time; one environment variable raises them together.

if count > raised(MAX_NOTES):
raise ReadError(f"{name} has more than {raised(MAX_NOTES):,} notes", limit_hint("split it into smaller files"))
"""

from __future__ import annotations

import io
import os
from typing import Protocol

from composer.api.errors import OptionError

__all__ = ["limit_hint", "raised", "read_up_to"]

VARIABLE = "COMPOSER_LIMITS"
MAX_FACTOR = 1000
_MAX_DIGITS = 40
"""Of the factor, also of those that are zeros before it."""

_BLOCK = 1 << 20


class Readable(Protocol):
    """A binary stream."""

    def read(self, size: int, /) -> bytes | None:
        """Return at most `size` bytes; empty at the end, None if there is none yet."""


def raised(limit: int) -> int:
    """Return `limit` times the factor in COMPOSER_LIMITS. Raises OptionError if that is not a whole number."""
    return limit * _factor()


def limit_hint(advice: str, count: float = 0, limit: int = 1) -> str:
    """Return `advice`, and how to raise the limits: to what allows `count` where `limit` is allowed, or to twice."""
    times = max(2 * _factor(), -int(-count // limit))
    if times > MAX_FACTOR:
        return advice
    return f"{advice}, or set {VARIABLE}={times} to raise the limits {times}-fold"


def read_up_to(stream: Readable, limit: int, expected: int = 0) -> bytes:
    """Return what `stream` holds, but at most `limit` + 1 bytes, which say that it holds more.

    A stream of the `expected` size is read at once. Raises OSError.
    """
    first = stream.read(min(max(expected, _BLOCK // 16), limit) + 1) or b""
    left = limit + 1 - len(first)
    if left <= 0 or not (block := stream.read(min(left, _BLOCK))):
        return first
    found = io.BytesIO(first)  # which grows in place
    found.seek(0, io.SEEK_END)
    while block:
        found.write(block)
        left -= len(block)
        block = stream.read(min(left, _BLOCK)) if left > 0 else None
    return found.getvalue()


def _factor() -> int:
    text = os.environ.get(VARIABLE, "") or "1"
    factor = int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else 0
    if 1 <= factor <= MAX_FACTOR:
        return factor
    raise OptionError(f"invalid value for {VARIABLE}: '{text[:40]}'", f"use a whole number from 1 to {MAX_FACTOR:,}")
