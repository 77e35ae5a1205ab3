"""One run at a time in the bench's folder: two would train the same model under one name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from composer.api import UsageError

NAME = "running"


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold the folder for this process. The system lets go of it however the process ends, so that no lock is left.

    Where the system has no such locks, nothing is held. Raises UsageError where another process holds it.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    with (home / NAME).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"another run is at work in {home}", "wait for it, or name another folder with --home"
            ) from None
        yield
