"""`composer gen`: compose.

Its annotations are no strings, since typer would compile each of them twice at every start.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from composer.api import UsageError
from composer.cli import control_flags
from composer.cli.gen import temperature

if TYPE_CHECKING:
    from composer.cli.console import Console

command_class = control_flags.WishingCommand

TUNE, CHOICE, OPENING, WRITING, MODEL = (
    "The music", "What is kept", "How it begins", "How it is written", "Who composes"
)  # fmt: skip

RANGES: dict[str, tuple[float, float, str]] = {
    "top_k": (0, 2**31, "0 for all steps, or a whole number up to 2147483648"),
    "top_p": (1e-9, 1.0, "a number above 0, up to 1"),
    "min_p": (0.0, 1.0, "a number from 0 to 1"),
    "length": (1, 10**9, "1 to 1000000000"),
    "count": (1, 10**9, "1 to 1000000000"),
    "seed": (0, 2**63 - 1, "a whole number from 0 to 9223372036854775807"),
    "max_copy": (4, 10**9, "4 to 1000000000; runs of fewer notes are in every piece"),
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
        str,
        typer.Option(
            metavar="T",
            help="Temperature: lower is safer, higher is wilder; 0 never gambles. "
            "0.6..1.2 changes over the piece, 0.6..1.2/400 over 400 steps.",
            rich_help_panel=TUNE,
        ),
    ] = "1.0",
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
    max_copy: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Share at most N notes in a row with a tune that was taught.", rich_help_panel=CHOICE
        ),
    ] = None,
    take: Annotated[
        int | None, typer.Option(metavar="N", help="Compose N pieces to choose from.", rich_help_panel=CHOICE)
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(metavar="K", help="Of these, keep the best K, the best first; else one.", rich_help_panel=CHOICE),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="WHAT", help="What is best: likelihood, originality or form.", rich_help_panel=CHOICE),
    ] = None,
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
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with many pieces that were interrupted.", rich_help_panel=WRITING)
    ] = False,
    title: Annotated[
        str, typer.Option(metavar="TEXT", help="The piece's title, where its format has one.", rich_help_panel=WRITING)
    ] = "",
    tempo: Annotated[
        float | None, typer.Option(metavar="BPM", help="Quarter notes a minute.", rich_help_panel=WRITING)
    ] = None,
    instrument: Annotated[
        int | None, typer.Option(metavar="N", help="General MIDI program, 0 to 127.", rich_help_panel=WRITING)
    ] = None,
    velocity: Annotated[
        int | None, typer.Option(metavar="N", help="Loudness of the notes, 1 to 127.", rich_help_panel=WRITING)
    ] = None,
    no_provenance: Annotated[
        bool,
        typer.Option("--no-provenance", help="Do not write into the piece what made it.", rich_help_panel=WRITING),
    ] = False,
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

    The piece goes to stdout, as text while it is being composed, or to --output. All else goes to stderr. Of many
    pieces in files, --resume goes on with what was interrupted; torchrun divides numbered files among processes.
    """
    console: Console = context.obj
    warmth = temperature.parse(temp)
    _check(top_k=top_k, top_p=top_p, min_p=min_p, length=length, count=count, seed=seed, width=width, max_copy=max_copy)
    choice = None
    if take is not None or keep is not None or by is not None:
        from composer.cli.gen import ranking

        choice = ranking.asked(take, keep, by, count=count, resume=resume)
    if prime is not None and prime_text is not None:
        raise UsageError("--prime and --prime-text are two openings", "give one of the two")
    from composer.system import blas_threads

    blas_threads.one_at_first()
    from composer.cli.gen.plan import Asked, planned
    from composer.cli.gen.run import compose
    from composer.distributed import environment
    from composer.formats import WriteSettings
    from composer.registry import plugins as registry

    among = environment.from_environment()
    console.quiet = quiet or not among.is_main
    asked = Asked(
        rep,
        choice.keep if choice else count,
        length,
        seed,
        {"temperature": warmth, "top_k": top_k, "top_p": top_p, "min_p": min_p},
        condition or [],
        control_flags.given(context, registry.representation(rep)),
        free,
        prime,
        prime_text,
        format,
        output,
        force,
        resume,
        WriteSettings(tempo, instrument, velocity, title),
        checkpoint,
        device,
        width,
        choice,
        max_copy,
        provenance=not no_provenance,
    )
    compose(planned(asked, console, among))


def _check(**given: float | None) -> None:
    """Raise UsageError for the first value that is out of its range."""
    for name, value in given.items():
        lowest, highest, words = RANGES[name]
        if value is not None and not lowest <= value <= highest:
            raise UsageError(f"--{name.replace('_', '-')} cannot be {value}", f"give {words}")
