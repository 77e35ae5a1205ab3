"""Where converted pieces go: stdout, one file, numbered files, or a folder."""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from collections import ChainMap
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from composer.api import ComposerError, Source, UsageError
from composer.cli.console import Console
from composer.cli.output.booklet import numbered
from composer.cli.output.filename_pattern import FilenamePattern
from composer.cli.output.files import is_complete, is_taken, is_too_long, names_folder, new_folder_note, save
from composer.cli.render.text import count_noun
from composer.formats import Format
from composer.system.escaping import escape_file_name

FORCE_HINT = "overwrite it with --force, or use another --output"


class NameConflict(ComposerError):
    """The file of one piece must not be written; the other pieces have files of their own."""


class AlreadyExists(NameConflict):
    """The file of a piece was there before the run."""


@dataclass
class Destination(ABC):
    """Takes the pieces of one source after the other. Those that a source has before a fault in it are kept.

    With `many`, a file may hold several pieces. With `resume`, the files of an earlier run are `kept`. These and the
    files that are `written` have the label of their source.
    """

    exists_hint: ClassVar[str] = FORCE_HINT

    console: Console
    format: Format
    many: bool
    force: bool = False
    resume: bool = False
    written: dict[Path, str] = field(default_factory=dict)
    kept: dict[Path, str] = field(default_factory=dict)
    folder_note: str = ""

    @abstractmethod
    def add(self, source: Source, data: bytes, number: int, count: int) -> Path | None:
        """Take piece `number` of `source`, which has `count`. Return its file, if it is known.

        Raises NameConflict if this piece alone cannot be written, ComposerError if no piece can be.
        """

    def keeps(self, source: Source, number: int, count: int) -> bool:
        """Return whether an earlier run wrote the file of a piece, which is then kept."""
        return False

    def end_source(self, source: Source) -> None:
        """Write what waits for the end of `source`. Raises ComposerError."""
        return

    def close(self) -> None:
        """Write what waits for the end of all sources. Raises ComposerError."""
        return

    def summary(self) -> str:
        """Return what was written, for a note; empty for nothing."""
        if not self.written:
            return ""
        first, *others = self.written
        where = f"{count_noun(len(self.written), 'file')}, {first} to {others[-1]}" if others else str(first)
        return f"wrote {where}{self.folder_note}"

    def conflict(self, path: Path, source: Source) -> NameConflict | None:
        """Return why `path` must not be written, if so."""
        owners = ChainMap(self.written, self.kept)
        written = next((file for file in (path, *path.parents) if file in owners), None)
        if written is not None:  # as this file, or where its folder should be
            problem = f"{written} was already written from {owners[written]}"
            return NameConflict(problem, self._elsewhere(path, source))
        if is_too_long(path):
            return NameConflict(f"{path} is too long for a file name", "rename the file, and convert it alone")
        if source.data is None and path.exists() and path.samefile(source.path):
            return NameConflict(f"{path} is the input, which is never overwritten", "use another --output")
        if path.is_dir():
            return NameConflict(f"{path} is a folder", "use another --output")
        if is_taken(path) and not self.force:
            return AlreadyExists(f"{path} already exists", self.exists_hint)
        return None

    def _elsewhere(self, path: Path, source: Source) -> str:
        """Return the command that converts a source alone, into a folder named after its suffix."""
        if source.data is not None:
            return f"convert {source.label} separately, to another --output"
        folder = path.parent / (source.path.suffix.lstrip(".") or "more")
        return shlex.join(["composer", "convert", str(source.path), "--to", self.format.name, "--output", f"{folder}/"])

    def save(self, path: Path, data: bytes, source: str = "") -> None:
        """Write a file completely or not at all. `source` is the label of what it is made from."""
        self.folder_note = self.folder_note or new_folder_note(path.parent)
        save(path, data, sync=False, replace=self.force)
        self.written[path] = source


@dataclass
class ToStdout(Destination):
    """Writes to stdout: at once if it may hold many pieces, else at the end, when there was only one."""

    _pieces: int = 0
    _waiting: bytes = b""

    def add(self, source: Source, data: bytes, number: int, count: int) -> None:
        self._pieces += 1
        if self.many:
            self.console.write_bytes(numbered(self.format, data, self._pieces))
        elif self._pieces == 1:
            self._waiting = data
        else:
            raise _too_many_error(self.format, f"tunes/%03d{self.format.suffixes[0]}")

    def close(self) -> None:
        if self._waiting:
            self.console.write_bytes(self._waiting)


@dataclass
class ToFile(Destination):
    """Writes one file at the end."""

    path: Path = Path()
    _pieces: list[bytes] = field(default_factory=list)

    def add(self, source: Source, data: bytes, number: int, count: int) -> Path:
        if conflict := self.conflict(self.path, source):
            raise ComposerError(conflict.message, conflict.hint)
        if self._pieces and not self.many:
            raise _too_many_error(self.format, str(self.path.with_name(f"{self.path.stem}-%03d{self.path.suffix}")))
        self._pieces.append(numbered(self.format, data, len(self._pieces) + 1))
        return self.path

    def close(self) -> None:
        if self._pieces:
            self.save(self.path, b"".join(self._pieces))


@dataclass
class ToNumberedFiles(Destination):
    """Writes each piece to a file with its number among all pieces."""

    pattern: FilenamePattern = field(default_factory=lambda: FilenamePattern("%d"))
    _pieces: int = 0

    def add(self, source: Source, data: bytes, number: int, count: int) -> Path:
        self._pieces += 1
        path = self.pattern.path(self._pieces)
        if conflict := self.conflict(path, source):
            raise conflict
        self.save(path, data, source.label)
        return path


@dataclass
class ToFolder(Destination):
    """Writes a file for each source, or one for each of its pieces, with the names and subfolders of the sources."""

    exists_hint = "convert only the others with --resume, or overwrite the files that are there with --force"

    folder: Path = Path()
    _path: Path = Path()
    _pieces: list[bytes] = field(default_factory=list)

    def keeps(self, source: Source, number: int, count: int) -> bool:
        if not self.resume:
            return False
        path = self._path_of(source, number, count)
        if self.kept.get(path) == source.label:  # another piece of the same file
            return True
        if not (isinstance(self.conflict(path, source), AlreadyExists) and is_complete(path)):
            return False
        self.kept[path] = source.label
        return True

    def _path_of(self, source: Source, number: int, count: int) -> Path:
        path = source.path.relative_to(source.root) if source.root is not None else Path(source.path.name)
        stem = "stdin" if source.name == "stdin" else path.stem
        if count > 1 and not self.many:
            stem += f"-{number:0{len(str(count))}}"
        inside = path.with_name(stem + self.format.suffixes[0])
        return self.folder.joinpath(*map(escape_file_name, inside.parts))  # in an archive, anyone may have named it

    def add(self, source: Source, data: bytes, number: int, count: int) -> Path:
        path = self._path_of(source, number, count)
        if not self._pieces and (conflict := self.conflict(path, source)):
            raise conflict
        if self.many:
            self._path = path
            self._pieces.append(numbered(self.format, data, len(self._pieces) + 1))
        else:
            self.save(path, data, source.label)
        return path

    def end_source(self, source: Source) -> None:
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            self.save(self._path, b"".join(pieces), source.label)

    def summary(self) -> str:
        kept = f"kept {count_noun(len(self.kept), 'file')} in {self.folder}" if self.kept else ""
        if len(self.written) < 2:
            return "; ".join(filter(None, (super().summary(), kept)))
        wrote = f"wrote {count_noun(len(self.written), 'file')} to {self.folder}{self.folder_note}"
        return f"{wrote}; {kept}" if kept else wrote


def plan_destination(
    console: Console, chosen: Format, many: bool, output: str | None, *, force: bool = False, resume: bool = False
) -> Destination:
    """Return where the pieces go. A name that ends with a slash or has no suffix is a folder. Raises UsageError.

    Only the names in a folder tell which pieces `resume` finds there: numbers depend on what could be converted.
    """
    if force and resume:
        raise UsageError("--force and --resume cannot be used together", "leave out one of them")
    destination = _destination(console, chosen, many, output, force)
    if resume and not isinstance(destination, ToFolder):
        raise UsageError("--resume needs a folder as output", f"use --to {chosen.name} --output {chosen.name}/")
    destination.resume = resume
    return destination


def _destination(console: Console, chosen: Format, many: bool, output: str | None, force: bool) -> Destination:
    if output in (None, "-"):
        if chosen.binary and console.stdout_is_terminal:
            name = chosen.summary.partition(",")[0]
            raise UsageError(f"{name} is binary, and stdout is a terminal", f"use --output tune{chosen.suffixes[0]}")
        return ToStdout(console, chosen, many, force)
    assert output is not None
    path = Path(output)
    if names_folder(output) or (not path.suffix and not path.exists()):
        if path.exists() and not path.is_dir():
            raise UsageError(f"{path} is not a folder", "use another --output")
        return ToFolder(console, chosen, many, force, folder=path)
    if pattern := FilenamePattern.parse(output):
        return ToNumberedFiles(console, chosen, many, force, pattern=pattern)
    return ToFile(console, chosen, many, force, path=path)


def _too_many_error(chosen: Format, example: str) -> UsageError:
    return UsageError(f"`{chosen.name}` files hold one piece each", f"use one file per piece: --output {example}")
