"""Time to quality: compare the validations of two trainings over time, and plot them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..training.store import Point


@dataclass(frozen=True)
class Outcome:
    """The published training was best, at `value`, after `theirs` seconds; ours was as good after `ours`, or never."""

    value: float
    theirs: float
    ours: float | None

    @property
    def share(self) -> float | None:
        """The time that ours needs as a share of theirs."""
        return None if self.ours is None else self.ours / self.theirs


def outcome(published: Sequence[Point], ours: Sequence[Point]) -> Outcome | None:
    """Return the outcome of a race; None before both have been validated. Times are not interpolated."""
    if not published or not ours:
        return None
    best = min(published, key=lambda point: (point.value, point.seconds))
    reached = next((point.seconds for point in ours if point.value <= best.value), None)
    return Outcome(best.value, best.seconds, reached)


def draw(curves: Mapping[str, Sequence[Point]], unit: str, path: Path, title: str) -> None:
    """Write both curves as an SVG with text, deterministically."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "quality", "font.size": 9}):
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        axes = figure.subplots()
        for name, points in curves.items():
            axes.plot([point.seconds for point in points], [point.value for point in points], label=name, linewidth=1.5)
        name, theirs = next(iter(curves.items()))
        best = min(point.value for point in theirs)
        axes.axhline(best, color="gray", linewidth=0.8, linestyle="--", label=f"best of the {name}, {best:.3f}")
        every = sorted(point.value for points in curves.values() for point in points)
        axes.set_ylim(every[0] - 0.05 * (every[-1] - every[0]), every[int(0.98 * (len(every) - 1))])
        axes.set(xlabel="seconds of training, including validation", ylabel=f"validation, {unit}", title=title)
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
