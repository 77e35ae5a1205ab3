"""Where many pieces go: into one file, or into a file each; and how a run that was interrupted is gone on with.

Under its final name a file is always whole. Of a run that was interrupted, what is whole is kept.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from composer.api import ComposerError
from composer.cli.console import Console
from composer.cli.output.filename_pattern import Pattern
from composer.cli.output.files import GO_ON, REPLACE, keep, making, put, save, whole, writing
from composer.cli.output.run_record import Record
from composer.cli.output.targets import Gathering

__all__ = ["ToFiles", "ToStream"]

SECONDS = 1.0
"""How often the record of a stream is brought up to date; a run that is killed loses what it composed since."""


@dataclass
class ToStream(Gathering):
    """Many pieces, in order, into one file: `NAME.part` until the run is finished or interrupted."""

    _record: Record | None = None
    _written: float = 0.0
    _file: int | None = None
    _made: str = ""

    @property
    def record(self) -> Path:
        return self.path.with_name(f".{self.path.name}.composer")

    @property
    def part(self) -> Path:
        """Where the pieces are while there are more to come."""
        return self.path.with_name(f"{self.path.name}.part")

    def claim(self, numbers: range, saved: Record | None, *, force: bool, alone: bool) -> Iterable[int]:
        if saved is None:
            keep(self.path, force=force, hint=_hint(self.record))
            if not force and self.record.exists() and self.part.exists():
                raise ComposerError(f"an interrupted run has left {self.part}", GO_ON)
            return numbers
        there = self.part if self.part.exists() else self.path
        size = there.stat().st_size if there.is_file() else -1
        if not saved.pieces:
            return numbers
        if size < saved.bytes or (there == self.path and size != saved.bytes):
            raise ComposerError(f"{there} is not as it was left", "compose all anew with --force")
        return numbers[saved.pieces :]

    def begin(self, record: Record | None) -> None:
        assert record is not None
        self._made = making(self.path.parent)
        with writing(self.part):
            self.part.parent.mkdir(parents=True, exist_ok=True)
            if record.pieces and not self.part.exists():
                self.path.replace(self.part)
            self._file = os.open(self.part, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
            os.truncate(self._file, record.bytes)
            os.lseek(self._file, record.bytes, os.SEEK_SET)
        self._record, self.before = record, record.pieces
        self._note()

    def end(self, number: int) -> None:
        assert self._record is not None and self._file is not None  # noqa: PT018
        with writing(self.part):
            view = memoryview(bytes(self.current))
            while view:
                view = view[os.write(self._file, view) :]
        # in one assignment, or Ctrl-C might come between the two
        self._record = replace(self._record, pieces=number, bytes=self._record.bytes + len(self.current))
        self.current.clear()
        if time.monotonic() - self._written > SECONDS:
            self._note()

    def close(self, *, finished: bool) -> None:
        record, file, self._file = self._record, self._file, None
        if record is None or file is None:
            return
        with writing(self.path):
            os.truncate(file, record.bytes)
            os.fsync(file)
            os.close(file)
            if not finished:
                record.write()
            if not record.pieces:
                self.part.unlink()
                return
            self.part.replace(self.path)
            if finished:
                record.remove()
        so_far, more = ("", "") if finished else (f", {record.pieces:,} pieces so far", "; --resume goes on")
        self.console.say(f"wrote {self.path}{so_far}{self._made}{more}")

    def _note(self) -> None:
        assert self._record is not None and self._file is not None  # noqa: PT018
        with writing(self.part):
            os.fsync(self._file)
        self._record.write()
        self._written = time.monotonic()


@dataclass
class ToFiles:
    """Each piece into a file of its own."""

    apart: ClassVar[bool] = True
    pattern: Pattern
    count: int
    console: Console
    before: int = 0
    open: dict[int, bytearray] = field(default_factory=dict)
    written: int = 0
    _numbers: range = range(0)
    _alone: bool = True
    _resumed: bool = False
    _record: Record | None = None
    _old: list[Path] = field(default_factory=list)
    _made: str = ""

    @property
    def record(self) -> Path | None:
        return self.pattern.record if self.count > 1 else None

    def claim(self, numbers: range, saved: Record | None, *, force: bool, alone: bool) -> Iterable[int]:
        self._numbers, self._alone, self._resumed = numbers, alone, saved is not None
        if saved is not None:
            return self._missing(numbers)
        self._old = [path for number, path in sorted(self.pattern.present()) if number in numbers]
        for path in self._old:
            # where other processes have begun already, old files cannot be told from new ones
            keep(path, force=force and alone, hint=_hint(self.record) if alone else "remove such files first")
        return numbers

    def begin(self, record: Record | None) -> None:
        for path in self._old:  # or they would be taken for those of this run, if that is interrupted
            with writing(path):
                path.unlink(missing_ok=True)
        self._record, self._made = record, making(self.pattern.folder)
        if record is not None:
            record.write()

    def write(self, number: int, data: bytes) -> None:
        self.open.setdefault(number, bytearray()).extend(data)

    def end(self, number: int) -> None:
        path, data = self.pattern.path(number), self.open.pop(number, b"")
        if self.count == 1:
            save(path, bytes(data))
        else:
            put(path, data)
        self.written += 1

    def drop(self, number: int) -> None:
        self.open.pop(number, None)

    def close(self, *, finished: bool) -> None:
        if self._record is not None and finished and (self._alone or self._complete()):
            self._record.remove()
        if self.written:
            more = "" if finished or self._record is None else "; --resume goes on"
            self.console.say(f"wrote {self._what()}{self._made}{more}")

    def _what(self) -> str:
        """What was written: from which file to which where all of them were, else how many of them are there."""
        first, last, share = self._numbers[0], self._numbers[-1], len(self._numbers)
        if self.written == share:
            return f"{self.pattern.path(first)}" + (f" to {self.pattern.path(last)}" if last > first else "")
        there = sum(whole(self.pattern.path(number)) for number in self._numbers) if self._resumed else self.written
        if there == share:
            return f"the {self.written:,} missing of {share:,} pieces to {self.pattern.text}"
        return f"{there:,} of {share:,} pieces to {self.pattern.text}"

    def _missing(self, numbers: range) -> Iterator[int]:
        for number in numbers:
            if whole(self.pattern.path(number)):
                self.before += 1
            else:
                yield number

    def _complete(self) -> bool:
        """Whether the other processes are done too; the last pieces are the likeliest to be missing."""
        return all(whole(self.pattern.path(number)) for number in range(self.count, 0, -1))


def _hint(record: Path | None) -> str:
    """The way out where there is a file already."""
    return GO_ON if record is not None and record.exists() else REPLACE
