"""Locks on names, so that two processes never work on the same one.

    with locks.acquire(folder / "lock", "model 'mine'", "use another --name"):
        ...

A lock is a file that says who holds it. The system releases it when its process ends, however that ends, so a file
that is left behind is harmless, and the next holder takes it over.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import shlex
import stat
import sys
import time
from pathlib import Path
from typing import Any

from composer.api import ComposerError
from composer.system.private_folder import make_private

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
"""Errors of file systems that cannot lock, such as some network ones."""
ATTEMPTS = 100
"""How often to create a folder that other processes remove when they are done."""
MAX_WAITS, WAIT_SECONDS = 10, 0.01
"""How long to wait for a holder to say who it is."""
MAX_SECONDS = 10.0
"""How long to wait for a lock that is held for a moment only."""
_MAX_BYTES, _MAX_COMMAND = 4096, 100
_LOCKED_BYTE = 1 << 30
"""Windows lets nobody read bytes that are locked, so one far behind the text is locked."""
_open: set[int] = set()
"""The open files of the locks of this process."""


class NameInUse(ComposerError):
    """Another process works on the same name."""


class Lock(contextlib.AbstractContextManager["Lock"]):
    """A name that this process holds until `release`. `unsupported` says why others are not kept out, if so."""

    def __init__(self, path: Path, file: int | None, unsupported: str = "") -> None:
        self.path, self._file, self.unsupported = path, file, unsupported

    def release(self) -> None:
        """Give the name back and remove the file."""
        file, self._file = self._file, None
        if file is None:
            return
        _open.discard(file)
        if sys.platform == "win32":  # an open file cannot be removed there
            os.close(file)
        _remove(self.path)
        if sys.platform != "win32":
            os.close(file)

    def __exit__(self, *error: object) -> None:
        self.release()


def acquire(path: Path, what: str, hint: str) -> Lock:
    """Return the lock at `path`, a file made for it in a folder that is created if needed.

    Raises NameInUse, which names `what` and its holder, if another process has it, and OSError. On a file system that
    cannot lock, the name is not protected and `unsupported` of the result is set.
    """
    for attempt in itertools.count():
        file, locked = _open_file(path), None
        try:
            locked = try_lock(file)
            if locked is None:
                return _unprotected(path, file)
            if not locked:
                holder = _holder(file)
                if holder or attempt >= MAX_WAITS:
                    raise NameInUse(f"{what} is in use{holder}", hint)
                time.sleep(WAIT_SECONDS)
            elif _is_at(path, file):
                _write_holder(file)
                _open.add(file)
                return Lock(path, file)
        except BaseException:  # also of a signal
            if locked and _is_at(path, file):
                _remove(path)
            os.close(file)
            raise
        os.close(file)  # the holder has not yet written who it is, or has just removed the file
    raise AssertionError


def wait_for(path: Path, what: str, hint: str, seconds: float = MAX_SECONDS) -> Lock:
    """Return the lock at `path` as `acquire` does, but wait some seconds for another process to release it."""
    end = time.monotonic() + seconds
    while True:
        try:
            return acquire(path, what, hint)
        except NameInUse:
            if time.monotonic() > end:
                raise
        time.sleep(WAIT_SECONDS)


def try_lock(file: int) -> bool | None:
    """Lock an open file, until it is closed, without waiting. Return None if its file system cannot lock."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}:
            return False
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True


def _open_file(path: Path) -> int:
    """Open the file of a lock; links are never followed. Raises OSError."""
    for attempt in range(ATTEMPTS):
        try:
            make_private(path.parent)
            file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except FileNotFoundError:  # another process has just removed the folder
            if attempt == ATTEMPTS - 1:
                raise
            continue
        if stat.S_ISREG(os.fstat(file).st_mode):
            break
        os.close(file)
        raise OSError(errno.EINVAL, "not a file", str(path))
    return file


def _is_at(path: Path, file: int) -> bool:
    """Return whether `path` is still the open file."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # Windows cannot remove an open file
        path.unlink()


def _unprotected(path: Path, file: int) -> Lock:
    os.close(file)
    _remove(path)
    return Lock(path, None, f"the file system of {path.parent} cannot lock files")


def _write_holder(file: int) -> None:
    """Write who holds a lock; that is only for messages, so a full disk is no reason to stop."""
    command = shlex.join(["composer", *sys.argv[1:]])
    text = json.dumps({"pid": os.getpid(), "host": _host(), "command": command[:1000], "since": int(time.time())})
    with contextlib.suppress(OSError):
        os.ftruncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, text.encode() + b"\n")


def _holder(file: int) -> str:
    """Return who holds the lock in an open file, for a message; empty if it does not say."""
    try:
        os.lseek(file, 0, os.SEEK_SET)
        found: Any = json.loads(os.read(file, _MAX_BYTES))
        pid, since = int(found["pid"]), time.localtime(int(found["since"]))
        host, command = _printable(found["host"]), _printable(found["command"])
    except (OSError, ValueError, LookupError, TypeError, OverflowError):
        return ""
    where = f" on {host}" if host != _host() else ""
    shown = time.strftime("%H:%M:%S" if since[:3] == time.localtime()[:3] else "%Y-%m-%d %H:%M", since)
    return f" by process {pid}{where} since {shown} ({command})"


def _host() -> str:
    return os.environ.get("COMPUTERNAME", "") if sys.platform == "win32" else os.uname().nodename


def _printable(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return shown if len(shown) <= _MAX_COMMAND else f"{shown[:_MAX_COMMAND]}..."


def _forget_in_child() -> None:
    """Close the locks that a forked process inherits, or they would outlive the process that holds them."""
    for file in _open:
        with contextlib.suppress(OSError):
            os.close(file)
    _open.clear()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_forget_in_child)
