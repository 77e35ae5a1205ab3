"""Matplotlib figures as bytes: the same bytes for the same picture, and text that is never read as TeX."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from composer.pictures.extra import library

DPI = 150
"""Pixels per inch of PNG files."""

_SETTINGS = {
    "svg.hashsalt": "composer",
    "svg.fonttype": "none",  # text stays text, which the viewer shows in fonts that have its letters
    "text.parse_math": False,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@contextmanager
def figure(purpose: str, width: float, height: float) -> Iterator[Any]:
    """Yield a new figure of this size in inches. Raises ComposerError without matplotlib, naming `purpose`."""
    matplotlib = library("matplotlib", purpose)
    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        yield library("matplotlib.figure", purpose).Figure(figsize=(width, height), facecolor="white")


def save_figure(drawn: Any, suffix: str) -> bytes:
    """Return a figure as the content of a file with this suffix, within the context that it was made in.

    Characters of its texts that are not printable become spaces: what controls the direction of text in a title would
    otherwise get into an SVG file, where it can reorder what stands beside it.
    """
    for text in drawn.findobj(library("matplotlib.text", "pictures").Text):
        lines = text.get_text().split("\n")
        text.set_text("\n".join("".join(char if char.isprintable() else " " for char in line) for line in lines))
    dates = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {"Software": None}}
    buffer = io.BytesIO()
    drawn.savefig(buffer, format=suffix.removeprefix("."), dpi=DPI, metadata=dates[suffix])
    return buffer.getvalue()
