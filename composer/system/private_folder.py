"""Folders whose content is trusted: only their owner may write to them."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from composer.system.paths import home_folder, make_folder


class Distrust(NamedTuple):
    """Why a folder is not trusted, and what to do about it."""

    reason: str
    hint: str


def distrust(folder: Path) -> Distrust | None:
    """Return why the content of `folder` is not trusted; None if only this user, or root, may write to it.

    Of a folder in COMPOSER_HOME, those above it up to COMPOSER_HOME itself are examined too, since who may write to one
    of them can replace it.
    """
    return next(filter(None, map(_distrust_one, _up_to_home(folder))), None)


def _up_to_home(folder: Path) -> Iterator[Path]:
    """Yield `folder`, and those above it up to COMPOSER_HOME if it is in there."""
    home = home_folder()
    yield folder
    if home is not None and home in folder.parents:
        yield from folder.parents[: folder.parents.index(home) + 1]


def _distrust_one(folder: Path) -> Distrust | None:
    """Return why a folder itself is not trusted; None if only this user, or root, may write to it.

    None also for a folder that is missing or cannot be examined. A group may write if it is the user's own, as with
    umask 002. A sticky folder is no exception, since others could add to it. Root trusts the folders of any user,
    such as those mounted into a container.
    """
    if os.name == "nt":
        return None
    try:
        status = folder.stat()
    except OSError:
        return None
    if not stat.S_ISDIR(status.st_mode):
        return None
    user = os.geteuid()
    if user not in (0, status.st_uid) and status.st_uid != 0:
        return Distrust(f"{folder} belongs to another user", "set COMPOSER_HOME to a folder of your own")
    others = status.st_mode & stat.S_IWOTH
    if others or (status.st_mode & stat.S_IWGRP and not _is_own_group(status.st_gid, status.st_uid)):
        return Distrust(f"other users can write to {folder}", f"chmod go-w {shlex.quote(str(folder))}")
    return None


def make_private(folder: Path) -> None:
    """Create `folder` and those above it unless they exist; only this user can write to them. Raises OSError."""
    make_folder(folder, 0o755)


def _is_own_group(group: int, user: int) -> bool:
    """Return whether `group` is named after `user` and has no other members."""
    import grp
    import pwd

    try:
        name, found = pwd.getpwuid(user).pw_name, grp.getgrgid(group)
    except KeyError:
        return False
    return found.gr_name == name and {*found.gr_mem} <= {name}
