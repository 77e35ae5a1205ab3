"""Names of files with the number of a piece in them: `tunes/%06d.abc`."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

__all__ = ["Pattern"]

NUMBER = re.compile(r"%(?:0(\d))?d")


@dataclass(frozen=True)
class Pattern:
    """A name in which `%d` or `%03d` stands for a number; a `%` that begins no number stands for itself."""

    text: str

    @classmethod
    def of(cls, text: str) -> Pattern | None:
        """The pattern that `text` is; None where no number is in it."""
        return cls(text) if NUMBER.search(text) else None

    def path(self, number: int) -> Path:
        """The file of piece `number`."""
        return Path(NUMBER.sub(lambda match: match[0] % number, self.text))

    @cached_property
    def folder(self) -> Path:
        """The deepest folder that all the files are in."""
        return Path(*_until_number(Path(self.text).parts[:-1]))

    @property
    def record(self) -> Path:
        """Where the record of a run is, which is hidden."""
        rest = Path(self.text).parts[len(self.folder.parts) :]
        return self.folder / f".{'-'.join(rest)}.composer"

    def present(self) -> Iterator[tuple[int, Path]]:
        """The files that are there, folders among them, each with its number. Takes as long as there are files."""
        literal = NUMBER.split(self.text)[::2]
        spelt = re.compile("(\\d+)".join(map(re.escape, literal)), re.DOTALL)
        for name in glob.iglob("*".join(map(glob.escape, literal)), include_hidden=True):  # noqa: PTH207
            match = spelt.fullmatch(name)
            if match and self.path(number := int(match[1])) == Path(name):
                yield number, Path(name)


def _until_number(parts: tuple[str, ...]) -> Iterator[str]:
    for part in parts:
        if NUMBER.search(part):
            return
        yield part
