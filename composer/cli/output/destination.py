"""Choose the format and the target of pieces before any is generated."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composer import formats
from composer.api import Representation, Score, UsageError
from composer.cli.console import Console
from composer.cli.gen.recipe import provenance_of
from composer.cli.output.booklet import COLLECTIONS, numbered
from composer.cli.output.encoders import BufferedEncoder, PieceEncoder, StreamingEncoder, TextFilter
from composer.cli.output.files import names_folder
from composer.cli.output.targets import Target, ToFile, ToStdout
from composer.cli.render.text import join_names
from composer.formats import Format, WriteSettings, provenance
from composer.formats.abc.header import HeaderWriter
from composer.formats.abc.provenance import StreamMarker
from composer.generation.request import Chosen
from composer.registry import plugins as registry

MAX_SYSTEMS = 4
"""Maximum lines of a piano roll that stands for binary output on a terminal."""
MAX_IN_ONE_FILE = 1_000_000
"""Maximum pieces in one file."""


@dataclass(frozen=True)
class Output:
    """How and where pieces are written; `as_piano_roll` if the format is binary and stdout a terminal.

    The `recipe`, if any, is written into each piece as provenance.
    """

    format: Format
    native: bool
    as_piano_roll: bool
    target: Target
    settings: WriteSettings
    console: Console
    recipe: Mapping[str, Any] | None = None

    def encoder(
        self,
        representation: Representation,
        number: int,
        labels: Mapping[str, str],
        chosen: Chosen | None = None,
        progress: Callable[[float], object] | None = None,
    ) -> PieceEncoder:
        """Return an encoder for piece `number`, which becomes number 1 in a file of its own.

        `chosen` says which candidate the piece is, if it was chosen from several. `progress` is called with the share
        that is written, if that takes long.
        """
        if self.as_piano_roll:
            return BufferedEncoder(representation, number, self._piano_roll, labels, self.settings.tempo)
        made_by = self._provenance(number, chosen)
        if self.native:
            first = 1 if self.target.one_file_per_piece else number
            return StreamingEncoder(representation, first, self._filters(made_by))

        settings = dataclasses.replace(self.settings, progress=progress)

        def write(score: Score) -> bytes:
            data = formats.write(self.format.name, score, settings)
            marked = provenance.mark(self.format.name, data, made_by) if made_by is not None else data
            return numbered(self.format, marked, number) if self._is_booklet else marked

        return BufferedEncoder(representation, number, write, labels, self.settings.tempo)

    @property
    def to_stdout(self) -> bool:
        """Whether the pieces are shown or written on stdout."""
        return isinstance(self.target, ToStdout)

    @property
    def _is_booklet(self) -> bool:
        """Whether one file holds all pieces, if there are several."""
        return (self.native or self.format.name in COLLECTIONS) and not self.target.one_file_per_piece

    def _filters(self, made_by: provenance.Provenance | None) -> list[TextFilter]:
        """Return the filters that add the title, tempo, instrument and provenance to a text."""
        header = (self.settings.title, self.settings.tempo, self.settings.instrument)
        filters: list[TextFilter] = [HeaderWriter(*header)] if header != ("", None, None) else []
        if made_by is not None and self.format.name == "abc":
            filters.append(StreamMarker(made_by.text.encode()))
        return filters

    def _provenance(self, number: int, chosen: Chosen | None) -> provenance.Provenance | None:
        """Return the provenance of a piece; None without a recipe, or for a format that cannot hold it."""
        if self.recipe is None or not provenance.can_hold(self.format.name):
            return None
        return provenance_of(self.recipe, number, number if self._is_booklet else 1, chosen)

    def _piano_roll(self, score: Score) -> bytes:
        score = self.settings.applied_to(score)
        return "".join(self.console.piano_roll(score, MAX_SYSTEMS)).encode() + b"\n"


def plan_output(
    representation_class: type[Representation],
    console: Console,
    settings: WriteSettings,
    *,
    count: int = 1,
    format_name: str | None = None,
    output: str | None = None,
    playing: bool = False,
    replayed: bool = False,
) -> Output:
    """Return how `count` pieces are written. Raises UsageError, OptionError.

    Nothing is said of options that have no effect if they are those of a file that is `replayed`.
    """
    output = None if output == "-" else output
    chosen = _format(representation_class, format_name, output)
    native = chosen.name == representation_class.native
    given = [field.name for field in dataclasses.fields(settings) if getattr(settings, field.name) != field.default]
    if given and native and chosen.name != "abc":
        raise UsageError(
            f"--{given[0]} does not work with `{chosen.name}`", f"leave out --{given[0]}", flags=(f"--{given[0]}",)
        )
    if settings.velocity is not None and "velocity" in chosen.leaves_out and not (playing or replayed):
        hint = f"use {_instead('midi', format_name, output)}, or leave out --velocity"
        raise UsageError(f"--velocity has no effect on `{chosen.name}`", hint, flags=("--velocity",))
    if settings.soundfont and not (chosen.rendered_from or playing):
        hint = f"add --play, or use {_instead('wav', format_name, output)}, or leave out --soundfont"
        raise UsageError(f"--soundfont has no effect on `{chosen.name}`", hint, flags=("--soundfont",))
    if chosen.rendered_from:
        from composer.audio.wav import usable_soundfont

        usable_soundfont(settings.soundfont)
    if settings.lengthen and native:
        raise UsageError(
            f"--lengthen does not work with `{chosen.name}`, which is written while it is generated",
            f"leave out --lengthen, or use {_instead('midi', format_name, output)}",
            flags=("--lengthen",),
        )
    if format_name and output and formats.format_of(Path(output)) not in {None, chosen}:
        hint = f"leave out --format, or use --output {Path(output).with_suffix(chosen.suffixes[0])}"
        raise UsageError(f"--format {format_name} contradicts --output {output}", hint, flags=("--format", "--output"))
    if output is not None and (files := _numbered_files(representation_class.name, chosen, output, count, console)):
        return Output(chosen, native, False, files, settings, console)
    drawn = output is None and chosen.binary and console.stdout_is_terminal
    if count > 1 and not (native or drawn or chosen.name in COLLECTIONS):
        path = Path(output or f"tune{chosen.suffixes[0]}")
        raise UsageError(
            f"`{chosen.name}` files hold one piece each, not {count}",
            f"use one file per piece: --output {path.with_name(path.stem + '-%d' + path.suffix)}",
            flags=("--count", "--keep", "--output"),
        )
    if count > MAX_IN_ONE_FILE:
        raise UsageError(
            f"{count:,} pieces are too many for one file (at most {MAX_IN_ONE_FILE:,})",
            f"use one file per piece: --output tunes/%0{len(str(count))}d{chosen.suffixes[0]}",
        )
    return Output(chosen, native, drawn, _single_target(output, count, console, drawn), settings, console)


def _instead(name: str, format_name: str | None, output: str | None) -> str:
    """Return the options that choose the format `name` in place of that of `format_name` and `output`."""
    if output is None or names_folder(output) or formats.format_of(Path(output)) is None:
        return f"--format {name}"
    other = Path(output).with_suffix(formats.format_named(name).suffixes[0])
    return f"{f'--format {name} ' if format_name else ''}--output {shlex.quote(str(other))}"


def _name_in_folder(name: str, count: int, chosen: Format) -> str:
    """Return the pattern of the files of pieces in a folder: `abc-%d.abc`, or `abc-%02d.abc` for 10 pieces."""
    digits = len(str(count))
    number = f"%0{digits}d" if digits > 1 else "%d"
    return f"{name.replace(':', '-')}-{number}{chosen.suffixes[0]}"


def _numbered_files(name: str, chosen: Format, output: str, count: int, console: Console) -> Target | None:
    """Return a target with a file for each piece, if `output` is a folder or has a number in it."""
    in_folder = names_folder(output)
    if not in_folder and "%" not in output:
        return None
    from composer.cli.output.filename_pattern import FilenamePattern
    from composer.cli.output.many_files import NumberedFiles

    if in_folder:
        pattern: FilenamePattern | None = FilenamePattern.within(output, _name_in_folder(name, count, chosen))
    else:
        pattern = FilenamePattern.parse(output)
    return NumberedFiles(pattern, count, console) if pattern is not None else None


def _single_target(output: str | None, count: int, console: Console, drawn: bool) -> Target:
    """Return the target for all pieces together; with `drawn`, stdout gets pictures of them."""
    if output is None:
        return ToStdout(console, rendered=drawn)
    path = Path(output)
    special = path.exists() and not path.is_file() and not path.is_dir()
    if count == 1 or special:
        return ToFile(path, console)
    from composer.cli.output.many_files import SingleFile

    return SingleFile(path, console)


def _format(representation_class: type[Representation], name: str | None, output: str | None) -> Format:
    """Return the format by name, else by the suffix of the output, else the representation's first."""
    if name is not None:
        chosen = formats.format_named(name, representation_class)
    elif output is not None and Path(output).suffix:
        if (by_suffix := formats.format_of(Path(output))) is None:
            registry.report_broken()
            raise UsageError(f"unknown suffix '{Path(output).suffix}'", _formats_text(representation_class))
        chosen = by_suffix
    else:
        chosen = formats.format_named(representation_class.formats[0])
    if not formats.can_write(representation_class, chosen):
        message = f"`{representation_class.name}` cannot be written as `{chosen.name}`"
        raise UsageError(message, _formats_text(representation_class), flags=("--format",))
    return chosen


def _formats_text(representation_class: type[Representation]) -> str:
    known = [f"{each.name} ({each.suffixes[0]})" for each in formats.formats_of(representation_class)]
    return f"use {join_names(known, 'or')}"
