"""`composer train`: teach a model your own music."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from composer.api import UsageError

if TYPE_CHECKING:
    from composer.cli.console import Console
    from composer.core.events import Event, Finished
    from composer.core.training import Run

DATA, LEARNING, KEEPING = "What it learns from", "How it learns", "What is kept"


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
        typer.Option(metavar="PRESET", help="As a published system; see `composer presets`.", rich_help_panel=LEARNING),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="The kind of model; lstm where it fits.", rich_help_panel=LEARNING),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="How often to go through all pieces.", rich_help_panel=LEARNING)
    ] = None,
    max_steps: Annotated[
        int | None, typer.Option(metavar="N", help="Stop after so many steps.", rich_help_panel=LEARNING)
    ] = None,
    batch: Annotated[
        int | None, typer.Option(metavar="N", help="Pieces learnt from side by side.", rich_help_panel=LEARNING)
    ] = None,
    lr: Annotated[
        float | None, typer.Option(metavar="RATE", help="The highest learning rate.", rich_help_panel=LEARNING)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="The same seed learns the same again.", rich_help_panel=LEARNING)
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="See `composer plugins MODEL`.", rich_help_panel=LEARNING),
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda or mps.", rich_help_panel=LEARNING)
    ] = "auto",
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What to call the model.", rich_help_panel=KEEPING)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the model of that name.", rich_help_panel=KEEPING)
    ] = False,
    start: Annotated[
        Path | None,
        typer.Option("--from", metavar="CHECKPOINT", help="Start from this model.", rich_help_panel=KEEPING),
    ] = None,
    snapshots: Annotated[
        str | None,
        typer.Option(metavar="STEPS", help="Compose at these steps, such as 0,500,1000.", rich_help_panel=KEEPING),
    ] = None,
    log_dir: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write the run for TensorBoard, there.", rich_help_panel=KEEPING),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the model of that name.", rich_help_panel=KEEPING)
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Report each event as a line of JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings and errors.")] = False,
) -> None:
    """Teach a model your own music, and keep it under a name.

    The model is saved as it gets better; Ctrl-C stops and keeps it, and --resume goes on.
    """
    from composer.cli import board, preparation, progress
    from composer.cli.reading import Reading
    from composer.cli.snapshots import compose
    from composer.cli.standing import Standing
    from composer.core import device as devices
    from composer.core import training
    from composer.core.split import Split

    console: Console = context.obj
    console.quiet = quiet
    given = {"epochs": epochs, "max_steps": max_steps, "batch": batch, "lr": lr, "seed": seed}
    named: dict[str, object] = {key: value for key, value in given.items() if value is not None}
    if snapshots is not None:
        named["snapshots"] = _steps(snapshots)
    asked = preparation.Asked(
        rep,
        files or [],
        option or [],
        model,
        set_ or [],
        named,
        Split(valid_files=tuple(valid or []), listing=split),
        augment,
        name,
        resume,
        force,
        start,
        device,
        preset,
    )
    if log_dir is not None:
        board.check()
    stop = _Stop()
    with Reading(console) as reading:
        run = preparation.prepare(asked, reading.tell, stop.asked)
    if device == "auto" and run.device == "cpu" and (reason := devices.unused()):
        console.warn(reason)
    told = progress.reporter(console, Standing(run.unit, run.reported), as_json=json)
    with stop.listening():
        events = _forewarned(training.train(run), run.settings.snapshots, console)
        logged = board.Board(log_dir, run) if log_dir is not None else nullcontext()
        with logged as watching:
            finished = progress.follow(events, told, lambda event: compose(run, event), watching)
    _close(console, run, finished)


class _Stop:
    """Whether Ctrl-C was pressed: once lets the step be finished and saved, twice interrupts at once."""

    def __init__(self) -> None:
        self.pressed = False

    def asked(self) -> bool:
        """True once it was pressed."""
        return self.pressed

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While this lasts, Ctrl-C is a wish."""
        before = signal.signal(signal.SIGINT, self._press)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _press(self, number: int, frame: object) -> None:
        self.pressed = True
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _steps(text: str) -> tuple[int, ...]:
    """The steps in `0,500,1000`."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() for part in parts):
        raise UsageError(f"--snapshots cannot be `{text}`", "give steps, such as 0,500,1000")
    return tuple(int(part) for part in parts)


def _forewarned(events: Iterable[Event], snapshots: Sequence[int], console: Console) -> Iterator[Event]:
    """The events of a training, with a warning at its start of snapshots that will never come."""
    from composer.core.events import Started

    begun = False
    for event in events:
        if isinstance(event, Started) and not begun:
            begun = True
            if late := [step for step in snapshots if step > event.steps]:
                console.warn(
                    f"--snapshots {','.join(map(str, late))} will not come: training ends at step {event.steps:,}"
                )
        yield event


def _close(console: Console, run: Run, finished: Finished | None) -> None:
    """Say how it ended, and how to go on or hear it."""
    from composer.cli.standing import closing_line

    name, rep = run.path.name.removesuffix(".safetensors"), run.representation.name
    quoted = f'"{name}"' if " " in name else name
    if finished is not None:
        console.say(closing_line(finished, run.unit, run.reported))
    if finished is None or finished.reason == "interrupted":
        console.say(f"saved; go on with: composer train {rep} --name {quoted} --resume")
        console.say(f"hear it as it is:  composer gen {rep} --checkpoint {quoted}")
        raise typer.Exit(130)
    console.say(f"kept in {run.path}\nhear it: composer gen {rep}")
