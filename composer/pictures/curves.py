"""Training curves: the training and the validation loss by update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from composer.api import ComposerError
from composer.pictures.figure import figure, save_figure

PURPOSE = "a picture of a training curve"
TRAIN, VALID = "#9aa7b8", "#0072b2"
MAX_TITLE = 60


def draw_curve(record: Mapping[str, Any], name: str, suffix: str, hint: str = "") -> bytes:
    """Return the curve that the training record of model `name` holds, as a picture file.

    Raises ComposerError, with the `hint`, if it holds none, and without matplotlib.
    """
    history: Sequence[Sequence[Any]] = record.get("history") or ()
    if not history:
        raise ComposerError(f"no training curve is recorded in '{name}'", hint)
    losses = {
        "training": [(update, train) for update, train, _ in history if train is not None],
        "validation": [(update, valid) for update, _, valid in history if valid is not None],
    }
    with figure(PURPOSE, 7.0, 4.2) as drawn:
        axes = drawn.add_axes((0.1, 0.13, 0.87, 0.76))
        for (label, points), color in zip(losses.items(), (TRAIN, VALID), strict=True):
            if points:
                marker = "o" if len(points) == 1 else ""
                axes.plot(*zip(*points, strict=True), label=label, color=color, lw=1.8, marker=marker)
        best, update = record.get("reported"), record.get("best_update")
        if losses["validation"] and best is not None and update is not None:
            axes.plot([update], [best], "o", color=VALID, label=f"best: {best:.3f} at update {update:,}")
        axes.set_title(name[:MAX_TITLE], loc="left", weight="bold")
        axes.set_xlabel("update")
        axes.set_ylabel(str(record.get("unit") or "loss"))
        axes.grid(color="#e6e8eb", lw=0.6)
        axes.legend(frameon=False)
        return save_figure(drawn, suffix)
