"""Ctrl-C, SIGTERM and SIGHUP: the first one ends the program cleanly, a second one at once with the same exit code.

This module is imported before everything else, so it imports little.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable
    from sys import UnraisableHookArgs

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Windows has no SIGHUP."""


class Interrupted(KeyboardInterrupt):
    """A signal that ends the program; the first one is raised, wherever the program is."""


class _State:
    first: int | None = None
    raised = False


_restorers: list[Callable[[], object]] = []


def was_raised() -> bool:
    """Return whether Interrupted was raised, so that an error may be its consequence."""
    return _State.raised


def exit_code() -> int:
    """Return the exit code after the first signal, 130 for Ctrl-C."""
    return 128 + (signal.SIGINT if _State.first is None else _State.first)


def note(number: int) -> None:
    """Remember the first signal, for the exit code."""
    if _State.first is None:
        _State.first = number


def forget() -> None:
    """Forget a signal that came before."""
    _State.first, _State.raised = None, False


def restore_at_end(restore: Callable[[], object]) -> None:
    """Call `restore` when the process ends, unless `is_restored` is called: a signal may come before or in a `finally`.

    It is called from a signal handler, so it must not use the buffers of streams.
    """
    _restorers.append(restore)


def is_restored(restore: Callable[[], object]) -> None:
    """Forget what `restore_at_end` was given, since it is done."""
    _restorers.remove(restore)


def end_silently() -> None:
    """Let signals end the process at once, without a traceback, until `raise_first` is called."""
    _handle(signal.SIG_DFL)


def raise_first(*, several: bool) -> None:
    """Raise Interrupted for the first signal, and end the process at the second.

    One of several processes is still ended at once by all signals but Ctrl-C, as it may be waiting for another one.
    """
    process = os.getpid()

    def on_signal(number: int, frame: object) -> None:
        if os.getpid() != process:  # a child that was forked
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        elif _State.first is not None:
            _end(exit_code())
        else:
            _State.first, _State.raised = number, True
            raise Interrupted

    def on_unraisable(raised: UnraisableHookArgs) -> None:
        if issubclass(raised.exc_type, KeyboardInterrupt):  # Python would print it, and go on
            _end(exit_code())
        sys.__unraisablehook__(raised)

    sys.unraisablehook = on_unraisable
    _handle(on_signal, SIGNALS[:1] if several else SIGNALS)


def exit_at_once(code: int) -> None:
    """End the process with `code` if a signal comes from now on."""
    _handle(lambda number, frame: _end(code))
    _restore()


def _end(code: int) -> NoReturn:
    _restore()
    os._exit(code)


def _restore() -> None:
    while _restorers:
        try:  # noqa: SIM105 - contextlib takes time to import
            _restorers.pop()()
        except Exception:
            pass


def _handle(handler: signal._HANDLER, numbers: tuple[int, ...] = SIGNALS) -> None:
    """Set the handler of signals, except those that were ignored when the program started, as by `nohup`."""
    for number in numbers:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)
