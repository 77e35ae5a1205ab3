"""Find a SoundFont: the one that is asked for, else that of COMPOSER_SOUNDFONT, else one in the usual folders."""

from __future__ import annotations

import os
from pathlib import Path

from composer.api import ComposerError

VARIABLE = "COMPOSER_SOUNDFONT"
NONE = "none"
"""Stands for the built-in synthesizer."""
_SUFFIXES = (".sf2", ".sf3")
_FOLDERS = (
    "~/.local/share/soundfonts",
    "~/.local/share/sounds/sf2",
    "~/Library/Audio/Sounds/Banks",
    "/usr/local/share/soundfonts",
    "/usr/share/soundfonts",
    "/usr/share/sounds/sf2",
    "/usr/share/sounds/sf3",
    "/opt/homebrew/share/soundfonts",
    "/opt/homebrew/share/fluid-synth/sf2",
)
_PREFERRED = "default"
"""Distributions link their usual SoundFont to a name that begins so."""


def find_soundfont(given: str = "") -> Path | None:
    """Return the SoundFont to use, None for the built-in synthesizer.

    Raises ComposerError if the file that was `given`, or that COMPOSER_SOUNDFONT names, is no SoundFont.
    """
    named = given or os.environ.get(VARIABLE, "")
    if named == NONE:
        return None
    return _checked(named, "--soundfont" if given else VARIABLE) if named else _usual()


def is_named(given: str = "") -> bool:
    """Return whether the user asked for a SoundFont."""
    return bool(given or os.environ.get(VARIABLE))


def _checked(name: str, option: str) -> Path:
    path = Path(name).expanduser()
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or error
        raise ComposerError(f"cannot read {option} {name}: {reason}", _hint(option)) from error
    if start[:4] != b"RIFF" or start[8:] != b"sfbk":
        raise ComposerError(f"{option} {name} is not a SoundFont", _hint(option))
    return path


def _hint(option: str) -> str:
    named = f"{option} none" if option.startswith("-") else f"{option}=none"
    return f"name an .sf2 or .sf3 file, or use {named} for the built-in synthesizer"


def _usual() -> Path | None:
    """Return a SoundFont in the usual folders, in the order of their names, the distribution's default first."""
    for folder in _FOLDERS:
        try:
            found = [path for path in Path(folder).expanduser().iterdir() if path.suffix.lower() in _SUFFIXES]
        except (OSError, RuntimeError):  # RuntimeError: no home
            continue
        found = [path for path in found if path.is_file()]
        if found:
            return min(found, key=lambda path: (not path.name.startswith(_PREFERRED), path.name))
    return None
