"""Files that the user named: written whole or not at all, and never replaced unasked."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from composer.api import ComposerError
from composer.checkpoints import file as checkpoint_file

__all__ = ["GO_ON", "REPLACE", "keep", "making", "put", "save", "whole", "writing"]

REPLACE = "choose another --output, or replace it with --force"
GO_ON = "go on with it by --resume, or replace it with --force"


def save(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; a device or a named pipe, which can only be written to, is written to."""
    if not path.exists() or path.is_file():
        checkpoint_file.write_bytes(path, data)
        return
    with writing(path):
        path.write_bytes(data)


def put(path: Path, data: bytes | bytearray) -> None:
    """Write one of many files, whole or not at all. It is not waited for until the disk has it, as `save` does."""
    part = path.with_name(f".{path.name}.part")
    with writing(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            part.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise


def whole(path: Path) -> bool:
    """Whether a file is there; an empty one may be what a power cut has left."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def keep(path: Path, *, force: bool, hint: str = REPLACE) -> None:
    """Raise where a file would be replaced that the user has not given up."""
    if path.is_dir():
        raise ComposerError(f"{path} is a folder", f"name a file in it: --output {path / 'tune.mid'}")
    if path.is_file() and not force:
        raise ComposerError(f"{path} exists already", hint)


def making(folder: Path) -> str:
    """What is to be said, after all is written, of a folder that is made for it; empty where it is there already."""
    return "" if folder.exists() else f"; made the folder {folder}"


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """What goes wrong with a file while it is written is an error that names it."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = "make room on the disk; --resume goes on with many pieces" if full else "choose another --output"
        raise ComposerError(f"cannot write {path}: {error.strerror or error}", hint) from error
