"""Where the registry reports plugins that cannot be used: to a function that the program hands over."""

from __future__ import annotations

from collections.abc import Callable


def _log(message: str) -> None:
    """Report to the log, as libraries do, which prints warnings to stderr unless it is set up."""
    import logging

    # a plugin's error may hold control characters, which a terminal would follow
    shown = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in message)
    logging.getLogger("composer").warning(shown)


_functions: list[Callable[[str], object]] = [_log]


def report_to(function: Callable[[str], object]) -> None:
    """Let `function` get each message, which is one that a user should see. It may get the same one several times."""
    _functions[:] = [function]


def report_unusable(message: str) -> None:
    """Report a plugin, or a part of one, that cannot be used."""
    _functions[0](message)
