"""Where the registry reports plugins that cannot be used: to a function that the program hands over."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache


def _log(message: str) -> None:
    """Report to the log, as libraries do, which prints warnings to stderr unless it is set up."""
    import logging

    logging.getLogger("composer").warning(message)


_functions: list[Callable[[str], object]] = [_log]


def report_to(function: Callable[[str], object]) -> None:
    """Let `function` get each message, which is one that a user should see."""
    _functions[:] = [function]


@cache
def report_once(message: str) -> None:
    """Report `message`, once in a process."""
    _functions[0](message)
