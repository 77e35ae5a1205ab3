"""Lock the benchmark's folder: two runs would train the same model under one name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from composer.api import UsageError

NAME = "running"


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Lock the folder for this process. The system releases the lock however the process ends.

    Do nothing on systems without such locks. Raises UsageError if another process has the lock.
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
                f"another run is using {home}", "wait for it, or choose another folder with --home"
            ) from None
        yield
