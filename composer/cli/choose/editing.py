"""Edit a piece as text in the user's editor."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from composer.api import ComposerError, ReadError, RejectedPiece, Representation, Source, Unsatisfiable
from composer.api.limits import limit_hint, raised, read_up_to

if TYPE_CHECKING:
    from composer.cli.console import Console

MAX_TEXT_BYTES = 4 * 1024 * 1024
"""Of an edited piece."""
EDITORS = ("sensible-editor", "nano", "vi")
"""Tried in this order without VISUAL and EDITOR."""
EDIT_HINT = "press e to correct it"


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
            return _read(file)
        except (OSError, UnicodeDecodeError) as error:
            hint = "set EDITOR to an editor for text, such as nano"
            raise ComposerError(f"cannot edit with {command[0]}: {error}", hint) from error


def invalid_edit(source: Source, representation: Representation, rejected: RejectedPiece | None) -> ReadError:
    """Return the error for an edited piece that is none."""
    if rejected is None:
        return ReadError("the edited piece is empty", EDIT_HINT)
    place = f" ({rejected.detail})" if rejected.detail else ""
    return ReadError(f"the edited piece is invalid: {rejected.reason}{place}", EDIT_HINT)


def unusable_edit(error: Unsatisfiable) -> ComposerError:
    """Return the error for an edited piece that cannot be continued."""
    from composer.formats.abc.grammar.automaton import InvalidPrimer  # not needed without an error

    if not isinstance(error, InvalidPrimer):
        return ComposerError(f"the edited piece cannot be continued: {error.message}", EDIT_HINT)
    before = error.text[:-1]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return ComposerError(f"the edited piece is invalid: {error.reason} (line {line}, column {column})", EDIT_HINT)


def _read(file: Path) -> str:
    """Return the text of a file. Raises ComposerError if it is too large, OSError, UnicodeDecodeError."""
    limit = raised(MAX_TEXT_BYTES)
    with file.open("rb") as stream:
        data = read_up_to(stream, limit)
    if len(data) > limit:
        raise ComposerError(f"the edited piece is larger than {limit // 2**20} MB", limit_hint("make it shorter"))
    return io.TextIOWrapper(io.BytesIO(data), "utf-8").read()  # with the line ends of this system as \n


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
