"""Where pieces go: what all such places have in common, stdout, and a file; `many_files` has those for many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Protocol

from composer.cli.console import Console
from composer.cli.output.files import keep, making, save, writing

if TYPE_CHECKING:
    from composer.cli.output.run_record import Record

__all__ = ["Gathering", "Target", "ToFile", "ToStdout"]


class Target(Protocol):
    """Where pieces go. Numbers are those of pieces.

    `apart` is true where each piece is a file of its own, so that they may come in any order; `before` is how many
    pieces an earlier run was found to have left. `record` is where the record of a run is kept; None where none can be
    gone on with.
    """

    apart: ClassVar[bool]
    before: int

    @property
    def record(self) -> Path | None: ...

    def claim(self, numbers: range, saved: Record | None, *, force: bool, alone: bool) -> Iterable[int]:
        """Those of `numbers` that are to be composed, by the record that was `saved` of a run to go on with.

        `alone` is false where other processes write other numbers there. Raises ComposerError where something would be
        replaced that the user has not given up.
        """
        ...

    def begin(self, record: Record | None) -> None:
        """Get ready; what was asked for, and what a saved record says, is in `record`."""
        ...

    def write(self, number: int, data: bytes) -> None:
        """Take the next bytes of a piece."""
        ...

    def end(self, number: int) -> None:
        """Know that a piece is over."""
        ...

    def drop(self, number: int) -> None:
        """Know that a piece is left out."""
        ...

    def close(self, *, finished: bool) -> None:
        """Put down what has come to an end so far: all of it, where the run is `finished`."""
        ...


@dataclass
class ToStdout:
    """To stdout, at once."""

    apart: ClassVar[bool] = False
    record: ClassVar[None] = None
    console: Console
    before: int = 0

    def claim(self, numbers: range, saved: Record | None, *, force: bool, alone: bool) -> Iterable[int]:
        return numbers

    def begin(self, record: Record | None) -> None:
        pass

    def write(self, number: int, data: bytes) -> None:
        if data:
            self.console.write_bytes(data)

    def end(self, number: int) -> None:
        pass

    def drop(self, number: int) -> None:
        pass

    def close(self, *, finished: bool) -> None:
        pass


@dataclass
class Gathering:
    """One file, for which the bytes of a piece are gathered until it is over."""

    apart: ClassVar[bool] = False
    path: Path
    console: Console
    before: int = 0
    current: bytearray = field(default_factory=bytearray)

    def write(self, number: int, data: bytes) -> None:
        self.current += data

    def drop(self, number: int) -> None:
        self.current.clear()


@dataclass
class ToFile(Gathering):
    """One piece into a file, which is there whole or not at all; or any number to a device or a named pipe, at once."""

    record: ClassVar[None] = None
    _device: BinaryIO | None = None
    _wrote: bool = False
    _made: str = ""

    def claim(self, numbers: range, saved: Record | None, *, force: bool, alone: bool) -> Iterable[int]:
        keep(self.path, force=force)
        return numbers

    def begin(self, record: Record | None) -> None:
        self._made = making(self.path.parent)
        if self.path.exists() and not self.path.is_file():
            with writing(self.path):
                self._device = self.path.open("wb", buffering=0)

    def end(self, number: int) -> None:
        if self._device is None:
            save(self.path, bytes(self.current))
        else:
            with writing(self.path):
                self._device.write(self.current)
        self._wrote = True
        self.current.clear()

    def close(self, *, finished: bool) -> None:
        if self._device is not None:
            self._device.close()
        if self._wrote:
            self.console.say(f"wrote {self.path}{self._made}")
