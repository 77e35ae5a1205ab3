"""`composer eval`: how well a model knows music that it was not taught."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from composer.api import UsageError
from composer.cli.words import counted

if TYPE_CHECKING:
    from composer.cli.console import Console
    from composer.core.evaluation import Evaluation


def eval(  # noqa: A001 - the command's name
    context: typer.Context,
    rep: Annotated[str, typer.Argument(metavar="REP", help="What the model composes, such as abc.")],
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files, folders, globs, zips, or corpus:NAME of music21.")
    ],
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The model; else your newest, else the bundled one.")
    ] = None,
    split: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A list of which piece is train, valid or test.")
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(metavar="PART", help="Only this part, of the list or as the model's own training split them."),
    ] = None,
    effort: Annotated[
        int, typer.Option(metavar="N", help="How much work an estimate may be, where there is no exact figure.")
    ] = 1,
    device: Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda or mps.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings and errors.")] = False,
) -> None:
    """Measure how well a model knows music that it was not taught.

    The less each step costs, in bits per token or nats per frame, the better: each piece is met afresh, and all steps
    are pooled.
    """
    from composer.cli.reading import Reading, report_left_out
    from composer.core import device as devices
    from composer.core import evaluation, models, player, registry
    from composer.core.split import PARTS

    console: Console = context.obj
    console.quiet = quiet
    if part is not None and part not in PARTS:
        raise UsageError(f"there is no part `{part}`", f"choose {', '.join(PARTS)}")
    if effort < 1:
        raise UsageError(f"--effort cannot be {effort}", "give 1 or more")
    registry.representation(rep)
    where = devices.resolve(device)
    if reason := devices.unused(device):
        console.warn(reason)
    path = models.located(checkpoint) if checkpoint else models.default(rep)
    opened = player.open_checkpoint(path, rep, "eval {} FILES... --checkpoint")
    with Reading(console) as reading:
        found = evaluation.evaluate(
            opened,
            files,
            device=where,
            listing=split,
            part=part,
            effort=effort,
            reading=reading.tell,
            measured=reading.measure,
        )
    report_left_out(console, found)
    if as_json:
        console.write(json.dumps({"checkpoint": path.stem, "representation": rep, **found.to_json()}) + "\n")
    else:
        console.write(_line(path.stem, found, opened.representation.step_name) + "\n")


def _line(name: str, found: Evaluation, step: str) -> str:
    error = f" ± {found.stderr:.3f}" if found.stderr else ""
    over = f"{counted(found.pieces, 'piece')}, {counted(found.steps, step)}"
    return f"{name}: {found.value:.3f}{error} {found.unit}, over {over}"
