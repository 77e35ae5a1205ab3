"""File names with the number of a piece: `tunes/%06d.abc`."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path

NUMBER = re.compile(r"%(?:0(\d))?d")
SEPARATOR = "%-"
"""Stands for a folder within a pattern that is written as the name of one file."""


@dataclass(frozen=True)
class FilenamePattern:
    """A name in which `%d` or `%03d` is the number of a piece; any other `%` is literal, as in a `given` folder."""

    text: str
    given: str = ""

    @classmethod
    def parse(cls, text: str) -> FilenamePattern | None:
        """Return `text` as a pattern; None if it has no number."""
        return cls(text) if NUMBER.search(text) else None

    @classmethod
    def within(cls, folder: str, name: str) -> FilenamePattern:
        """Return the pattern of the files called `name` in a folder that is meant literally."""
        text = str(Path(folder) / name)
        return cls(text, text.removesuffix(name))

    def path(self, number: int) -> Path:
        """Return the file of piece `number`."""
        return Path(self.given + NUMBER.sub(lambda match: match[0] % number, self._numbered))

    @cached_property
    def folder(self) -> Path:
        """The deepest folder that contains all the files."""
        literal = takewhile(lambda part: not NUMBER.search(part), Path(self._numbered).parts[:-1])
        return Path(self.given, *literal)

    @property
    def in_one_name(self) -> Path:
        """The pattern as the name of one file in that folder, from which `of_one_name` makes it again."""
        return self.folder / SEPARATOR.join(Path(self.text).parts[len(self.folder.parts) :])

    @classmethod
    def of_one_name(cls, path: Path) -> FilenamePattern:
        """Return the pattern of which `path` is the name of one file; a name without a number is itself."""
        return cls.within(str(path.parent), path.name.replace(SEPARATOR, os.sep))

    @property
    def record(self) -> Path:
        """The hidden file with the record of a run."""
        return self.in_one_name.with_name(f".{self.in_one_name.name}.composer")

    def existing(self) -> Iterator[tuple[int, Path]]:
        """Yield the existing files and folders with their numbers. Takes time in proportion to their number."""
        for name in glob.iglob("*".join(map(glob.escape, self._literal)), include_hidden=True):  # noqa: PTH207
            if (number := self.number_of(name)) is not None:
                yield number, Path(name)

    def number_of(self, name: str) -> int | None:
        """Return the number of the piece in a file name; None if it is not one of these names."""
        match = self._expression.fullmatch(name)
        return int(match[1]) if match and self.path(int(match[1])) == Path(name) else None

    def overlaps(self, other: FilenamePattern) -> bool:
        """Return whether the two have a file in common, one whose number in `other` is below 1,000."""
        names = {str(other.path(number)) for number in range(1, 1000)} if other.is_numbered else {other.text}
        return any(self.is_one(name) for name in names)

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the name below the folder that is given."""
        return Path(self._numbered).parts

    @property
    def is_numbered(self) -> bool:
        """Whether there is a number in the name; without one, it is that of a single file."""
        return NUMBER.search(self._numbered) is not None

    def is_one(self, name: str) -> bool:
        """Return whether a name is one of these."""
        return self.number_of(name) is not None if self.is_numbered else name == self.text

    @cached_property
    def _literal(self) -> list[str]:
        """What is between the numbers."""
        first, *others = NUMBER.split(self._numbered)[::2]
        return [self.given + first, *others]

    @property
    def _numbered(self) -> str:
        """The text after the folder that is given, if one is."""
        return self.text.removeprefix(self.given)

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return re.compile("(\\d+)".join(map(re.escape, self._literal)), re.DOTALL)
