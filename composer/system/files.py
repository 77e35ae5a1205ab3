"""Write files whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path


def write_atomic(path: Path, data: bytes | bytearray, *, sync: bool = True) -> None:
    """Write a file, and its folder if needed, so that a reader finds the old or the new file and never a part.

    With `sync`, wait until the disk has it. Raises OSError.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with temporary.open("xb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def is_disk_full(error: OSError) -> bool:
    """Return whether the disk, or the user's quota, is full."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}
