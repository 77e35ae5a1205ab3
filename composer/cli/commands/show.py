"""`composer show`: music as a piano roll, text, what a model makes of either, a trained model's card, or a picture."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from composer.api import ReadError, Source, UsageError
from composer.api.fields import check_ranges, invalid_value, option
from composer.cli.options_from import OptionsCommand
from composer.cli.show.selection import is_text, select

if TYPE_CHECKING:
    from composer.cli.console import Console

MAX_SYSTEMS = 16
"""Rows of a piano roll per piece on a terminal; pipes get all."""

PICTURES = ("roll", "sheet")
"""What `--picture` may be."""


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Options of `composer show`. Raises UsageError."""

    files: tuple[str, ...] = option(
        help="Music, text, trained models, folders, or - for stdin.", argument="FILE...", repeated=True
    )
    tune: int | None = option(
        None, "Show only piece N of each file.", metavar="N", minimum=1, maximum=2**63, hint="use 1 or more"
    )
    limit: int = option(
        3, "Maximum number of pieces to show of each file.", metavar="N", minimum=1, maximum=2**63, hint="use 1 or more"
    )
    surprise: bool = option(False, "Show the model's surprisal, in bits per step.")
    units: bool = option(False, "Show what single units of the model respond to.")
    unit: str | None = option(None, "Show these units, numbered from 1.", metavar="N,...")
    checkpoint: Path | None = option(
        None, "Model for --surprise and --units. [default: the one that generated the file]", "-c", metavar="NAME"
    )
    provenance: bool = option(False, "Show how generated pieces were made.")
    as_json: bool = option(False, "Print provenance or the activations of units as JSON.", "--json")
    output: Path | None = option(
        None, "Draw a picture; the suffix sets the format: .svg, .png or .pdf.", "-o", metavar="FILE", panel="Pictures"
    )
    picture: str | None = option(
        None,
        "Draw music as a piano roll or as sheet music. [default: sheet for .pdf, else roll]",
        metavar="roll|sheet",
        panel="Pictures",
        choices=PICTURES,
    )
    force: bool = option(False, "Overwrite an existing picture.", panel="Pictures")

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.surprise and self.shows_units:
            raise UsageError(
                "--surprise cannot be combined with --units",
                "show one after the other",
                flags=("--surprise", "--units"),
            )
        if self.provenance and (self.surprise or self.shows_units or self.output is not None):
            flag = "--surprise" if self.surprise else "--units" if self.shows_units else "--output"
            raise UsageError(
                f"--provenance cannot be combined with {flag}", "show one after the other", flags=("--provenance", flag)
            )
        if self.checkpoint is not None and not (self.surprise or self.shows_units):
            raise UsageError(
                "--checkpoint needs --surprise or --units",
                f"to see the model's card: composer show {self.checkpoint}",
                flags=("--checkpoint",),
            )
        if self.unit is not None:
            self.unit_numbers()
        self._check_picture()

    def _check_picture(self) -> None:
        if self.output is None and (self.picture is not None or self.force):
            flag = "--force" if self.picture is None else "--picture"
            raise UsageError(f"{flag} needs --output", "add --output roll.svg, for example", flags=(flag,))
        if self.picture is not None and self.picture not in PICTURES:
            raise invalid_value("--picture", self.picture, "use roll or sheet")
        if self.output is not None and self.shows_units:
            raise UsageError(
                "--units cannot be combined with --output", "leave out --output", flags=("--units", "--output")
            )
        if self.surprise and self.picture == "sheet":
            raise UsageError(
                "--surprise cannot be combined with --picture sheet",
                "use --picture roll",
                flags=("--surprise", "--picture"),
            )

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

    In a piano roll, time runs to the right and pitch upward. Bars are numbered as `gen abc --keep-bars` counts them. A
    line shows two pitches. Several parts without color have one pitch per line: they are told apart by marks such as ▒
    and ◇, and no character has room for two of them. A terminal shows the beginning of a long piece; a pipe gets all.

    With --surprise, each step is colored by its surprisal: 1 bit is as surprising as heads in a coin toss, 8 bits as
    eight heads in a row. Without color, each bar or line gets a row of numbers.

    With --units, each step is colored by the activation of a unit of the model's hidden state. By default these are
    the units that most clearly follow something in this piece, such as bar lines or pitch: those with the highest
    correlation (r) over its steps. As there are hundreds of units, try the same ones on other pieces with --unit.

    With --provenance, each generated piece gets a table of the settings that it was made with: model, seed, sampling,
    controls and versions. `composer replay` follows them.

    With --output, the same pieces become a picture, and a model becomes its training curve. Sheet music has repeats
    written out. This needs the extra `pictures`: pip install 'composer-cli[pictures]'
    """
    from composer.cli.show.arguments import named

    found = named(options.files, console)
    if options.output is not None:
        from composer.cli.show.picture_file import PictureFile
        from composer.cli.show.pictures import draw

        draw(console, found, PictureFile(options.output, options.picture, options.force, console), options)
        return
    first, second = next(found), next(found, None)
    _check_json(options, first)
    if second is None:
        if isinstance(first, ReadError):
            raise first
        _show(console, first, options)
    else:
        _show_all(console, chain([first, second], found), options)


def make_command(summary: str) -> OptionsCommand:
    """Return the command for the parser."""
    return OptionsCommand("show", show, ShowOptions, summary)


def _check_json(options: ShowOptions, first: Path | Source | ReadError) -> None:
    """Raise UsageError if there is nothing that --json applies to."""
    if not options.as_json or options.shows_units or options.provenance or isinstance(first, ReadError):
        return
    hint = f"composer show {shlex.quote(options.files[0])} --units --json"
    if isinstance(first, Path):
        hint = f"for the facts about a model: composer models info {shlex.quote(first.stem)} --json"
    raise UsageError("--json needs --units or --provenance", hint, flags=("--json",))


def _show_all(console: "Console", found: Iterator[Path | Source | ReadError], options: ShowOptions) -> None:
    """Show several models or sources, each under its name; one that cannot be read does not stop the others."""
    if options.as_json:
        raise UsageError("--json needs a single file", "show one file after the other", flags=("--json",))
    failed = False
    for number, shown in enumerate(found):
        try:
            if isinstance(shown, ReadError):
                raise shown
            name = shown.stem if isinstance(shown, Path) else shown.label
            console.write("\n" * bool(number) + name + "\n")
            _show(console, shown, options)
        except ReadError as error:
            console.fail(error.message, error.hint)
            failed = True
    if failed:
        raise typer.Exit(1)


def _show(console: "Console", shown: Path | Source, options: ShowOptions) -> None:
    """Show a model or a source."""
    looks_inside = options.surprise or options.shows_units
    if isinstance(shown, Path):
        if options.provenance:
            raise UsageError(f"{shown.stem} is a model, not a piece", f"to see its card: composer show {shown.stem}")
        if looks_inside:
            flag = "--surprise" if options.surprise else "--units"
            hint = f"composer show tune.abc {flag} --checkpoint {shown.stem}"
            raise UsageError(f"{shown.stem} is a model, not a piece", hint)
        from composer.cli.render.model_card import card

        console.write(card(shown, console.width))
    elif options.provenance:
        from composer.cli.show import provenance

        provenance.show(console, shown, options, as_json=options.as_json)
    elif looks_inside:
        _look_inside(console, shown, options)
    elif is_text(shown):
        console.write(shown.text())
    else:
        _draw(console, shown, options)


def _look_inside(console: "Console", source: Source, options: ShowOptions) -> None:
    """Show what a model makes of the music."""
    if options.surprise:
        from composer.cli.render import surprisal

        surprisal.show(console, source, options.checkpoint, options.tune, options.limit)
        return
    from composer.cli.render import units

    numbers = options.unit_numbers()
    units.show(console, source, options.checkpoint, options.tune, options.limit, numbers, options.as_json)


def _draw(console: "Console", source: Source, options: ShowOptions) -> None:
    from composer.music.bars import moved_bar_lines

    selected = select(console, source, options)
    systems = MAX_SYSTEMS if console.stdout_is_terminal else None
    for number, score in enumerate(selected.scores):
        console.write("\n" * bool(number))
        for text in console.piano_roll(score, systems):
            console.write_rendered(text)
        selected.report_losses(score, moved_bar_lines(score), is_sheet=False)
    selected.report_more()
