"""converter21, imported when a file is read: it takes a second to load."""

from __future__ import annotations

from typing import Any

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
