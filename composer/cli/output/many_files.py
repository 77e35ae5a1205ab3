"""Write many pieces to one file or to numbered files, and resume an interrupted run.

A file under its final name is always complete. After an interruption the finished pieces stay.
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
from composer.cli.output.filename_pattern import FilenamePattern
from composer.cli.output.files import (
    REPLACE_HINT,
    RESUME_HINT,
    check_replaceable,
    is_complete,
    new_folder_note,
    reporting_write_errors,
    save,
)
from composer.cli.output.run_record import START_OVER_HINT, RunRecord
from composer.cli.output.targets import BufferedTarget, Target

SECONDS_BETWEEN_RECORDS = 1.0
"""How often the record of one file is saved; a run that is killed loses what it generated since."""


@dataclass
class SingleFile(BufferedTarget):
    """Writes many pieces to one file in order: `NAME.part` until the run is finished or interrupted."""

    _record: RunRecord | None = None
    _written: float = 0.0
    _file: int | None = None
    _folder_note: str = ""

    @property
    def record(self) -> Path:
        return self.path.with_name(f".{self.path.name}.composer")

    @property
    def part(self) -> Path:
        """The file during the run."""
        return self.path.with_name(f"{self.path.name}.part")

    def pending(self, numbers: range, saved: RunRecord | None, *, force: bool, is_single: bool) -> Iterable[int]:
        if saved is None:
            check_replaceable(self.path, force=force, hint=_hint(self.record))
            if not force and self.record.exists() and self.part.exists():
                raise ComposerError(f"an interrupted run left {self.part}", RESUME_HINT)
            return numbers
        there = self.part if self.part.exists() else self.path
        size = there.stat().st_size if there.is_file() else -1
        if not saved.pieces:
            return numbers
        if size < saved.bytes or (there == self.path and size != saved.bytes):
            raise ComposerError(f"{there} was changed after the run was interrupted", START_OVER_HINT)
        return numbers[saved.pieces :]

    def open(self, record: RunRecord | None) -> None:
        assert record is not None
        self._folder_note = new_folder_note(self.path.parent)
        with reporting_write_errors(self.part):
            self.part.parent.mkdir(parents=True, exist_ok=True)
            if record.pieces and not self.part.exists():
                self.path.replace(self.part)
            self._file = os.open(self.part, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
            os.truncate(self._file, record.bytes)
            os.lseek(self._file, record.bytes, os.SEEK_SET)
        self._record, self.already_written = record, record.pieces
        self._save_record()

    def finish_piece(self, number: int) -> None:
        assert self._record is not None and self._file is not None  # noqa: PT018
        with reporting_write_errors(self.part):
            view = memoryview(bytes(self.current))
            while view:
                view = view[os.write(self._file, view) :]
        # one assignment, so that Ctrl-C cannot come between the two
        self._record = replace(self._record, pieces=number, bytes=self._record.bytes + len(self.current))
        self.current.clear()
        if time.monotonic() - self._written > SECONDS_BETWEEN_RECORDS:
            self._save_record()

    def close(self, *, finished: bool) -> None:
        record, file, self._file = self._record, self._file, None
        if record is None or file is None:
            return
        with reporting_write_errors(self.path):
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
        so_far, more = ("", "") if finished else (f", {record.pieces:,} pieces so far", "; continue with --resume")
        self.console.say(f"wrote {self.path}{so_far}{self._folder_note}{more}")

    def _save_record(self) -> None:
        assert self._record is not None and self._file is not None  # noqa: PT018
        with reporting_write_errors(self.part):
            os.fsync(self._file)
        self._record.write()
        self._written = time.monotonic()


@dataclass
class NumberedFiles(Target):
    """Writes each piece to a file of its own."""

    one_file_per_piece: ClassVar = True
    pattern: FilenamePattern
    count: int
    console: Console
    _unfinished: dict[int, bytearray] = field(default_factory=dict)
    written: int = 0
    _numbers: range = range(0)
    _is_single: bool = True
    _resumed: bool = False
    _record: RunRecord | None = None
    _old: list[Path] = field(default_factory=list)
    _folder_note: str = ""

    @property
    def record(self) -> Path | None:
        return self.pattern.record if self.count > 1 else None

    def pending(self, numbers: range, saved: RunRecord | None, *, force: bool, is_single: bool) -> Iterable[int]:
        self._numbers, self._is_single, self._resumed = numbers, is_single, saved is not None
        if saved is not None:
            return self._missing_numbers(numbers)
        self._old = [path for number, path in sorted(self.pattern.existing()) if number in numbers]
        for path in self._old:
            # if other processes have started, old files cannot be distinguished from new ones
            check_replaceable(
                path, force=force and is_single, hint=_hint(self.record) if is_single else "remove these files first"
            )
        return numbers

    def open(self, record: RunRecord | None) -> None:
        for path in self._old:  # or they would count as those of this run if it is interrupted
            with reporting_write_errors(path):
                path.unlink(missing_ok=True)
        self._record, self._folder_note = record, new_folder_note(self.pattern.folder)
        if record is not None:
            record.write()

    def write(self, number: int, data: bytes) -> None:
        self._unfinished.setdefault(number, bytearray()).extend(data)

    def finish_piece(self, number: int) -> None:
        path, data = self.pattern.path(number), self._unfinished.pop(number, b"")
        save(path, data, sync=self.count == 1)
        self.written += 1

    def discard(self, number: int) -> None:
        self._unfinished.pop(number, None)

    def close(self, *, finished: bool) -> None:
        if self._record is not None and finished and (self._is_single or self._complete()):
            self._record.remove()
        if self.written:
            more = "" if finished or self._record is None else "; continue with --resume"
            self.console.say(f"wrote {self._summary()}{self._folder_note}{more}")

    def _summary(self) -> str:
        """Return the first and last file if all were written, else how many there are."""
        first, last, share = self._numbers[0], self._numbers[-1], len(self._numbers)
        if self.written == share:
            return f"{self.pattern.path(first)}" + (f" to {self.pattern.path(last)}" if last > first else "")
        there = (
            sum(is_complete(self.pattern.path(number)) for number in self._numbers) if self._resumed else self.written
        )
        if there == share:
            return f"the {self.written:,} missing of {share:,} pieces to {self.pattern.text}"
        return f"{there:,} of {share:,} pieces to {self.pattern.text}"

    def _missing_numbers(self, numbers: range) -> Iterator[int]:
        for number in numbers:
            if is_complete(self.pattern.path(number)):
                self.already_written += 1
            else:
                yield number

    def _complete(self) -> bool:
        """Return whether the other processes are done too; the last pieces are most likely to be missing."""
        return all(is_complete(self.pattern.path(number)) for number in range(self.count, 0, -1))


def _hint(record: Path | None) -> str:
    """Return the hint for a file that already exists."""
    return RESUME_HINT if record is not None and record.exists() else REPLACE_HINT
