"""Where pieces are written: stdout or one file; `many_files` has the targets for many pieces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from composer.cli.console import Console
from composer.cli.output.files import check_replaceable, new_folder_note, reporting_write_errors, reserved, save

if TYPE_CHECKING:
    from composer.cli.output.run_record import RunRecord
    from composer.system.locks import Lock


class Target(ABC):
    """Where pieces are written, by their numbers. A subclass defines at least `write`; the other methods do nothing.

    With `one_file_per_piece` they may come in any order. `already_written` counts the pieces of the run that is
    resumed. `record` is the path of the run's record, None for a target that cannot be resumed.
    """

    one_file_per_piece: ClassVar = False
    already_written = 0

    @property
    def record(self) -> Path | None:
        return None

    def reserve(self, rank: int) -> AbstractContextManager[Lock | None]:
        """Keep other runs from writing to the same place; process `rank` of several does so for itself.

        Raises NameInUse if another run writes there, ComposerError if this one cannot.
        """
        return nullcontext()

    def pending(self, numbers: range, saved: RunRecord | None, *, force: bool, is_single: bool) -> Iterable[int]:
        """Return those of `numbers` that are missing, by the record of the run to resume, if there is one.

        `is_single` is false if other processes write other numbers. Raises ComposerError if something would be
        overwritten without `force`.
        """
        return numbers

    def open(self, record: RunRecord | None) -> None:
        """Prepare to write, for a run with this record."""
        return

    @abstractmethod
    def write(self, number: int, data: bytes) -> None:
        """Write the next bytes of a piece."""

    def finish_piece(self, number: int) -> None:
        """Finish a piece."""
        return

    def discard(self, number: int) -> None:
        """Drop a piece."""
        return

    def close(self, *, finished: bool) -> None:
        """Save the finished pieces; `finished` is false if the run was interrupted."""
        return


@dataclass
class ToStdout(Target):
    """Writes to stdout at once: music, or with `rendered` what shows it on a terminal."""

    console: Console
    rendered: bool = False

    def write(self, number: int, data: bytes) -> None:
        if data and self.rendered:
            self.console.write_rendered(data.decode())
        elif data:
            self.console.write_bytes(data)


@dataclass
class BufferedTarget(Target):
    """Buffers the bytes of a piece for one file until it is finished."""

    path: Path
    console: Console
    current: bytearray = field(default_factory=bytearray)
    _force: bool = False
    _folder_note: str = ""

    def reserve(self, rank: int) -> AbstractContextManager[Lock | None]:
        self._folder_note = new_folder_note(self.path.parent)
        return reserved(self.path)

    def write(self, number: int, data: bytes) -> None:
        self.current += data

    def discard(self, number: int) -> None:
        self.current.clear()


@dataclass
class ToFile(BufferedTarget):
    """Writes one piece to a file, completely or not at all; or many to a device or a named pipe, at once."""

    _device: BinaryIO | None = None
    _wrote: bool = False

    def pending(self, numbers: range, saved: RunRecord | None, *, force: bool, is_single: bool) -> Iterable[int]:
        check_replaceable(self.path, force=force)
        self._force = force
        return numbers

    def open(self, record: RunRecord | None) -> None:
        if self.path.exists() and not self.path.is_file():
            with reporting_write_errors(self.path):
                self._device = self.path.open("wb", buffering=0)

    def finish_piece(self, number: int) -> None:
        if self._device is None:
            save(self.path, bytes(self.current), replace=self._force)
        else:
            with reporting_write_errors(self.path):
                self._device.write(self.current)
        self._wrote = True
        self.current.clear()

    def close(self, *, finished: bool) -> None:
        if self._device is not None:
            self._device.close()
        if self._wrote:
            self.console.say(f"wrote {self.path}{self._folder_note}")
