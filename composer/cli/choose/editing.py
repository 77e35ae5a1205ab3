"""Edit a piece as text in the user's editor."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from composer.api import ComposerError

if TYPE_CHECKING:
    from composer.cli.console import Console

EDITORS = ("sensible-editor", "nano", "vi")
"""Tried in this order without VISUAL and EDITOR."""


def edit(console: Console, text: str, suffix: str) -> str:
    """Return `text` as it is after the user has edited it. Raises ComposerError if there is no editor, or it fails."""
    command = _editor(console)
    with TemporaryDirectory(prefix="composer-") as folder:
        file = Path(folder) / f"piece{suffix}"
        file.write_text(text, "utf-8", newline="")
        try:
            ended = subprocess.run([*command, file], check=False, env={**os.environ, **console.environ})
            if ended.returncode:
                raise ComposerError(f"{command[0]} ended with status {ended.returncode}, so nothing was changed")
            return file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            hint = "set EDITOR to an editor for text, such as nano"
            raise ComposerError(f"cannot edit with {command[0]}: {error}", hint) from error


def _editor(console: Console) -> list[str]:
    """Return the command of the editor. Raises ComposerError if there is none."""
    given = console.environ.get("VISUAL") or console.environ.get("EDITOR") or ""
    try:
        command = shlex.split(given)
    except ValueError:
        command = []
    found = command or [name for name in EDITORS if shutil.which(name)][:1]
    if not found:
        raise ComposerError("found no editor", "set EDITOR, for example: export EDITOR=nano")
    return found
