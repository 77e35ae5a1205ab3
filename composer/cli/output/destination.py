"""The format that pieces take and where they go: decided before anything is composed, so that nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composer import formats
from composer.api import Representation, Score, UsageError
from composer.cli.console import Console
from composer.cli.gen.recipe import provenance_of
from composer.cli.output.encoders import Native, Rendering, Stream, Whole
from composer.cli.output.targets import Target, ToFile, ToStdout
from composer.formats import Format, WriteSettings, provenance
from composer.formats.abc.title import TitleWriter

__all__ = ["Delivery", "plan"]

MOST_DRAWN = 4
"""How many lines of a piano-roll a piece may take that is only drawn because a terminal cannot play it."""
MOST_IN_ONE = 1_000_000
"""How many pieces one stream may hold: more could neither be read nor gone on with by anybody."""


@dataclass(frozen=True)
class Delivery:
    """How pieces are written, and where to; `drawn` as pictures, because a terminal cannot play them.

    The `recipe` of the pieces, where they are to say how they were made, is written into each of them.
    """

    format: Format
    native: bool
    drawn: bool
    target: Target
    settings: WriteSettings
    console: Console
    recipe: Mapping[str, Any] | None = None

    def rendering(
        self, representation: Representation, number: int, labels: Mapping[str, str], piece: int = 0
    ) -> Rendering:
        """A rendering of piece `number`, asked to be as `labels` say; pieces in files of their own are all number 1.

        Where pieces were chosen and numbered anew, it was composed as the one that `piece` says.
        """
        if self.drawn:
            return Whole(representation, number, self._draw, labels)
        told = self._told(number, piece or number)
        if self.native:
            return Native(representation, 1 if self.target.apart else number, self._streams(told))

        def write(score: Score) -> bytes:
            data = formats.write(self.format.name, score, self.settings)
            return provenance.mark(self.format.name, data, told) if told is not None else data

        return Whole(representation, number, write, labels)

    def _streams(self, told: provenance.Provenance | None) -> list[Stream]:
        """What a text goes through: it gets the title that was given, then what made it."""
        streams: list[Stream] = [TitleWriter(self.settings.title)] if self.settings.title else []
        return [*streams, provenance.StreamMarker(told)] if told is not None and self.format.name == "abc" else streams

    def _told(self, number: int, piece: int) -> provenance.Provenance | None:
        """What the piece is to say of how it was made; None where it is to say nothing, or its format has no place."""
        if self.recipe is None or not provenance.can_hold(self.format.name):
            return None
        numbered = self.native and not self.target.apart
        return provenance_of(self.recipe, piece, number if numbered else 1)

    def _draw(self, score: Score) -> bytes:
        return self.console.piano_roll(score, MOST_DRAWN).encode() + b"\n"


def plan(
    kind: type[Representation],
    console: Console,
    settings: WriteSettings,
    *,
    count: int = 1,
    format_name: str | None = None,
    output: str | None = None,
) -> Delivery:
    """Decide how `count` pieces are written. Raises UsageError where that cannot be."""
    output = None if output == "-" else output
    chosen = _format(kind, format_name, output)
    native = chosen.name == kind.native
    if settings.title and native and chosen.name != "abc":
        raise UsageError(f"{chosen.name} has no place for a title", "leave out --title, or choose another --format")
    if output is not None and (apart := _apart(output, count, console)):
        return Delivery(chosen, native, False, apart, settings, console)
    drawn = output is None and chosen.binary and console.stdout_is_terminal
    if count > 1 and not (native or drawn):
        path = Path(output or f"tune{chosen.suffixes[0]}")
        raise UsageError(
            f"{count} pieces in {chosen.name} need a file each",
            f"number the files: --output {path.with_name(path.stem + '-%d' + path.suffix)}",
        )
    if count > MOST_IN_ONE:
        raise UsageError(
            f"{count:,} pieces are too many for one stream, which holds up to {MOST_IN_ONE:,}",
            f"number the files: --output tunes/%0{len(str(count))}d{chosen.suffixes[0]}",
        )
    return Delivery(chosen, native, drawn, _one(output, count, console), settings, console)


def _apart(output: str, count: int, console: Console) -> Target | None:
    """A file for each piece, where `output` has the place of a number in it."""
    if "%" not in output:
        return None
    from composer.cli.output.filename_pattern import Pattern
    from composer.cli.output.many_files import ToFiles

    pattern = Pattern.of(output)
    return ToFiles(pattern, count, console) if pattern is not None else None


def _one(output: str | None, count: int, console: Console) -> Target:
    """Where all pieces go that do not have files of their own."""
    if output is None:
        return ToStdout(console)
    path = Path(output)
    special = path.exists() and not path.is_file() and not path.is_dir()
    if count == 1 or special:
        return ToFile(path, console)
    from composer.cli.output.many_files import ToStream

    return ToStream(path, console)


def _format(kind: type[Representation], name: str | None, output: str | None) -> Format:
    """The format asked for by name, else by the suffix of the output, else the representation's first."""
    if name is not None:
        chosen = formats.format_named(name)
    elif output is not None and Path(output).suffix:
        by_suffix = formats.format_of(Path(output))
        if by_suffix is None:
            raise UsageError(f"no format has the suffix `{Path(output).suffix}`", _offers(kind))
        chosen = by_suffix
    else:
        chosen = formats.format_named(kind.formats[0])
    if chosen.name not in kind.formats:
        raise UsageError(f"`{kind.name}` cannot be written as {chosen.name}", _offers(kind))
    return chosen


def _offers(kind: type[Representation]) -> str:
    known = [f"{name} ({formats.format_named(name).suffixes[0]})" for name in kind.formats]
    return f"`{kind.name}` can be written as {', '.join(known)}"
