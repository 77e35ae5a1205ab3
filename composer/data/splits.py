"""Which pieces are learnt from, which choose the best checkpoint, and which are kept for judging.

By default a digest of a piece's content decides, so that a piece keeps its part when others come or go, whatever the
order of the files, and two copies of a piece never stand on both sides. A split can also be given:

    --valid FILES       all pieces of these files validate
    --split LIST.txt    a list of lines `PART NAME`, where PART is train, valid or test and NAME names a piece as the
                        program does, or a whole file:

        # the 2012 split
        train  jigs.abc: tune 36
        valid  jigs.abc: tune 22
        test   xmas.abc
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composer.api import OptionError, Piece, ReadError
from composer.data.corpus import identity
from composer.data.seen import Seen
from composer.data.sources import located, public_name
from composer.data.split_list import PARTS, Listing, listed, read_list

__all__ = ["FEWEST", "PARTS", "Division", "Parts", "Split", "count", "divide", "listed", "numbers", "read_list"]

FEWEST = 10
"""With fewer pieces than this, none is set aside."""

_NAMED = len(PARTS)
"""Added to the number of a part where a piece is of a file that was named for it."""


@dataclass(frozen=True, slots=True)
class Split:
    """How to split: shares of the pieces, or files for a part, or a list that names the pieces."""

    valid: float = 0.1
    test: float = 0.0
    valid_files: tuple[str, ...] = ()
    test_files: tuple[str, ...] = ()
    listing: Path | None = None

    def __post_init__(self) -> None:
        if not (0 <= self.valid < 1 and 0 <= self.test < 1 and self.valid + self.test < 1):
            raise OptionError(
                f"{self.valid:g} for validation and {self.test:g} for testing leave nothing to learn from",
                "give shares that are together below 1, such as 0.1",
            )

    @property
    def files(self) -> Mapping[str, tuple[str, ...]]:
        """The parts whose files are named."""
        named = {"valid": self.valid_files, "test": self.test_files}
        return {part: files for part, files in named.items() if files}

    def to_json(self) -> dict[str, Any]:
        """This split as plain JSON, its files by their places on this machine."""
        return {
            "valid": self.valid,
            "test": self.test,
            "valid_files": [located(name) for name in self.valid_files],
            "test_files": [located(name) for name in self.test_files],
            "listing": located(str(self.listing)) if self.listing else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Split:
        """The value that `to_json` described."""
        return cls(
            data["valid"],
            data["test"],
            tuple(data["valid_files"]),
            tuple(data["test_files"]),
            Path(data["listing"]) if data["listing"] else None,
        )

    def describe(self) -> dict[str, Any]:
        """This split as plain JSON for a model's record, without the folders of this machine."""
        if self.listing:
            return {"list": self.listing.name}
        shares: dict[str, Any] = {"valid": self.valid, "test": self.test}
        return shares | {part: [public_name(name) for name in files] for part, files in self.files.items()}


class Division:
    """The part of each piece, decided as pieces come, and remembered in a byte for each that is taken.

    division = Division(Split())
    taken = [piece for piece in pieces if division.takes(piece)]
    division.settle()
    training = [taken[number] for number in numbers(division.codes, "train")]

    By shares, pieces of files that were named for a part come first. `duplicates` were left out, and `notes` are what
    the user should read.
    """

    def __init__(self, split: Split, named: Collection[str] | None = None) -> None:
        """Files are `named` for these parts, by default as `split` says. Raises ReadError where its list is no list."""
        named = split.files if named is None else named
        self._shares = {part: getattr(split, part) for part in ("valid", "test") if part not in named}
        self._list = Listing(split.listing) if split.listing else None
        self._seen = Seen()
        self._codes = bytearray()
        self.duplicates = 0
        self.notes: list[str] = []

    def takes(self, piece: Piece, named: str = "") -> bool:
        """Whether the next piece, of a file that was `named` for a part, goes into one; its number is then the next.

        A list is followed to the letter. Else a piece stands once: copies, and whatever a named part has, are left out.
        """
        part: str | None = named
        if self._list is None:
            digest = identity(piece)
            new = self._seen.add(digest)
            if not named and not new:
                self.duplicates += 1
                return False
            part = named or _place(digest, self._shares)
        elif not named:
            part = self._list.part(piece)
        if part is None:
            return False
        self._codes.append(PARTS.index(part) + (_NAMED if named else 0))
        return True

    def settle(self) -> None:
        """All pieces have come. Raises ReadError where nothing is left to learn from."""
        if self._list is not None:
            self.notes += self._list.notes()
        else:
            self._settle_shares()
        if not count(self._codes, "train"):
            if self._list is not None:
                raise ReadError(
                    f"{self._list.name} leaves nothing to learn from", "name pieces as in `train jigs.abc: tune 36`"
                )
            raise ReadError(
                "nothing is left to learn from: every piece is in a part that was set aside", "name more files"
            )

    def _settle_shares(self) -> None:
        """Where there is too little to set some aside, learn from all but what was named."""
        wanted = [part for part, share in self._shares.items() if share]
        counts = [self._codes.count(code) for code in range(_NAMED)]
        rest = sum(counts)
        if wanted and (rest < FEWEST or any(not counts[PARTS.index(part)] for part in ["train", *wanted])):
            train = PARTS.index("train")
            self._codes = self._codes.translate(bytes([train] * _NAMED) + bytes(range(_NAMED, 256)))
            self.notes.append(
                f"{rest} {'piece is' if rest == 1 else 'pieces are'} too few to set some aside: "
                "all are learnt from, and nothing tells when the model only repeats them"
            )

    @property
    def codes(self) -> bytearray:
        """The decisions so far, for `numbers` and `count`."""
        return self._codes


def numbers(codes: bytearray, part: str) -> Iterator[int]:
    """The numbers of the pieces of a part, in order."""
    return (number for number, code in enumerate(codes) if code % _NAMED == PARTS.index(part))


def count(codes: bytearray, part: str) -> int:
    """How many pieces a part has."""
    return sum(codes.count(code) for code in (PARTS.index(part), PARTS.index(part) + _NAMED))


@dataclass(slots=True)
class Parts:
    """The pieces of each part, how many `duplicates` were left out, and `notes` that the user should read."""

    pieces: dict[str, list[Piece]]
    duplicates: int
    notes: list[str]


def divide(split: Split, pieces: Iterable[Piece], named: Mapping[str, Iterable[Piece]] | None = None) -> Parts:
    """Divide pieces that are in memory; those of `named` come from the files that were named for a part and go there.

    Raises ReadError for a list that cannot be read, or where nothing is left to learn from.
    """
    named = named or {}
    division = Division(split, named)
    every = [(part, piece) for part, given in named.items() for piece in given]
    every += [("", piece) for piece in pieces]
    taken = [piece for part, piece in every if division.takes(piece, part)]
    division.settle()
    by_part = {part: [taken[number] for number in numbers(division.codes, part)] for part in PARTS}
    return Parts(by_part, division.duplicates, division.notes)


def _place(digest: bytes, shares: Mapping[str, float]) -> str:
    """The part of a piece. Shares are taken from both ends, so that changing one does not move the other's pieces."""
    number = int.from_bytes(digest[:8], "big") / 2**64
    if number < shares.get("valid", 0.0):
        return "valid"
    return "test" if number >= 1 - shares.get("test", 0.0) else "train"
