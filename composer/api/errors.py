"""Errors shown to the user: one line that names the value and the place, and a hint that says what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = [
    "CheckpointError",
    "ComposerError",
    "DeviceError",
    "EncodeError",
    "OptionError",
    "PairingError",
    "PluginError",
    "ReadError",
    "Unsatisfiable",
    "Unsupported",
    "UsageError",
    "suggest",
]


class ComposerError(Exception):
    """An error in the user's input or environment, not a bug: shown as two lines, without a traceback.

    `message` completes "error: ...", `hint` completes "hint: ...".
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class OptionsError(ComposerError):
    """An error that another choice of options avoids; raise one of its subclasses.

    `flags` are options any one of which could be left out to avoid it, such as `--bars`. If the configuration file has
    a default for one of them, and the user did not type it, the command runs without it.
    """

    def __init__(self, message: str, hint: str | None = None, *, flags: Sequence[str] = ()) -> None:
        super().__init__(message, hint)
        self.flags = tuple(flags)


class UsageError(OptionsError):
    """An invalid command line (exit code 2)."""


class ReadError(ComposerError):
    """A source that cannot be read at all: missing, unreadable, or not in the format of its suffix."""


class EncodeError(ComposerError):
    """A piece that the fitted representation cannot encode; the message names the symbols."""


class OptionError(UsageError):
    """An unknown option or setting of a plugin, or an invalid value for one (exit code 2)."""


class PairingError(ComposerError):
    """A model and a representation that do not work together."""


class PluginError(ComposerError):
    """A plugin that is missing, broken, duplicated, or written for another version of the interface."""


class CheckpointError(ComposerError):
    """A checkpoint that is missing, damaged, or of another representation or model."""


class DeviceError(ComposerError):
    """A requested device that cannot be used."""


class Unsatisfiable(OptionsError):
    """Controls that no piece can satisfy together; the message names the two that conflict."""


class Unsupported(ComposerError):
    """Something that a plugin cannot do by design, such as an exact likelihood with a Gibbs chain."""


def suggest(value: str, known: Iterable[str], matches: int = 1, cutoff: float = 0.6) -> str:
    """Return a hint for an unknown `value`: up to `matches` similar names among `known`, else all of them."""
    from difflib import get_close_matches  # not needed without an error

    names = list(known)
    *others, last = [f"`{name}`" for name in get_close_matches(value, names, matches, cutoff)] or [""]
    if last:
        return f"did you mean {', '.join(others)}{' or ' * bool(others)}{last}?"
    return "choose from " + ", ".join(names) if names else "there are none to choose from"
