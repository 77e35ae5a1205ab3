"""File names with the number of a piece: `tunes/%06d.abc`."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path

NUMBER = re.compile(r"%(?:0(\d))?d")


@dataclass(frozen=True)
class FilenamePattern:
    """A name in which `%d` or `%03d` is the number of a piece; any other `%` is literal."""

    text: str

    @classmethod
    def parse(cls, text: str) -> FilenamePattern | None:
        """Return `text` as a pattern; None if it has no number."""
        return cls(text) if NUMBER.search(text) else None

    def path(self, number: int) -> Path:
        """Return the file of piece `number`."""
        return Path(NUMBER.sub(lambda match: match[0] % number, self.text))

    @cached_property
    def folder(self) -> Path:
        """The deepest folder that contains all the files."""
        return Path(*takewhile(lambda part: not NUMBER.search(part), Path(self.text).parts[:-1]))

    @property
    def in_one_name(self) -> Path:
        """The pattern as the name of one file in that folder."""
        return self.folder / "-".join(Path(self.text).parts[len(self.folder.parts) :])

    @property
    def record(self) -> Path:
        """The hidden file with the record of a run."""
        return self.in_one_name.with_name(f".{self.in_one_name.name}.composer")

    def existing(self) -> Iterator[tuple[int, Path]]:
        """Yield the existing files and folders with their numbers. Takes time in proportion to their number."""
        literal = NUMBER.split(self.text)[::2]
        pattern = re.compile("(\\d+)".join(map(re.escape, literal)), re.DOTALL)
        for name in glob.iglob("*".join(map(glob.escape, literal)), include_hidden=True):  # noqa: PTH207
            match = pattern.fullmatch(name)
            if match and self.path(number := int(match[1])) == Path(name):
                yield number, Path(name)
