"""What pieces are read from: bytes with a name, as text where they are text."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from composer.api.errors import ReadError


@dataclass(frozen=True, slots=True)
class Source:
    """Something to read pieces from: a file, a member of an archive, or text typed by the user.

    `name` names it in messages. `data` holds the bytes where they are not a file's. `root` is the folder that the
    user named, so that folders below it can be labels. `fragment` says that this is an opening rather than a whole
    piece. A source larger than `limit` bytes is refused.
    """

    path: Path
    name: str = ""
    root: Path | None = None
    data: bytes | None = None
    fragment: bool = False
    limit: int = 256 * 1024 * 1024

    def bytes(self) -> bytes:
        """The whole content. Raises ReadError, naming the source, where it cannot be had."""
        if self.data is None:
            try:
                # opened once, and read past any buffer, which is half the time where files are small
                with open(self.path, "rb", buffering=0) as file:  # noqa: PTH123
                    if os.fstat(file.fileno()).st_size <= self.limit:
                        return file.read()
            except OSError as error:
                raise self._unreadable_error(error) from error
        elif len(self.data) <= self.limit:
            return self.data
        raise self._too_large_error()

    def size(self) -> int:
        """How many bytes it has. Raises ReadError where that cannot be known."""
        if self.data is not None:
            return len(self.data)
        with self._as_read_errors():
            return self.path.stat().st_size

    def lines(self) -> Iterator[str]:
        """The lines of `text`, without their ends, one by one: a text of any length takes little memory.

        Raises ReadError, before the first line, where `text` would.
        """
        with self._open() as file:
            encoding, readable = _detect_encoding(file)
            if not readable:
                raise self._not_text_error()
            file.seek(0)
            for line in io.TextIOWrapper(file, encoding):
                yield line.removesuffix("\n")

    def text(self) -> str:
        """The whole content as text: UTF-16 with its mark, UTF-8, else Windows-1252, else Latin-1.

        Line ends become a line feed.

        Raises ReadError for bytes that are no text.
        """
        text = _decode(self.bytes())
        if "\0" in text:
            raise self._not_text_error()
        return text.replace("\r\n", "\n").replace("\r", "\n")

    @property
    def label(self) -> str:
        """The name for messages."""
        return self.name or str(self.path)

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        """The content as a file, if it is not too large; what fails meanwhile is told as a ReadError."""
        if self.size() > self.limit:
            raise self._too_large_error()
        with self._as_read_errors(), io.BytesIO(self.data) if self.data is not None else self.path.open("rb") as file:
            yield file

    def _not_text_error(self) -> ReadError:
        return ReadError(f"{self.label} is not a text file", "check that its suffix says what it is")

    @contextmanager
    def _as_read_errors(self) -> Iterator[None]:
        """Failures of the disk as a ReadError that names the source."""
        try:
            yield
        except OSError as error:
            raise self._unreadable_error(error) from error

    def _unreadable_error(self, error: OSError) -> ReadError:
        return ReadError(
            f"cannot read {self.label}: {error.strerror or error}", "check its name, and that you may read it"
        )

    def _too_large_error(self) -> ReadError:
        return ReadError(f"{self.label} is larger than {self.limit // 2**20} MB", "split it into smaller files")


_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""With which a text in UTF-16 begins."""

_BLOCK = 1 << 20
"""Bytes that are looked at together where a text is not held as a whole."""


def _candidate_encodings(data: bytes) -> tuple[str, ...]:
    """What a text that begins with `data` may be written in, the likeliest first."""
    if data.startswith(_MARKS):
        return "utf-16", "latin-1"
    # by its full mark, since the decoder of `utf-8-sig` passes over the beginning of one as well
    return "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else "utf-8", "cp1252", "latin-1"


def _decode(data: bytes) -> str:
    *likely, last = _candidate_encodings(data)
    for encoding in likely:
        with suppress(UnicodeDecodeError):
            return data.decode(encoding)
    return data.decode(last)


def _detect_encoding(file: BinaryIO) -> tuple[str, bool]:
    """What the text in `file` is written in, and whether it is text at all, holding no NUL."""
    *likely, last = _candidate_encodings(file.read(3))
    for encoding in likely:
        with suppress(UnicodeDecodeError):
            return encoding, not any("\0" in text for text in _blocks(file, encoding))
    return last, not any("\0" in text for text in _blocks(file, last))


def _blocks(file: BinaryIO, encoding: str) -> Iterator[str]:
    """The whole of `file`, decoded. Raises UnicodeDecodeError."""
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    while data := file.read(_BLOCK):
        yield decoder.decode(data)
    yield decoder.decode(b"", final=True)
