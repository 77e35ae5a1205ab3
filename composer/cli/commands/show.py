"""`composer show`: music as a piano roll, text, or a trained model's card."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from composer.api import ReadError, Source, UsageError
from composer.check.loss_phrases import counted
from composer.cli.console import Console

MAX_SYSTEMS = 16
"""Rows of a piano roll per piece on a terminal; pipes get all."""

TEXT_SUFFIXES = (".txt", ".csv", ".tsv")
"""Suffixes of text files, which may still hold a tune."""


def show(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Music, text, a trained model, or - for stdin.")],
    tune: Annotated[int | None, typer.Option(metavar="N", help="Show only piece N of the file.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", help="Maximum number of pieces to show.")] = 3,
    surprise: Annotated[bool, typer.Option("--surprise", help="Show the model's surprisal, in bits per step.")] = False,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            "-c",
            metavar="NAME",
            help="Model for --surprise. [default: the one that generated the file]",
        ),
    ] = None,
) -> None:
    """Show music as a piano roll, or print text or a model card.

    In a piano roll, time runs to the right and pitch upward. A terminal shows the beginning of a long piece; a pipe
    gets all of it. With --surprise, each step is colored by its surprisal: 1 bit is as surprising as heads in a coin
    toss, 8 bits as eight heads in a row. Without color, each bar or line gets a row of numbers.
    """
    from composer.checkpoints import store

    console: Console = context.obj
    if (tune is not None and tune < 1) or limit < 1:
        wrong = f"--limit: '{limit}'" if limit < 1 else f"--tune: '{tune}'"
        raise UsageError(f"invalid value for {wrong}", "use 1 or more")
    if checkpoint is not None and not surprise:
        raise UsageError("--checkpoint needs --surprise", f"to see the model's card: composer show {checkpoint}")
    path = store.resolve_model(Path(file))
    if file != "-" and not path.exists():
        raise ReadError(f"no file or model named '{file}'", "`composer plugins` lists your models")
    if surprise and path.suffix == ".safetensors":
        raise UsageError(f"{file} is a model, not a piece", f"composer show tune.abc --surprise --checkpoint {file}")
    if path.suffix == ".safetensors":
        from composer.cli.render.model_card import card

        console.write(card(path, console.width))
        return
    source = Source(path, name="stdin", data=console.read_bytes()) if file == "-" else Source(path, name=file)
    if surprise:
        from composer.cli.render import surprisal as surprised

        surprised.show(console, source, checkpoint, tune, limit)
    elif _is_text(source):
        console.write(source.text())
    else:
        _draw(console, source, tune, limit)


def _draw(console: Console, source: Source, tune: int | None, limit: int) -> None:
    from composer.cli import inputs

    scores = inputs.playable_scores(source)
    if tune is not None:
        selected = list(islice(scores, tune - 1, tune))
        if not selected:
            raise ReadError(f"{source.label} has no piece {tune}", "use a lower number; the first piece is --tune 1")
    else:
        selected = list(islice(scores, limit))
    more = tune is None and next(scores, None) is not None
    systems = MAX_SYSTEMS if console.stdout_is_terminal else None
    for number, score in enumerate(selected):
        console.write("\n" * bool(number))
        for text in console.piano_roll(score, systems):
            console.write_rendered(text)
        for phrase, count in score.losses.items():
            console.say(f"{source.label}: {counted(count, phrase)}")
    if more:
        console.say(f"{source.label} has more pieces: --tune N shows one, --limit N shows more")


def _is_text(source: Source) -> bool:
    """Return True for text that is not music in any format."""
    from composer.formats.read import is_music

    data = source.bytes()
    known = source.path.suffix.lower() in TEXT_SUFFIXES or source.data is not None
    return known and bool(data.strip()) and b"\0" not in data and not is_music(source)
