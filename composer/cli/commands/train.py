"""`composer train`: teach a model your own music.

The annotations are no strings, since typer would compile each of them twice at every start.
"""

from pathlib import Path
from typing import Annotated

import typer

from composer.api import UsageError

DATA, TRAINING, OUTPUT = "What it learns from", "How it learns", "What is kept"


def train(
    context: typer.Context,
    rep: Annotated[str, typer.Argument(metavar="REP", help="How music is written down for the model, such as abc.")],
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...", help="Files, folders, globs, zips, or corpus:NAME of music21."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", metavar="KEY=VALUE", help="See `composer plugins REP`.", rich_help_panel=DATA),
    ] = None,
    valid: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Files to hold back for validation; else a tenth.", rich_help_panel=DATA),
    ] = None,
    split: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A list of which piece is train, valid or test.", rich_help_panel=DATA),
    ] = None,
    augment: Annotated[
        bool, typer.Option("--augment", help="Learn every piece in other keys too.", rich_help_panel=DATA)
    ] = False,
    preset: Annotated[
        str | None,
        typer.Option(metavar="PRESET", help="As a published system; see `composer presets`.", rich_help_panel=TRAINING),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="The kind of model; lstm where it fits.", rich_help_panel=TRAINING),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="How often to go through all pieces.", rich_help_panel=TRAINING)
    ] = None,
    max_updates: Annotated[
        int | None,
        typer.Option(metavar="N", help="Stop after so many steps, of all phases together.", rich_help_panel=TRAINING),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", help="Pieces learnt from side by side.", rich_help_panel=TRAINING)
    ] = None,
    lr: Annotated[
        float | None, typer.Option(metavar="RATE", help="The highest learning rate.", rich_help_panel=TRAINING)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="The same seed learns the same again.", rich_help_panel=TRAINING)
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="See `composer plugins MODEL`.", rich_help_panel=TRAINING),
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda or mps.", rich_help_panel=TRAINING)
    ] = "auto",
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What to call the model.", rich_help_panel=OUTPUT)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the model of that name.", rich_help_panel=OUTPUT)
    ] = False,
    start: Annotated[
        Path | None,
        typer.Option("--from", metavar="CHECKPOINT", help="Start from this model.", rich_help_panel=OUTPUT),
    ] = None,
    snapshots: Annotated[
        str | None,
        typer.Option(metavar="STEPS", help="Compose at these steps, such as 0,500,1000.", rich_help_panel=OUTPUT),
    ] = None,
    log_dir: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write the run for TensorBoard, there.", rich_help_panel=OUTPUT),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the model of that name.", rich_help_panel=OUTPUT)
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Report each event as a line of JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings and errors.")] = False,
) -> None:
    """Teach a model your own music, and keep it under a name.

    The model is saved as it gets better; Ctrl-C stops and keeps it, and --resume goes on. On many processors or
    machines, torchrun --nproc-per-node N -m composer train ... divides the work.
    """
    from composer.cli.train.prepare import TrainOptions
    from composer.cli.train.run import train_and_report
    from composer.data.splits import SplitSettings

    context.obj.quiet = quiet
    given = {"epochs": epochs, "max_updates": max_updates, "batch_size": batch_size, "lr": lr, "seed": seed}
    named: dict[str, object] = {key: value for key, value in given.items() if value is not None}
    if snapshots is not None:
        named["snapshots"] = _steps(snapshots)
    asked = TrainOptions(
        rep,
        files or [],
        option or [],
        model,
        set_ or [],
        named,
        SplitSettings(valid_files=tuple(valid or []), listing=split),
        augment,
        name,
        resume,
        force,
        start,
        device,
        preset,
    )
    train_and_report(context.obj, asked, log_dir, as_json=json)


def _steps(text: str) -> tuple[int, ...]:
    """The steps in `0,500,1000`."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() for part in parts):
        raise UsageError(f"--snapshots cannot be `{text}`", "give steps, such as 0,500,1000")
    return tuple(int(part) for part in parts)
