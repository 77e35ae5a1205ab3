"""The terminal as the commands see it: three streams and an environment, which a test can replace.

stdout carries music and nothing else; notes, warnings and progress go to stderr. Text leaves as UTF-8 everywhere.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from composer.api import ComposerError, ReadError

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

    from composer.api import Score


DEFAULT_WIDTH = 80
MIN_WIDTH = 20


class ClosedPipe(Exception):
    """Whoever read our output has had enough: the program ends quietly."""


@dataclass
class Console:
    """Where a command reads and writes; by default, the process's own streams and environment."""

    stdin: TextIO = field(default_factory=lambda: sys.stdin or _closed())
    stdout: TextIO = field(default_factory=lambda: sys.stdout or _closed())
    stderr: TextIO = field(default_factory=lambda: sys.stderr or _closed())
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    quiet: bool = False

    @property
    def stdout_is_terminal(self) -> bool:
        """Whether stdout is a terminal, which shows text and pictures and must never see binary."""
        return self.stdout.isatty()

    @property
    def can_animate(self) -> bool:
        """Whether stderr is a terminal that can redraw a line."""
        return self.stderr.isatty() and self.environ.get("TERM") != "dumb"

    @property
    def width(self) -> int:
        """Columns of the terminal, or as many as words need; 80 where there is no terminal."""
        given = self.environ.get("COLUMNS", "")
        if given.isdecimal() and int(given):
            return max(MIN_WIDTH, int(given))
        for stream in (self.stdout, self.stderr):
            with contextlib.suppress(OSError, ValueError):
                return max(MIN_WIDTH, os.get_terminal_size(stream.fileno()).columns or DEFAULT_WIDTH)
        return DEFAULT_WIDTH

    def write(self, text: str) -> None:
        """Write text to stdout, at once. Raises ClosedPipe, or ComposerError where there is no room."""
        self.write_bytes(text.encode("utf-8", "replace"))

    def write_bytes(self, data: bytes) -> None:
        """Write bytes to stdout, at once. Raises ClosedPipe, or ComposerError where there is no room."""
        try:
            self.stdout.buffer.write(data)
            self.stdout.buffer.flush()
        except OSError as error:
            if _is_closed(error):
                raise ClosedPipe from error
            raise ComposerError(
                f"cannot write to stdout: {error.strerror or error}", "make room, or send the output elsewhere"
            ) from error

    def read_bytes(self) -> bytes:
        """All of stdin. Raises ReadError where it cannot be read."""
        stream: BinaryIO = self.stdin.buffer
        try:
            return stream.read()
        except OSError as error:
            raise ReadError(
                f"cannot read stdin: {error.strerror or error}", "pipe something into it, or name a file"
            ) from error

    def silenced(self) -> Console:
        """One that nobody hears; and from now on, this one says nothing but warnings and errors."""
        self.quiet = True
        return Console(self.stdin, _nowhere(), _nowhere(), self.environ, quiet=True)

    def say(self, text: str) -> None:
        """Tell the user something on stderr, unless they asked for quiet."""
        if not self.quiet:
            self.print_error(text)

    def warn(self, text: str) -> None:
        """Tell the user on stderr what they may not expect."""
        self.print_error(f"{self._bold('warning:', 33)} {text}")

    def fail(self, message: str, hint: str | None = None) -> None:
        """Tell the user on stderr what went wrong and, where there is one, the way out."""
        self.print_error(f"{self._bold('error:', 31)} {message}")
        if hint:
            self.print_error(f"{self._bold('hint:', 36)} {hint}")

    def rich_console(self, stream: TextIO) -> RichConsole:
        """A rich console on one of the streams, as wide and as colourful as the terminal is."""
        from rich.console import Console as RichConsole

        return RichConsole(
            file=stream,
            force_terminal=stream.isatty(),
            no_color=not self._colour(stream),
            highlight=False,
            _environ=self.environ,
        )

    def piano_roll(self, score: Score, most: int | None = None) -> str:
        """A score as a piano-roll for stdout, at most `most` lines of it, with the colours that stdout can show."""
        from composer.cli.render.piano_roll import picture

        canvas = self.rich_console(self.stdout)
        with canvas.capture() as drawn:
            canvas.print(picture(score, canvas, most), end="")
        return drawn.get()

    def print_error(self, text: str) -> None:
        """Write a line to stderr, even where the user asked for quiet; if that fails, there is nobody to tell."""
        with contextlib.suppress(OSError):
            self.stderr.write(text + "\n")
            self.stderr.flush()

    def _bold(self, text: str, colour: int) -> str:
        return f"\033[1;{colour}m{text}\033[0m" if self._colour(self.stderr) else text

    def _colour(self, stream: TextIO) -> bool:
        return stream.isatty() and not self.environ.get("NO_COLOR") and self.environ.get("TERM") != "dumb"


def discard_output(stream: TextIO) -> None:
    """Let nothing more reach `stream`, so that Python does not complain of a closed pipe when it flushes at exit."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        pass


class _Closed(io.RawIOBase):
    """What stands for a stream that was closed before the program began: all reading and writing fails."""

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        raise OSError(errno.EBADF, "it is closed")

    def write(self, data: object) -> int:
        raise OSError(errno.EBADF, "it is closed")


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def _closed() -> TextIO:
    return io.TextIOWrapper(_Closed(), "utf-8", write_through=True)  # type: ignore[type-var]


def _is_closed(error: OSError) -> bool:
    """True for a pipe without a reader; Windows reports one as an invalid argument."""
    return isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL)
