"""Errors that a user may see: one line that names the thing and the place, and a hint that names the way out."""

from __future__ import annotations


class ComposerError(Exception):
    """An error of the user's world, never of the program's: it is shown as two lines, without a traceback.

    `message` completes the sentence "error: ..." and `hint` the sentence "hint: ...".
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ComposerError):
    """A value on the command line that cannot be meant (exit code 2)."""


class ReadError(ComposerError):
    """A source that cannot be read at all: missing, unreadable, or not what its suffix says."""


class EncodeError(ComposerError):
    """A piece that the fitted representation has no steps for; the message names the symbols."""


class OptionError(UsageError):
    """An option or setting that a plugin does not have, or a value that it does not take (exit code 2)."""


class PairingError(ComposerError):
    """A model and a representation that do not fit together."""


class PluginError(ComposerError):
    """A plugin that is missing, broken, duplicated, or written for another version of the interface."""


class CheckpointError(ComposerError):
    """A checkpoint that is missing, damaged, or of another representation or model."""


class DeviceError(ComposerError):
    """A device that was asked for by name and cannot be used."""


class Unsatisfiable(ComposerError):
    """Wishes that no piece can fulfil together; the message says which two clash."""


class Unsupported(ComposerError):
    """Something that this plugin cannot do by its nature, such as an exact score from a Gibbs chain."""
