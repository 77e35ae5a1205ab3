"""`composer gen`: compose."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from composer.api import CheckpointError, ComposerError, UsageError
from composer.cli import wishes

if TYPE_CHECKING:
    from composer.api import Constraint
    from composer.cli.console import Console
    from composer.cli.delivery import Delivery
    from composer.core.generation import Request
    from composer.core.player import Player

command_class = wishes.WishingCommand

TUNE, OPENING, WRITING, MODEL = "The music", "How it begins", "How it is written", "Who composes"

RANGES: dict[str, tuple[float, float, str]] = {
    "temp": (0.0, 1e6, "0 (always the likeliest step), 1 (as the model learnt it) or another number up to 1000000"),
    "top_k": (0, 2**31, "0 for all steps, or a whole number up to 2147483648"),
    "top_p": (1e-9, 1.0, "a number above 0, up to 1"),
    "min_p": (0.0, 1.0, "a number from 0 to 1"),
    "length": (1, 10**9, "1 to 1000000000"),
    "count": (1, 10**9, "1 to 1000000000"),
    "seed": (0, 2**63 - 1, "a whole number from 0 to 9223372036854775807"),
    "width": (0, 4096, "1 to 4096, or 0 for as many as are worth it"),
}
"""The lowest and highest value of each numeric option, and how to say so."""


def gen(
    context: typer.Context,
    rep: Annotated[str, typer.Argument(metavar="REP", help="What to compose: a representation, such as abc.")],
    count: Annotated[
        int, typer.Option("--count", "-n", metavar="N", help="How many pieces.", rich_help_panel=TUNE)
    ] = 1,
    length: Annotated[
        int | None, typer.Option(metavar="N", help="The most steps that a piece may take.", rich_help_panel=TUNE)
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="The same seed gives the same piece again.", rich_help_panel=TUNE),
    ] = None,
    temp: Annotated[
        float,
        typer.Option(
            metavar="T", help="Temperature: lower is safer, higher is wilder; 0 never gambles.", rich_help_panel=TUNE
        ),
    ] = 1.0,
    top_k: Annotated[
        int, typer.Option(metavar="K", help="Draw from the K likeliest steps only; 0 for all.", rich_help_panel=TUNE)
    ] = 0,
    top_p: Annotated[
        float, typer.Option(metavar="P", help="Draw from the likeliest steps that sum to P.", rich_help_panel=TUNE)
    ] = 1.0,
    min_p: Annotated[
        float, typer.Option(metavar="P", help="Draw no step less likely than P times the best.", rich_help_panel=TUNE)
    ] = 0.0,
    condition: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="What it shall be like, where the model knows.", rich_help_panel=TUNE),
    ] = None,
    free: Annotated[
        bool, typer.Option("--free", help="Compose without the rules of the representation.", rich_help_panel=TUNE)
    ] = False,
    prime: Annotated[
        str | None, typer.Option(metavar="FILE", help="A file to go on from; - for stdin.", rich_help_panel=OPENING)
    ] = None,
    prime_text: Annotated[
        str | None, typer.Option(metavar="TEXT", help="An opening to go on from.", rich_help_panel=OPENING)
    ] = None,
    format: Annotated[  # noqa: A002
        str | None, typer.Option(metavar="FORMAT", help="Such as abc, midi, musicxml.", rich_help_panel=WRITING)
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-O",
            metavar="FILE",
            help="The file to write; its suffix is the format, %d in it the piece's number.",
            rich_help_panel=WRITING,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.", rich_help_panel=WRITING)] = False,
    tempo: Annotated[
        float | None, typer.Option(metavar="BPM", help="Quarter notes a minute.", rich_help_panel=WRITING)
    ] = None,
    instrument: Annotated[
        int | None, typer.Option(metavar="N", help="General MIDI program, 0 to 127.", rich_help_panel=WRITING)
    ] = None,
    velocity: Annotated[
        int | None, typer.Option(metavar="N", help="Loudness of the notes, 1 to 127.", rich_help_panel=WRITING)
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The model; else your newest, else the bundled one.", rich_help_panel=MODEL),
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda or mps.", rich_help_panel=MODEL)
    ] = "auto",
    width: Annotated[
        int, typer.Option(metavar="N", help="How many pieces to compose side by side.", rich_help_panel=MODEL)
    ] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings and errors.")] = False,
) -> None:
    """Compose, from a model's memory of the music it was taught.

    The piece goes to stdout, as text while it is being composed, or to --output. All else goes to stderr.
    """
    console: Console = context.obj
    console.quiet = quiet
    _check(temp=temp, top_k=top_k, top_p=top_p, min_p=min_p, length=length, count=count, seed=seed, width=width)
    if prime is not None and prime_text is not None:
        raise UsageError("--prime and --prime-text are two openings", "give one of the two")

    if count == 1:
        # one piece takes products too small to share: on a busy machine, threads that wait for one another cost a
        # multiple of what they save on a quiet one
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    from composer.cli import conditions, delivery, opening
    from composer.core import device as devices
    from composer.core import models, player, registry
    from composer.core.generation import Request
    from composer.formats import WriteSettings

    kind = registry.representation(rep)
    wished = wishes.given(context, kind)
    settings = WriteSettings(tempo, instrument, velocity)
    planned = delivery.plan(kind, console, settings, count=count, format_name=format, output=output, force=force)
    path = models.located(checkpoint) if checkpoint else models.default(rep)
    composing = "the bundled model" if path == models.bundled(rep) else path.stem
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder", "name a model in it, which ends in .safetensors")
    model = player.open_player(path, rep, devices.resolve(device))
    if reason := devices.unused(device):
        console.warn(reason)
    begun = opening.given(model.representation, console, prime, prime_text)
    request = Request(
        length=length or len(begun.steps) + model.representation.length,
        count=count,
        seed=secrets.randbelow(2**31) if seed is None else seed,
        temperature=temp,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        primer=begun.steps,
        conditions=conditions.given(condition or [], model.spec.conditions),
        width=width,
    )
    constraint = None if free else model.representation.constraint(wished)
    if seed is None:
        console.say(f"{composing}, seed {request.seed}; the same again with --seed {request.seed}")
    elif checkpoint is None and path != models.bundled(rep):
        console.say(f"{composing}, your newest model")
    if planned.drawn:
        console.say(
            f"this is {planned.format.name}, drawn because a terminal cannot play it; "
            f"pipe it on, or write it with --output tune{planned.format.suffixes[0]}"
        )
    _compose(model, request, constraint, planned, {**begun.labels, **request.conditions})


def _compose(
    model: Player, request: Request, constraint: Constraint | None, delivery: Delivery, labels: Mapping[str, str]
) -> None:
    """Compose all pieces and deliver each; where this is interrupted, the ones that are whole are kept.

    `labels` are what the pieces are: as they begin, and as was asked for.
    """
    console = delivery.console
    from composer.cli.delivery import Soundless
    from composer.core.generation import Drew, generate

    cut, bare, soundless, drawn, rendering = 0, 0, 0, 0, None
    try:
        for event in generate(model.sampler, model.spec, request, constraint):
            rendering = rendering or delivery.rendering(model.representation, event.number, labels)
            if isinstance(event, Drew):
                for step in event.steps:
                    delivery.target.write(rendering.push(step))
                drawn += len(event.steps)
                continue
            bare += bool(request.primer) and drawn <= len(request.primer) + 1
            drawn = 0
            try:
                delivery.target.write(rendering.finish())
                delivery.target.end(event.number)
                cut += not event.whole
            except Soundless as error:
                if request.count == 1:
                    raise
                console.warn(f"{error.message}; it is left out")
                soundless += 1
            rendering = None
    finally:
        delivery.target.close()
    if cut:
        were = "the piece was" if request.count == 1 else f"{cut} of {request.count} pieces were"
        console.warn(f"{were} cut at {request.length} steps; give a longer --length")
    if bare:
        console.warn("nothing was added to the opening, which is a whole piece; leave off its last bar line to go on")
    if soundless:
        raise ComposerError(
            f"{soundless} of {request.count} pieces had no notes and were left out",
            "try another --seed or a lower --temp",
        )


def _check(**given: float | None) -> None:
    """Raise UsageError for the first value that is out of its range."""
    for name, value in given.items():
        lowest, highest, words = RANGES[name]
        if value is not None and not lowest <= value <= highest:
            raise UsageError(f"--{name.replace('_', '-')} cannot be {value}", f"give {words}")
