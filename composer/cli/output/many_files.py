"""Write many pieces to one file or to numbered files, and resume an interrupted run.

A file under its final name is always complete. After an interruption the finished pieces stay.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
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
    reserved,
    save,
)
from composer.cli.output.run_record import START_OVER_HINT, SUFFIX, RunRecord, new_part_name
from composer.cli.output.targets import BufferedTarget, Target
from composer.system.files import Occupied, create_exclusive, move_new, open_existing
from composer.system.locks import Lock

NOTHING_WRITTEN = "nothing was written yet; continue with --resume"
SECONDS_BETWEEN_RECORDS = 1.0
"""How often the record of one file is saved; a run that is killed loses what it generated since."""


@dataclass
class SingleFile(BufferedTarget):
    """Writes many pieces to one file in order, under a random name until the run is finished or interrupted."""

    _record: RunRecord | None = None
    _written: float = 0.0
    _file: int | None = None

    @property
    def record(self) -> Path:
        return self.path.with_name(f".{self.path.name}{SUFFIX}")

    def pending(self, numbers: range, saved: RunRecord | None, *, force: bool, is_single: bool) -> Iterable[int]:
        self._force = force
        if saved is None:
            check_replaceable(self.path, force=force, hint=_hint(self.record))
            if not force and (left := self._left_part()) is not None:
                raise ComposerError(f"an interrupted run left {left}", RESUME_HINT)
            return numbers
        part = self._part(saved)
        there = part if part.is_file() else self.path
        size = there.stat().st_size if there.is_file() else -1
        if not saved.pieces:
            return numbers
        if size < saved.bytes or (there == self.path and size != saved.bytes):
            raise ComposerError(f"{there} was changed after the run was interrupted", START_OVER_HINT)
        return numbers[saved.pieces :]

    def open(self, record: RunRecord | None) -> None:
        assert record is not None
        with reporting_write_errors(self.path):
            if not record.part and (left := self._left_part()) is not None:
                left.unlink()
            record = replace(record, replaces=record.replaces or self._force)
            part = self._part(record)
            if part.is_file() and self.path.exists() and part.samefile(self.path):
                self.path.unlink()  # it was being renamed when the run was killed
            if not part.is_file():
                # the record is written first, so that no file is left that it does not name
                record = replace(record, part=new_part_name(self.path.name))
                record.write()
                if record.pieces:
                    self.path.replace(self._part(record))
                else:
                    os.close(create_exclusive(self._part(record)))
            self._file = open_existing(self._part(record))
            os.truncate(self._file, record.bytes)
            os.lseek(self._file, record.bytes, os.SEEK_SET)
        self._record, self.already_written = record, record.pieces
        self._save_record()

    def finish_piece(self, number: int) -> None:
        assert self._record is not None and self._file is not None  # noqa: PT018
        with reporting_write_errors(self.path):
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
        part, noun = self._part(record), f"{record.pieces:,} pieces"
        with reporting_write_errors(self.path):
            os.truncate(file, record.bytes)
            os.fsync(file)
            os.close(file)
            record.write()
            if not record.pieces:
                part.unlink()
                if not finished:
                    self.console.say(NOTHING_WRITTEN)
            elif self._publish(part, replaces=record.replaces and finished):
                so_far, more = ("", "") if finished else (f", {noun} so far", "; continue with --resume")
                self.console.say(f"wrote {self.path}{so_far}{self._folder_note}{more}")
            elif finished:
                raise ComposerError(
                    f"{self.path} was written by another program meanwhile, so the {noun} are in {part}",
                    "move it away and repeat the command with --resume, or overwrite it with --resume --force",
                )
            else:
                self.console.say(f"wrote {noun} so far to {part}; {self.path} stays as it is; continue with --resume")
        if finished:
            record.remove()

    def _publish(self, part: Path, *, replaces: bool) -> bool:
        """Give the file its final name; return whether that could be done without replacing another one."""
        try:
            if replaces:
                part.replace(self.path)
            else:
                move_new(part, self.path)
        except Occupied:
            return False
        return True

    def _part(self, record: RunRecord) -> Path:
        """Return the file during the run, which may not exist."""
        return self.path.with_name(record.part or new_part_name(self.path.name))

    def _left_part(self) -> Path | None:
        """Return what an interrupted run has left, if its record says so."""
        try:
            saved = RunRecord.read(self.record)
        except ComposerError:
            return None
        part = self._part(saved) if saved is not None else None
        return part if part is not None and part.is_file() else None

    def _save_record(self) -> None:
        assert self._record is not None and self._file is not None  # noqa: PT018
        with reporting_write_errors(self.path):
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
    _force: bool = False
    _old: dict[int, int] = field(default_factory=dict)
    _folder_note: str = ""

    @property
    def record(self) -> Path | None:
        return self.pattern.record if self.count > 1 else None

    def reserve(self, rank: int) -> AbstractContextManager[Lock | None]:
        self._folder_note, path = new_folder_note(self.pattern.folder), self.pattern.in_one_name
        return reserved(path.with_name(f"{path.name}.{rank}") if rank else path, self.pattern.text)

    def pending(self, numbers: range, saved: RunRecord | None, *, force: bool, is_single: bool) -> Iterable[int]:
        self._numbers, self._is_single, self._resumed = numbers, is_single, saved is not None
        # if other processes have started, old files cannot be distinguished from new ones
        self._force = force and is_single
        if saved is not None:
            self._old = dict(saved.old)
            return self._missing_numbers(numbers)
        hint = _hint(self.record) if is_single else "remove these files first"
        for number, path in sorted(self.pattern.existing()):
            if number in numbers:
                check_replaceable(path, force=self._force, hint=hint)
                self._old[number] = _changed(path)
        return numbers

    def open(self, record: RunRecord | None) -> None:
        if record is not None:  # with the old files, which do not count as those of this run if it is interrupted
            self._record = replace(record, old=self._old, replaces=record.replaces or self._force)
            self._record.write()

    def write(self, number: int, data: bytes) -> None:
        self._unfinished.setdefault(number, bytearray()).extend(data)

    def finish_piece(self, number: int) -> None:
        path, data = self.pattern.path(number), self._unfinished.pop(number, b"")
        replaces = self._force or (not self._is_done(number) and path.exists())
        save(path, data, sync=self.count == 1, replace=replaces)
        self.written += 1

    def discard(self, number: int) -> None:
        self._unfinished.pop(number, None)

    def close(self, *, finished: bool) -> None:
        if self._record is not None and finished and (self._is_single or self._complete()):
            self._record.remove()
        if self.written:
            more = "" if finished or self._record is None else "; continue with --resume"
            self.console.say(f"wrote {self._summary()}{self._folder_note}{more}")
        elif self._record is not None and not finished:
            self.console.say(NOTHING_WRITTEN)

    def _summary(self) -> str:
        """Return the first and last file if all were written, else how many there are."""
        first, last, share = self._numbers[0], self._numbers[-1], len(self._numbers)
        if self.written == share:
            return f"{self.pattern.path(first)}" + (f" to {self.pattern.path(last)}" if last > first else "")
        there = sum(map(self._is_done, self._numbers)) if self._resumed else self.written
        if there == share:
            return f"the {self.written:,} missing of {share:,} pieces to {self.pattern.text}"
        return f"{there:,} of {share:,} pieces to {self.pattern.text}"

    def _missing_numbers(self, numbers: range) -> Iterator[int]:
        for number in numbers:
            if self._is_done(number):
                self.already_written += 1
            else:
                yield number

    def _complete(self) -> bool:
        """Return whether the other processes are done too; the last pieces are most likely to be missing."""
        return all(self._is_done(number) for number in range(self.count, 0, -1))

    def _is_done(self, number: int) -> bool:
        """Return whether this run has written a file; those that it replaces are as they were."""
        path = self.pattern.path(number)
        return is_complete(path) and (number not in self._old or _changed(path) != self._old[number])


def _changed(path: Path) -> int:
    """Return when a file was changed, in ns; 0 if it is gone."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _hint(record: Path | None) -> str:
    """Return the hint for a file that already exists."""
    return RESUME_HINT if record is not None and record.exists() else REPLACE_HINT
