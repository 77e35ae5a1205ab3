"""Console of a command: three streams and an environment, which tests replace.

stdout carries music and nothing else; notes, warnings and progress go to stderr. Text is always UTF-8. What is printed
may quote files that are not to be trusted, so control characters are escaped here, and in nothing that calls it.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, TextIO, cast

from composer.api import ComposerError, ReadError
from composer.api.limits import raised, read_up_to
from composer.api.source import MAX_SOURCE_BYTES
from composer.cli.render.text import shorten_names, wrap_prose
from composer.system.escaping import EscapedStream, escape, escape_bytes, escape_line
from composer.system.files import is_disk_full

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

    from composer.api import Score


DEFAULT_WIDTH = 80
MIN_WIDTH = 20
ECHO_COLUMNS = 3
"""Columns at the right that progress leaves for `^C`, so that what a terminal echoes does not begin a line."""


class ClosedPipe(Exception):
    """The reader of our output has gone: end quietly."""


@dataclass
class Console:
    """Streams and environment of a command. Defaults to those of the process."""

    stdin: TextIO = field(default_factory=lambda: sys.stdin or _closed())
    stdout: TextIO = field(default_factory=lambda: sys.stdout or _closed())
    stderr: TextIO = field(default_factory=lambda: sys.stderr or _closed())
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    quiet: bool = False
    has_begun: bool = field(default=False, init=False)
    """Whether the command has begun to generate or to write, so that it cannot start again."""
    _kept: list[bytes] | None = field(default=None, init=False)
    """What `read_bytes` returned, if it is kept, for a command that starts again."""
    _read: int = field(default=0, init=False)
    """How many of `_kept` were read since the command started."""

    @property
    def stdout_is_terminal(self) -> bool:
        """Whether stdout is a terminal; binary must never go there."""
        return self.stdout.isatty()

    @property
    def can_animate(self) -> bool:
        """Whether stderr is a terminal that can redraw a line."""
        return self.stderr.isatty() and self.environ.get("TERM") != "dumb"

    @property
    def streams_are_one(self) -> bool:
        """Whether stdout and stderr are the same file, pipe or terminal."""
        with contextlib.suppress(OSError, ValueError):  # a stream without a descriptor, or a closed one
            return os.path.samestat(os.fstat(self.stdout.fileno()), os.fstat(self.stderr.fileno()))
        return False

    @property
    def width(self) -> int:
        """Columns of the terminal, at least MIN_WIDTH; 80 if there is none."""
        given = self.environ.get("COLUMNS", "")
        if given.isdecimal() and int(given):
            return max(MIN_WIDTH, int(given))
        for stream in (self.stdout, self.stderr):
            with contextlib.suppress(OSError, ValueError):
                return max(MIN_WIDTH, os.get_terminal_size(stream.fileno()).columns or DEFAULT_WIDTH)
        return DEFAULT_WIDTH

    def write(self, text: str) -> None:
        """Write text that is meant to be read to stdout, escaped. Raises ClosedPipe, or ComposerError if that fails."""
        self._write_raw(escape(text).encode())

    def write_prose(self, text: str) -> None:
        """Write a line of prose to stdout; a terminal gets it in lines that end between words. Raises as `write`."""
        line = escape_line(text)
        self.write("\n".join(wrap_prose(line, self.width) if self.stdout_is_terminal else [line]) + "\n")

    def write_rendered(self, text: str) -> None:
        """Write what a console of `rich_console` made, which has escaped it. Raises as `write`."""
        self._write_raw(text.encode("utf-8", "replace"))

    def write_json(self, document: Any, **format_options: Any) -> None:
        """Write a JSON document, in ASCII, to stdout; `format_options` are those of `json.dumps`. Raises as `write`."""
        import json

        text = json.dumps(document, **format_options).replace("\x7f", "\\u007f")
        self._write_raw(text.encode("ascii") + b"\n")

    def write_bytes(self, data: bytes) -> None:
        """Write music or other data to stdout: unchanged, but escaped if a terminal shows it. Raises as `write`."""
        self._write_raw(escape_bytes(data) if self.stdout_is_terminal else data)

    def _write_raw(self, data: bytes) -> None:
        """Write bytes to stdout and flush. Raises ClosedPipe, or ComposerError if that fails."""
        self.begin()
        try:
            self.stdout.buffer.write(data)
            self.stdout.buffer.flush()
        except OSError as error:
            # Windows reports a pipe without a reader as an invalid argument
            if isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL):
                raise ClosedPipe from error
            discard_output(self.stdout)  # what is left in the buffer would fail again at exit
            full = is_disk_full(error)
            hint = "free up disk space, or write to another disk" if full else "send stdout to a file or a pipe"
            raise ComposerError(f"cannot write to stdout: {error.strerror or error}", hint) from error

    def read_bytes(self) -> bytes:
        """Read all of stdin, or one byte more than a Source may hold. Raises ReadError."""
        if self._kept is not None and self._read < len(self._kept):
            self._read += 1
            return self._kept[self._read - 1]
        stream: BinaryIO = self.stdin.buffer
        try:
            data = read_up_to(stream, raised(MAX_SOURCE_BYTES))
        except OSError as error:
            message = f"cannot read stdin: {error.strerror or error}"
            raise ReadError(message, "pipe a file into it, or name one") from error
        if self._kept is not None:
            self._kept.append(data)
            self._read += 1
        return data

    def keep_stdin(self) -> None:
        """Keep what is read from stdin until the command begins, as it may start again before that."""
        self._kept = []

    def read_again(self) -> None:
        """Let `read_bytes` return what it did since the command started, for one that starts again."""
        self._read = 0

    def begin(self) -> None:
        """Note that the command begins to generate or to write."""
        self.has_begun, self._kept = True, None

    def ask(self, question: str) -> str:
        """Print a question to stderr and return the line that is typed; empty at the end of stdin."""
        self._write_error(escape_line(question))
        return self.stdin.readline()

    def silenced(self) -> Console:
        """Return a console that discards everything, and make this one quiet."""
        self.quiet = True
        return Console(self.stdin, _nowhere(), _nowhere(), self.environ, quiet=True)

    def say(self, text: str) -> None:
        """Print a note of one line to stderr unless the console is quiet."""
        if not self.quiet:
            self._write_prose(escape_line(text))

    def say_at_once(self, text: str) -> None:
        """Print a short note as `say` does, past the buffer of stderr, which a signal handler must not use."""
        if not self.quiet:
            with contextlib.suppress(OSError, ValueError):  # a stream without a descriptor
                os.write(self.stderr.fileno(), f"{escape_line(text)}\n".encode())

    def warn(self, text: str) -> None:
        """Print a warning to stderr in one line; long names are shortened."""
        self._print_labeled("warning:", 33, shorten_names(text))

    def fail(self, message: str, hint: str | None = None) -> None:
        """Print an error to stderr in one line, with its hint in another if there is one; long names are shortened."""
        self._print_labeled("error:", 31, shorten_names(message))
        if hint:
            self._print_labeled("hint:", 36, shorten_names(hint))

    def rich_console(self, stream: TextIO) -> RichConsole:
        """Return a rich console on one of the streams, with the terminal's width and colors, that escapes all text.

        It takes no markup from text: use objects with styles. On stdout, failures are reported as by `write`.
        """
        from composer.cli.render.escaped_rich import escaped_console

        plain, terminal = not self._use_color(stream), stream.isatty()
        file = cast("IO[str]", _CheckedStdout(self)) if stream is self.stdout else stream
        return escaped_console(file=file, force_terminal=terminal, no_color=plain, _environ=self.environ)

    def piano_roll(self, score: Score, max_systems: int | None = None) -> Iterator[str]:
        """Yield a score as a piano roll, system by system, in the colors that stdout supports."""
        from composer.cli.render.piano_roll import picture

        canvas = self.rich_console(self.stdout)
        for text in picture(score, canvas, max_systems):
            with canvas.capture() as drawn:
                canvas.print(text, end="")
            yield drawn.get()

    def print_error(self, text: str) -> None:
        """Write lines to stderr, escaped and as they are, even if the console is quiet; ignore failures."""
        self._write_error(escape(text) + "\n")

    def print_prose(self, text: str) -> None:
        """Write a line of prose to stderr, as `say` does, even if the console is quiet."""
        self._write_prose(escape_line(text))

    def show_status(self, text: str) -> None:
        """Replace the last line of a terminal's stderr by `text`; by nothing if it is empty."""
        shown = escape_line(text)[: self.width - ECHO_COLUMNS]  # a second line would stay
        self._write_error(f"\r{shown}\033[K")

    def library_output(self) -> contextlib.AbstractContextManager[object]:
        """Send what plugins and libraries print to stderr, escaped, while the context is open."""
        stack, stream = contextlib.ExitStack(), EscapedStream(self.stderr)
        stack.enter_context(contextlib.redirect_stdout(stream))  # it must not get into the music on stdout
        stack.enter_context(contextlib.redirect_stderr(stream))
        return stack

    def _print_labeled(self, label: str, color: int, text: str) -> None:
        shown = f"\033[1;{color}m{label}\033[0m" if self._use_color(self.stderr) else label
        self._write_prose(f"{label} {escape_line(text)}", label, shown)

    def _write_prose(self, text: str, label: str = "", shown: str = "") -> None:
        """Write a line to stderr, which a terminal gets in lines that end between words, and its label as `shown`."""
        lines = wrap_prose(text, self.width) if self.stderr.isatty() else [text]
        self._write_error(shown + "\n".join(lines).removeprefix(label) + "\n")

    def _write_error(self, text: str) -> None:
        with contextlib.suppress(OSError):
            self.stderr.write(text)
            self.stderr.flush()

    def _use_color(self, stream: TextIO) -> bool:
        return stream.isatty() and not self.environ.get("NO_COLOR") and self.environ.get("TERM") != "dumb"


def discard_output(stream: TextIO) -> None:
    """Point `stream` at the null device, so that the flush at exit does not fail on a closed pipe."""
    with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


class _CheckedStdout(io.TextIOBase):
    """The stdout of a console as a text stream for libraries, which write even nothing at all."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._console.stdout.encoding

    def isatty(self) -> bool:
        return self._console.stdout_is_terminal

    def fileno(self) -> int:
        return self._console.stdout.fileno()

    def write(self, text: str) -> int:
        if text:
            self._console.write_rendered(text)
        return len(text)


class _Closed(io.RawIOBase):
    """A stream that was closed before the program started: reading and writing fail."""

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        raise OSError(errno.EBADF, "stream is closed")

    def write(self, data: object) -> int:
        raise OSError(errno.EBADF, "stream is closed")


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def _closed() -> TextIO:
    return io.TextIOWrapper(_Closed(), "utf-8", write_through=True)  # type: ignore[type-var]
