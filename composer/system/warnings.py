"""Warnings from where there is no console."""

from __future__ import annotations

import sys
from functools import cache

from composer.system.escaping import escape_line


@cache
def warn_once(message: str) -> None:
    """Print a warning to stderr, once in a process."""
    sys.stderr.write(f"warning: {escape_line(message)}\n")
