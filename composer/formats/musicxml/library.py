"""music21, imported when it is needed: it takes half a second to load."""

from __future__ import annotations

import contextlib
import gc
import io
import warnings
from collections.abc import Iterator
from typing import Any

MARK_FIELD = b'<miscellaneous-field name="composer">'
"""The element that holds provenance."""


def music21() -> Any:
    """Import the library, which is only partly typed."""
    import music21

    return music21


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep music21's warnings and remarks on stderr off the terminal."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Let no garbage be collected meanwhile: music21's streams are millions of objects, which are searched in vain."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
