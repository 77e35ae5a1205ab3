"""Combine SVG documents into one picture file: SVG or PNG with one below another, or PDF with a page for each."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

from composer.api import ComposerError
from composer.pictures.extra import library

PNG_SCALE = 1.5
MAX_PIXELS = 32_000
"""Maximum height of a PNG file, which many programs cannot show if it is higher."""
_PURPOSES = {".png": "sheet music as PNG", ".pdf": "sheet music as PDF"}
A4 = (210 / 25.4 * 72, 297 / 25.4 * 72)
"""Size of a page of a PDF file, in points."""
_SIZE = re.compile(r'<svg[^>]*?width="([\d.]+)px" height="([\d.]+)px"')


def combine(documents: Sequence[str], suffix: str) -> bytes:
    """Return the documents as the content of one file with this suffix.

    Raises ComposerError without CairoSVG, and if a PNG file would be too high.
    """
    if suffix == ".svg":
        return _stacked(documents).encode()
    surfaces = library("cairosvg.surface", _PURPOSES[suffix])
    if suffix == ".pdf":
        return _pdf(documents, surfaces)
    stacked = _stacked(documents)
    scale = min(PNG_SCALE, MAX_PIXELS / _size(stacked)[1])
    if scale < PNG_SCALE / 4:
        raise ComposerError(
            "the picture is too high for a PNG file", "use fewer pieces, or a PDF file: --output sheet.pdf"
        )
    return bytes(surfaces.PNGSurface.convert(stacked.encode(), scale=scale, background_color="white"))


def _size(document: str) -> tuple[float, float]:
    found = _SIZE.search(document)
    if found is None:
        raise ValueError("an SVG document without a size in pixels")
    return float(found[1]), float(found[2])


def _stacked(documents: Sequence[str]) -> str:
    """Return one SVG document with the given ones below one another."""
    sizes = [_size(document) for document in documents]
    width, height = max(width for width, _ in sizes), sum(height for _, height in sizes)
    parts, top = [], 0.0
    for document, (_, own) in zip(documents, sizes, strict=True):
        body = document[document.index("<svg") :]
        parts.append(body.replace("<svg ", f'<svg x="0" y="{top:g}" ', 1))
        top += own
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}px" height="{height:g}px" '
        f'viewBox="0 0 {width:g} {height:g}">\n<rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _pdf(documents: Sequence[str], surfaces: Any) -> bytes:
    """Return a PDF file with one page of A4 for each document."""
    parser = library("cairosvg.parser", _PURPOSES[".pdf"])
    buffer = io.BytesIO()
    shared: list[Any] = []

    class Page(surfaces.PDFSurface):  # type: ignore[misc]
        """Draws on a new page of the file that the first one began."""

        def _create_surface(self, width: float, height: float) -> tuple[Any, float, float]:
            if shared:
                shared[0].show_page()
                shared[0].set_size(width, height)
            else:
                shared.append(self.surface_class(buffer, width, height))
            return shared[0], width, height

    width, height = (points / 72 * 96 for points in A4)
    for document in documents:
        Page(parser.Tree(bytestring=document.encode()), buffer, 96, output_width=width, output_height=height)
    shared[0].finish()
    return buffer.getvalue()
