"""Input for reading pieces: named bytes, with decoding of text."""

from __future__ import annotations

import builtins
import codecs
import io
import itertools
import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from composer.api.errors import ReadError
from composer.api.limits import limit_hint, raised, read_up_to

MAX_SOURCE_BYTES = 256 * 1024 * 1024
MAX_LINE_CHARACTERS = 10_000_000
"""Of a line that is read alone."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file, a member of an archive, or text typed by the user.

    `name` is for messages. `data` holds the bytes if they are not in a file. `root` is the folder that the user named;
    folders below it can become labels. A source larger than `limit` bytes, times COMPOSER_LIMITS, cannot be read.

    `fragment` marks a primer, typed or in a file: the beginning of a piece, to be read as one piece, unchanged.
    `infill` marks a whole piece whose bars infilling keeps. `typed` marks the text of `--prime-text`, whose `path` has
    no suffix: read it in the native notation. stdin has no suffix either, and may hold anything.

    `temporary` marks data that is read only once, so that a cache need not keep what is read from it.
    """

    path: Path
    name: str = ""
    root: Path | None = None
    data: bytes | None = None
    fragment: bool = False
    infill: bool = False
    typed: bool = False
    temporary: bool = False
    limit: int = MAX_SOURCE_BYTES

    def bytes(self) -> bytes:
        """Return the whole content. Raises ReadError, naming the source."""
        limit, data = raised(self.limit), self.data
        if data is None:
            try:
                # opening once, without a buffer, takes half the time for small files
                with open(self.path, "rb", buffering=0) as file:  # noqa: PTH123
                    size = os.fstat(file.fileno()).st_size
                    if size > limit:
                        raise self._too_large_error(size)
                    data = read_up_to(file, limit, size)  # a device has no size, and no end
            except OSError as error:
                raise self._unreadable_error(error) from error
        if len(data) > limit:
            raise self._too_large_error(len(data))
        return data

    def size(self) -> int:
        """Return the size in bytes. Raises ReadError."""
        if self.data is not None:
            return len(self.data)
        with self._as_read_errors():
            return self.path.stat().st_size

    def lines(self) -> Iterator[str]:
        """Yield the lines of `text`, without line ends, using little memory.

        Raises ReadError, before the first line, if `text` would, and for a line that is too long.
        """
        with self._open() as file:
            encoding, readable = _detect_encoding(file)
            if not readable:
                file.seek(0)
                raise self._not_text_error(file.read(_BLOCK))
            file.seek(0)
            limit, lines = raised(MAX_LINE_CHARACTERS), io.TextIOWrapper(file, encoding)
            for number in itertools.count(1):
                line = lines.readline(limit + 1)
                if len(line) > limit and not line.endswith("\n"):
                    hint = limit_hint("break it into shorter lines")
                    raise ReadError(f"line {number:,} of {self.label} has more than {limit:,} characters", hint)
                if not line:
                    return
                yield line.removesuffix("\n")

    def text(self) -> str:
        """Return the content as text: UTF-16 if it has a byte order mark, else UTF-8, Windows-1252 or Latin-1.

        Line ends become line feeds. Raises ReadError for bytes that are not text.
        """
        data = self.bytes()
        text = _decode(data)
        if "\0" in text:
            raise self._not_text_error(data[:_BLOCK])
        return text.replace("\r\n", "\n").replace("\r", "\n")

    @property
    def label(self) -> str:
        """Name for messages."""
        return self.name or str(self.path)

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        """Open the content as a file that can be read again. Raises ReadError if it is too large, or reading fails."""
        if (size := self.size()) > raised(self.limit):
            raise self._too_large_error(size)
        data = self.data
        if data is None and not self._is_regular():
            data = self.bytes()
        with self._as_read_errors(), io.BytesIO(data) if data is not None else self.path.open("rb") as file:
            yield file

    def _is_regular(self) -> bool:
        """Return whether the source is an ordinary file, which has a size and can be read again."""
        with self._as_read_errors():
            return stat.S_ISREG(self.path.stat().st_mode)

    def _not_text_error(self, start: builtins.bytes) -> ReadError:
        if start.startswith(b"MThd"):
            return ReadError(
                f"{self.label} is a MIDI file, not text", "use a representation that reads MIDI, such as pianoroll"
            )
        for offset, encoding in ((1, "UTF-16LE"), (0, "UTF-16BE")):
            if 2 * start[offset:200:2].count(0) > len(start[offset:200:2]):
                convert = f"iconv -f {encoding} -t UTF-8 {shlex.quote(self.label)} > utf8{self.path.suffix}"
                return ReadError(f"{self.label} is not a text file, or is UTF-16 without a byte order mark", convert)
        place = f": byte {start.index(0) + 1:,} is NUL" if 0 in start else ""
        return ReadError(f"{self.label} is not a text file{place}", "check that its suffix matches its content")

    @contextmanager
    def _as_read_errors(self) -> Iterator[None]:
        """Turn OSError into a ReadError that names the source."""
        try:
            yield
        except OSError as error:
            raise self._unreadable_error(error) from error

    def _unreadable_error(self, error: OSError) -> ReadError:
        if isinstance(error, FileNotFoundError):
            return missing_file_error(self.label)
        if isinstance(error, IsADirectoryError):
            return ReadError(f"{self.label} is a folder", "name a file in it")
        return ReadError(f"cannot read {self.label}: {error.strerror or error}", "check its name and permissions")

    def _too_large_error(self, size: int) -> ReadError:
        hint = limit_hint("split it into smaller files", size, self.limit)
        return ReadError(f"{self.label} is larger than {raised(self.limit) // 2**20:,} MB", hint)


def missing_file_error(name: str) -> ReadError:
    """Return the error for a file or folder that does not exist, with one of a similar name if there is any."""
    from difflib import get_close_matches  # not needed without an error

    path, near = Path(name), list[str]()
    with suppress(OSError):
        near = get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], 1, 0.75)
    absent = next((folder for folder in reversed(path.parents) if not folder.exists()), None)
    hint = (
        f"there is no folder `{absent}`; check the spelling"
        if absent
        else "check the spelling, and the folder that you are in"
    )
    return ReadError(f"no such file or folder: {name}", f"did you mean `{path.parent / near[0]}`?" if near else hint)


_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLOCK = 1 << 20
"""Bytes to decode at a time."""


def _candidate_encodings(data: bytes) -> tuple[str, ...]:
    """Return possible encodings of a text that begins with `data`, the most likely first."""
    if data.startswith(_UTF16_BOMS):
        return "utf-16", "latin-1"
    # check the whole mark, since the `utf-8-sig` decoder skips an incomplete one too
    return "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else "utf-8", "cp1252", "latin-1"


def _decode(data: bytes) -> str:
    *likely, last = _candidate_encodings(data)
    for encoding in likely:
        with suppress(UnicodeDecodeError):
            return data.decode(encoding)
    return data.decode(last)


def _detect_encoding(file: BinaryIO) -> tuple[str, bool]:
    """Return the encoding of `file`, and whether it is text at all, without NUL."""
    *likely, last = _candidate_encodings(file.read(3))
    for encoding in likely:
        with suppress(UnicodeDecodeError):
            return encoding, not any("\0" in text for text in _blocks(file, encoding))
    return last, not any("\0" in text for text in _blocks(file, last))


def _blocks(file: BinaryIO, encoding: str) -> Iterator[str]:
    """Yield the decoded content of `file`. Raises UnicodeDecodeError."""
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    while data := file.read(_BLOCK):
        yield decoder.decode(data)
    yield decoder.decode(b"", final=True)
