"""`composer show`: music as a piano-roll, words as they are, or a checkpoint as its model's card.

The annotations are no strings, since typer would compile each of them twice at every start.
"""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from composer.api import ReadError, Source, UsageError
from composer.cli.console import Console

MAX_SYSTEMS = 16
"""How many lines of a roll a piece may take on a terminal; into a pipe or a file, it is drawn whole."""

WORDS = (".txt", ".csv", ".tsv")
"""The suffixes of files that hold words, unless there is a tune in them."""


def show(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Music, a text, a checkpoint, or - for what comes from stdin.")
    ],
    tune: Annotated[int | None, typer.Option(metavar="N", help="Draw the N-th piece of the file only.")] = None,
    most: Annotated[int, typer.Option("--most", metavar="N", help="Draw at most so many pieces.")] = 3,
    surprise: Annotated[
        bool, typer.Option("--surprise", help="Show what of a piece a model did not expect, in bits a step.")
    ] = False,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The model that is surprised; else the one that composed the file, or your newest of such.",
        ),
    ] = None,
) -> None:
    """Draw music as a piano-roll, print a text, or a model's card.

    In a roll, time runs to the right and pitch upwards. A terminal shows how a long piece begins; a pipe takes all.
    With --surprise, tunes in ABC and words are printed, and other music drawn, in the colours of what each step cost a
    model; without colour, a line for each bar or line says how much that was.
    """
    from composer.checkpoints import store

    console: Console = context.obj
    if (tune is not None and tune < 1) or most < 1:
        raise UsageError("pieces are counted from 1", "give 1 or more")
    if checkpoint is not None and not surprise:
        raise UsageError("--checkpoint is for --surprise", f"to see the model's card: composer show {checkpoint}")
    path = store.resolve_model(Path(file))
    if file != "-" and not path.exists():
        raise ReadError(f"there is no file or model {file}", "check its name; `composer plugins` lists your models")
    if surprise and path.suffix == ".safetensors":
        raise UsageError(f"{path.name} is a model and no piece", f"composer show FILE --surprise --checkpoint {path}")
    if path.suffix == ".safetensors":
        from composer.cli.render.model_card import card

        console.write(card(path, console.width))
        return
    source = Source(path, name="stdin", data=console.read_bytes()) if file == "-" else Source(path, name=file)
    if surprise:
        from composer.cli.render import surprisal as surprised

        surprised.show(console, source, checkpoint, tune, most)
    elif _is_words(source):
        console.write(source.text())
    else:
        _draw(console, source, tune, most)


def _draw(console: Console, source: Source, tune: int | None, most: int) -> None:
    from composer.cli import inputs

    scores = inputs.playable(source)
    if tune is not None:
        chosen = list(islice(scores, tune - 1, tune))
        if not chosen:
            raise ReadError(f"there is no piece {tune} in {source.label}", "they are counted from 1")
    else:
        chosen = list(islice(scores, most))
    more = tune is None and next(scores, None) is not None
    systems = MAX_SYSTEMS if console.stdout_is_terminal else None
    console.write("\n".join(console.piano_roll(score, systems) for score in chosen))
    if more:
        console.say(f"there are more pieces in {source.label}; draw one with --tune N, or more with --most N")


def _is_words(source: Source) -> bool:
    """True for a text that is not music in any format."""
    from composer.formats import read as score_files

    data = source.bytes()
    known = source.path.suffix.lower() in WORDS or source.data is not None
    return known and bool(data.strip()) and b"\0" not in data and not score_files.is_music(source)
