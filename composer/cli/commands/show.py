"""`composer show`: music as a piano roll, text, what a model makes of either, or a trained model's card."""

import shlex
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from composer.api import ReadError, Source, UsageError
from composer.api.fields import check_ranges, invalid_value, option
from composer.check.loss_phrases import counted
from composer.cli.options_from import OptionsCommand

if TYPE_CHECKING:
    from composer.cli.console import Console

MAX_SYSTEMS = 16
"""Rows of a piano roll per piece on a terminal; pipes get all."""

TEXT_SUFFIXES = (".txt", ".csv", ".tsv")
"""Suffixes of text files, which may still hold a tune."""


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Options of `composer show`. Raises UsageError."""

    file: str = option(help="Music, text, a trained model, or - for stdin.", argument="FILE")
    tune: int | None = option(
        None, "Show only piece N of the file.", metavar="N", minimum=1, maximum=2**63, hint="use 1 or more"
    )
    limit: int = option(
        3, "Maximum number of pieces to show.", metavar="N", minimum=1, maximum=2**63, hint="use 1 or more"
    )
    surprise: bool = option(False, "Show the model's surprisal, in bits per step.")
    units: bool = option(False, "Show what single units of the model respond to.")
    unit: str | None = option(None, "Show these units, numbered from 1.", metavar="N,...")
    checkpoint: Path | None = option(
        None, "Model for --surprise and --units. [default: the one that generated the file]", "-c", metavar="NAME"
    )
    as_json: bool = option(False, "Print the activations of units as JSON.", "--json")

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.surprise and self.shows_units:
            raise UsageError("--surprise cannot be combined with --units", "show one after the other")
        if self.as_json and not self.shows_units:
            raise UsageError("--json needs --units", f"composer show {shlex.quote(self.file)} --units --json")
        if self.checkpoint is not None and not (self.surprise or self.shows_units):
            raise UsageError(
                "--checkpoint needs --surprise or --units", f"to see the model's card: composer show {self.checkpoint}"
            )
        if self.unit is not None:
            self.unit_numbers()

    @property
    def shows_units(self) -> bool:
        """Whether to show units."""
        return self.units or self.unit is not None

    def unit_numbers(self) -> list[int]:
        """Return the units of `--unit 17,203`; empty if none are given. Raises UsageError."""
        words = [] if self.unit is None else [word.strip() for word in self.unit.split(",")]
        for word in words:
            if not (word.isascii() and word.isdecimal()) or not int(word[:9]):
                raise invalid_value("--unit", self.unit, "use numbers from 1, such as --unit 17,203")
        return [int(word[:9]) for word in words]


def show(console: "Console", options: ShowOptions) -> None:
    """Show music as a piano roll, or print text or a model card.

    In a piano roll, time runs to the right and pitch upward. A terminal shows the beginning of a long piece; a pipe
    gets all of it. With --surprise, each step is colored by its surprisal: 1 bit is as surprising as heads in a coin
    toss, 8 bits as eight heads in a row. Without color, each bar or line gets a row of numbers.

    With --units, each step is colored by the activation of a unit of the model's hidden state. By default these are
    the units that most clearly follow something in this piece, such as bar lines or pitch: those with the highest
    correlation (r) over its steps. As there are hundreds of units, try the same ones on other pieces with --unit.
    """
    from composer.checkpoints import store

    file, looks_inside = options.file, options.surprise or options.shows_units
    path = store.resolve_model(Path(file))
    if file != "-" and not path.exists():
        raise ReadError(f"no file or model named '{file}'", "`composer plugins` lists your models")
    if looks_inside and path.suffix == ".safetensors":
        flag = "--surprise" if options.surprise else "--units"
        raise UsageError(f"{file} is a model, not a piece", f"composer show tune.abc {flag} --checkpoint {file}")
    if path.suffix == ".safetensors":
        from composer.cli.render.model_card import card

        console.write(card(path, console.width))
        return
    source = Source(path, name="stdin", data=console.read_bytes()) if file == "-" else Source(path, name=file)
    if looks_inside:
        _look_inside(console, source, options)
    elif _is_text(source):
        console.write(source.text())
    else:
        _draw(console, source, options.tune, options.limit)


def make_command(summary: str) -> OptionsCommand:
    """Return the command for the parser."""
    return OptionsCommand("show", show, ShowOptions, summary)


def _look_inside(console: "Console", source: Source, options: ShowOptions) -> None:
    """Show what a model makes of the music."""
    if options.surprise:
        from composer.cli.render import surprisal

        surprisal.show(console, source, options.checkpoint, options.tune, options.limit)
        return
    from composer.cli.render import units

    numbers = options.unit_numbers()
    units.show(console, source, options.checkpoint, options.tune, options.limit, numbers, options.as_json)


def _draw(console: "Console", source: Source, tune: int | None, limit: int) -> None:
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
