"""`composer eval`: likelihood of held-out music, as one line or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from composer.analysis import likelihood
from composer.analysis.likelihood import Evaluation
from composer.checkpoints import load as load_checkpoint
from composer.cli.console import Console
from composer.cli.render.reading_progress import ReadingProgress, report_left_out
from composer.cli.render.text import count_noun

__all__ = ["LikelihoodOptions", "report_likelihood"]


@dataclass(frozen=True, slots=True)
class LikelihoodOptions:
    """Which pieces to measure, with which model."""

    representation: str
    path: Path
    files: Sequence[str]
    device: str
    split: Path | None
    part: str | None
    effort: int | None
    stream: bool
    as_json: bool


def report_likelihood(asked: LikelihoodOptions, console: Console) -> None:
    """Print the likelihood per step. Raises ComposerError."""
    opened = load_checkpoint.open_checkpoint(asked.path, asked.representation, "eval {} FILES... --checkpoint")
    name = asked.path.stem
    if asked.stream and not opened.checkpoint.header.record.get("settings", {}).get("contiguous", False):
        console.warn(f"{name} was trained on separate pieces; --stream makes its likelihood look worse")
    with ReadingProgress(console) as reading:
        found = likelihood.evaluate(
            opened,
            asked.files,
            device=asked.device,
            listing=asked.split,
            split=asked.part,
            effort=asked.effort,
            stream=asked.stream,
            reading_progress=reading.update,
            progress=reading.update_measured,
        )
    report_left_out(console, found)
    if asked.as_json:
        told = {"checkpoint": name, "representation": asked.representation, **found.to_json()}
        console.write(json.dumps(told) + "\n")
    else:
        console.write(_line(name, found, opened.representation.step_name) + "\n")


def _line(name: str, found: Evaluation, step: str) -> str:
    error = f" ± {Decimal(f'{found.stderr:.2g}'):f}" if found.stderr else ""
    over = f"{count_noun(found.pieces, 'piece')}, {count_noun(found.steps, step)}"
    how = ", as one text" if found.stream else ""
    return f"{name}: {found.value:.3f}{error} {found.unit}, over {over}{how}"
