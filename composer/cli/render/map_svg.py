"""A map of pieces as SVG: points with titles, colored by cluster, readable on light and dark backgrounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from composer.formats.midi.text import printable_line

SIZE = 800
"""Width and height of the plane, in pixels."""

MARGIN = 40
LEGEND_WIDTH = 300
LINE_HEIGHT = 24

COLORS = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8f7fd6", "#8a8f00", "#b5651d", "#5f9ea0",
    "#e377c2", "#7f7f7f",
)  # fmt: skip
"""Colors of clusters, the first of them by Okabe and Ito, which colorblind readers can tell apart."""

STYLE = """
svg { background: #ffffff; font: 14px system-ui, sans-serif; }
text { fill: #222222; }
.faint { fill: #666666; }
.number { font-weight: bold; text-anchor: middle; paint-order: stroke; stroke: #ffffff; stroke-width: 4px; }
circle { fill-opacity: 0.8; stroke: #ffffff; stroke-width: 0.5px; }
@media (prefers-color-scheme: dark) {
  svg { background: #16181d; }
  text { fill: #e8e8e8; }
  .faint { fill: #a0a0a0; }
  .number { stroke: #16181d; }
  circle { stroke: #16181d; }
}
"""


@dataclass(frozen=True, slots=True, eq=False)
class PieceMap:
    """Places (N, 2) of pieces with their `names`, the cluster (N,) of each, and what is typical of each cluster.

    `caption` says what the map shows.
    """

    caption: str
    names: Sequence[str]
    places: NDArray[np.float32]
    clusters: NDArray[np.int64]
    descriptions: Sequence[str]


def svg(drawn: PieceMap) -> str:
    """Return the map as an SVG document."""
    points = _scaled(drawn.places)
    radius = 5 if len(points) <= 300 else 3.5 if len(points) <= 1500 else 2.5
    width, height = SIZE + LEGEND_WIDTH, SIZE + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<title>{_text(drawn.caption)}</title>",
        f"<style>{STYLE}</style>",
        f'<text x="{MARGIN}" y="{MARGIN * 0.75:g}">{_text(drawn.caption)}</text>',
    ]
    for name, (x, y), cluster in zip(drawn.names, points, drawn.clusters.tolist(), strict=True):
        circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{_color(cluster)}">'
        lines.append(f"{circle}<title>{_text(name)}</title></circle>")
    for cluster, description in enumerate(drawn.descriptions):
        own = points[drawn.clusters == cluster]
        x, y = np.median(own, axis=0)
        if len(drawn.descriptions) > 1:
            lines.append(f'<text class="number" x="{x:.1f}" y="{y:.1f}">{cluster + 1}</text>')
        lines += _legend_row(cluster, len(own), description)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _legend_row(cluster: int, count: int, description: str) -> list[str]:
    y = 2 * MARGIN + 2 * LINE_HEIGHT * cluster
    detail = description or "nothing typical"
    return [
        f'<circle cx="{SIZE + 20}" cy="{y - 5}" r="6" fill="{_color(cluster)}"/>',
        f'<text x="{SIZE + 36}" y="{y}">{cluster + 1}: {count:,} piece{"" if count == 1 else "s"}</text>',
        f'<text class="faint" x="{SIZE + 36}" y="{y + 18}">{_text(detail)}</text>',
    ]


def _scaled(places: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the places in pixels, with the same scale on both axes."""
    low, high = places.min(axis=0), places.max(axis=0)
    spread = max(float((high - low).max()), 1e-9)
    centered = (places - (low + high) / 2) / spread
    return np.asarray(centered * (SIZE - 2 * MARGIN) + [SIZE / 2, SIZE / 2 + MARGIN / 2], float)


def _color(cluster: int) -> str:
    return COLORS[cluster % len(COLORS)]


def _text(text: str) -> str:
    """Return `text` for XML, in one line without control characters."""
    return escape(printable_line(text))
