"""Keys pressed in the terminal, one by one and without echo."""

from __future__ import annotations

import contextlib
import os
import re
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from composer.cli import interrupts

if TYPE_CHECKING:
    from composer.cli.console import Console

_KEY = re.compile(
    r"\033\[\[."  # function keys of the Linux console
    r"|\033\[[0-?]*[ -/]*[@-~]"  # CSI: arrows, Delete, F5
    r"|\033O."  # SS3: F1 to F4, and arrows in another mode
    r"|\033.|.",  # with Alt; a character
    re.DOTALL,
)

ReadKey = Callable[[float], str]
"""Waits for a key, at most so many seconds; empty if none was pressed."""


@contextmanager
def key_reader(console: Console) -> Iterator[ReadKey | None]:
    """Yield a function that reads keys; None if there is no terminal to read from.

    The terminal is that of stdin, else that of the process, if music comes from stdin. It is restored at the end.
    """
    with contextlib.ExitStack() as stack:
        terminal = _terminal(console, stack)
        if terminal is None:
            yield None
            return
        import termios

        before = termios.tcgetattr(terminal)

        def restore() -> None:
            with contextlib.suppress(termios.error):  # the terminal may be gone
                termios.tcsetattr(terminal, termios.TCSANOW, before)

        interrupts.restore_at_end(restore)
        try:
            termios.tcsetattr(terminal, termios.TCSADRAIN, _without_lines(before))
            yield lambda seconds: _read(terminal, seconds)
        finally:
            restore()
            interrupts.is_restored(restore)


def split_keys(typed: str) -> list[str]:
    """Return the keys in what was read: characters, and whole sequences of other keys, whose letters nobody typed."""
    return _KEY.findall(typed)


def wait(seconds: float) -> str:
    """Wait, as if no key was pressed."""
    time.sleep(seconds)
    return ""


def _terminal(console: Console, stack: contextlib.ExitStack) -> int | None:
    """Return the descriptor of a terminal that this process may read and set, None if there is none."""
    if not console.can_animate or not hasattr(os, "tcgetpgrp"):
        return None
    try:
        if console.stdin.isatty():
            terminal = console.stdin.fileno()
        else:
            console.stderr.fileno()  # that of a test has none
            terminal = os.open("/dev/tty", os.O_RDWR)
            stack.callback(os.close, terminal)
        return terminal if os.tcgetpgrp(terminal) == os.getpgrp() else None  # one in the background would be stopped
    except OSError:
        return None


def _without_lines(settings: list[Any]) -> list[Any]:
    """Return the settings of a terminal that passes on keys at once; Ctrl-C stays a signal, Ctrl-Z does nothing."""
    import termios

    changed = list(settings)
    changed[3] = settings[3] & ~(termios.ICANON | termios.ECHO)
    changed[6] = list(settings[6])
    changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
    changed[6][termios.VSUSP] = b"\0"
    return changed


def _read(terminal: int, seconds: float) -> str:
    ready, _, _ = select.select([terminal], [], [], seconds)
    if not ready:
        return ""
    try:
        return os.read(terminal, 64).decode("utf-8", "ignore")
    except OSError:  # the terminal is gone
        return wait(seconds)
