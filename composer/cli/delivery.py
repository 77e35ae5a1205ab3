"""From the steps of a piece to where the user wants it: how it is rendered, and where the bytes go.

Text in a representation's native format is rendered as it is composed; any other format once a piece is over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from composer import formats
from composer.api import ComposerError, Representation, Score, Step, UsageError
from composer.cli.console import Console
from composer.core import checkpoint
from composer.formats import Format, WriteSettings

MOST_DRAWN = 4
"""How many lines of a piano-roll a piece may take that is only drawn because a terminal cannot play it."""
NUMBER = re.compile(r"%(?:0\d)?d")
"""Where the number of a piece stands in the name of an output."""


class Soundless(ComposerError):
    """A piece without a note, which cannot be written as music."""


class Rendering(Protocol):
    """One piece on its way into bytes."""

    def push(self, step: Step) -> bytes:
        """The bytes that `step` completes."""
        ...

    def finish(self) -> bytes:
        """The bytes that only the end of the piece completes."""
        ...


class Native:
    """The text that the representation's own decoder writes."""

    def __init__(self, representation: Representation, number: int) -> None:
        self._decoder = representation.decoder(number)

    def push(self, step: Step) -> bytes:
        return _text(self._decoder.push(step))

    def finish(self) -> bytes:
        return _text(self._decoder.finish())


@dataclass
class Whole:
    """A piece that is turned into a score and then, by `write`, into bytes; `labels` are what it was asked to be."""

    representation: Representation
    number: int
    write: Callable[[Score], bytes]
    labels: Mapping[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def push(self, step: Step) -> bytes:
        self.steps.append(step)
        return b""

    def finish(self) -> bytes:
        piece = self.representation.decode(self.steps)
        score = self.representation.score(replace(piece, labels={**self.labels, **piece.labels}))
        if score is None or not score.notes:
            raise Soundless(
                f"piece {self.number} has no notes that could be played", "try another --seed or a lower --temp"
            )
        return self.write(score)


class Target(Protocol):
    """Where pieces go."""

    def write(self, data: bytes) -> None:
        """Take the next bytes of the current piece."""
        ...

    def end(self, number: int) -> None:
        """Know that piece `number` is over."""
        ...

    def close(self) -> None:
        """Put down what has come to an end so far."""
        ...


@dataclass
class ToStdout:
    """To stdout, at once."""

    console: Console

    def write(self, data: bytes) -> None:
        if data:
            self.console.write_bytes(data)

    def end(self, number: int) -> None:
        pass

    def close(self) -> None:
        pass


@dataclass
class ToFile:
    """Into one file, which is there whole or not at all; of an interrupted run, it holds the pieces that are whole."""

    path: Path
    console: Console
    current: bytearray = field(default_factory=bytearray)
    ended: bytearray = field(default_factory=bytearray)

    def write(self, data: bytes) -> None:
        self.current += data

    def end(self, number: int) -> None:
        self.ended += self.current
        self.current.clear()

    def close(self) -> None:
        if self.ended:
            save(self.path, bytes(self.ended))
            self.console.say(f"wrote {self.path}")


@dataclass
class ToFiles:
    """Each piece into a file of its own, named by a pattern with `%d` or `%03d` in it."""

    pattern: str
    console: Console
    current: bytearray = field(default_factory=bytearray)
    paths: list[Path] = field(default_factory=list)

    def path(self, number: int) -> Path:
        """The file of piece `number`; a `%` that begins no number stands for itself."""
        return Path(NUMBER.sub(lambda match: match[0] % number, self.pattern))

    def write(self, data: bytes) -> None:
        self.current += data

    def end(self, number: int) -> None:
        self.paths.append(self.path(number))
        save(self.paths[-1], bytes(self.current))
        self.current.clear()

    def close(self) -> None:
        if self.paths:
            last = f" to {self.paths[-1]}" if len(self.paths) > 1 else ""
            self.console.say(f"wrote {self.paths[0]}{last}")


@dataclass(frozen=True)
class Delivery:
    """The format that pieces take and where they go; planned before anything is composed, so that nothing is lost."""

    format: Format
    native: bool
    drawn: bool
    target: Target
    settings: WriteSettings
    console: Console

    def rendering(self, representation: Representation, number: int, labels: Mapping[str, str]) -> Rendering:
        """A rendering of piece `number`, asked to be as `labels` say; pieces in files of their own are all number 1."""
        if self.drawn:
            return Whole(representation, number, self._draw, labels)
        if self.native:
            return Native(representation, 1 if isinstance(self.target, ToFiles) else number)
        return Whole(
            representation, number, lambda score: formats.write(self.format.name, score, self.settings), labels
        )

    def _draw(self, score: Score) -> bytes:
        return self.console.drawing(score, MOST_DRAWN).encode() + b"\n"


def plan(
    kind: type[Representation],
    console: Console,
    settings: WriteSettings,
    *,
    count: int = 1,
    format_name: str | None = None,
    output: str | None = None,
    force: bool = False,
) -> Delivery:
    """Decide how `count` pieces are written. Raises ComposerError where that cannot be, or would replace a file."""
    output = None if output == "-" else output
    chosen = _format(kind, format_name, output)
    native = chosen.name == kind.native
    target: Target
    if output is None:
        drawn = chosen.binary and console.draws
        if count > 1 and not (native or drawn):
            raise UsageError(
                f"{count} pieces in {chosen.name} need a file each",
                f"number the files: --output tune-%d{chosen.suffixes[0]}",
            )
        target = ToStdout(console)
    elif NUMBER.search(output):
        files = ToFiles(output, console)
        drawn, target = False, files
        _keep(force, *(files.path(number) for number in range(1, count + 1)))
    elif count > 1 and not native:
        path = Path(output)
        raise UsageError(
            f"{count} pieces in {chosen.name} need a file each",
            f"number the files: --output {path.with_name(path.stem + '-%d' + path.suffix)}",
        )
    else:
        drawn, target = False, ToFile(Path(output), console)
        _keep(force, Path(output))
    return Delivery(chosen, native, drawn, target, settings, console)


def rendered(representation: Representation, steps: Iterable[Step], format_name: str) -> bytes:
    """A whole piece in a format. Raises ComposerError where it has no notes that could be written."""
    rendering: Rendering
    if format_name == representation.native:
        rendering = Native(representation, 1)
    else:
        rendering = Whole(representation, 1, lambda score: formats.write(format_name, score))
    return b"".join(rendering.push(step) for step in steps) + rendering.finish()


def save(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; a device or a named pipe, which can only be written to, is written to."""
    if not path.exists() or path.is_file():
        checkpoint.write_bytes(path, data)
        return
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ComposerError(f"cannot write {path}: {error.strerror or error}", "choose another --output") from error


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


def _keep(force: bool, *paths: Path) -> None:
    """Raise where a file would be replaced that the user has not given up."""
    for path in paths:
        if path.is_dir():
            raise ComposerError(f"{path} is a folder", f"name a file in it: --output {path / 'tune.mid'}")
        if path.is_file() and not force:
            raise ComposerError(f"{path} exists already", "choose another --output, or replace it with --force")


def _text(events: Iterable[object]) -> bytes:
    return "".join(event for event in events if isinstance(event, str)).encode("utf-8", "replace")
