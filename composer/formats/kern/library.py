"""converter21, imported when a file is read: it takes a second to load."""

from __future__ import annotations

from typing import Any

from composer.api import ReadError, RejectedPiece
from composer.formats.musicxml.library import music21


def converter21() -> Any:
    """Import the library, whose converters are used as music21 would use them once they are registered.

    Registering them would also change how this process reads ABC.
    """
    m21 = music21()
    if not hasattr(m21.metadata.Metadata, "_convertValue"):
        # music21 10 has renamed it; converter21 4.0 uses the old name
        m21.metadata.Metadata._convertValue = staticmethod(m21.metadata.Metadata.convertValue)
    import converter21

    return converter21


def rejected_score(error: ReadError, label: str) -> RejectedPiece:
    """Return the rejection of one of several scores in a file, called `label`, for `error`."""
    reason = "no notes" if "has no notes" in error.message else "cannot be read"
    return RejectedPiece(reason, label, error.message.removeprefix(label).strip())
