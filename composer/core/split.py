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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from composer.api import OptionError, Piece, ReadError
from composer.core.corpus import identity
from composer.core.sources import located, public_name

PARTS = ("train", "valid", "test")
FEWEST = 10
"""With fewer pieces than this, none is set aside."""


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


@dataclass(slots=True)
class Parts:
    """The pieces of each part, how many `duplicates` were left out, and `notes` that the user should read."""

    pieces: dict[str, list[Piece]] = field(default_factory=lambda: {part: [] for part in PARTS})
    duplicates: int = 0
    notes: list[str] = field(default_factory=list)


def divide(split: Split, pieces: Sequence[Piece], named: Mapping[str, Sequence[Piece]]) -> Parts:
    """Divide `pieces`; those of `named` come from the files that were named for a part and go there.

    A list is followed to the letter. Else a piece stands once: copies, and whatever a named part has, are left out.
    Raises ReadError for a list that cannot be read, or that leaves nothing to learn from.
    """
    return _by_list(split.listing, pieces, named) if split.listing else _by_digest(split, pieces, named)


def _by_digest(split: Split, pieces: Sequence[Piece], named: Mapping[str, Sequence[Piece]]) -> Parts:
    parts = Parts()
    seen: set[bytes] = set()
    for part, given in named.items():
        for piece in given:
            parts.pieces[part].append(piece)
            seen.add(identity(piece))
    shares = {part: getattr(split, part) for part in ("valid", "test") if part not in named}
    rest: list[tuple[bytes, Piece]] = []
    for piece in pieces:
        digest = identity(piece)
        if digest in seen:
            parts.duplicates += 1
        else:
            seen.add(digest)
            rest.append((digest, piece))
    for digest, piece in rest:
        parts.pieces[_place(digest, shares)].append(piece)
    wanted = [part for part, share in shares.items() if share]
    if wanted and (len(rest) < FEWEST or any(not parts.pieces[part] for part in ["train", *wanted])):
        for part in wanted:
            parts.pieces[part] = []
        parts.pieces["train"] = [piece for _, piece in rest]
        parts.notes.append(
            f"{len(rest)} {'piece is' if len(rest) == 1 else 'pieces are'} too few to set some aside: "
            "all are learnt from, and nothing tells when the model only repeats them"
        )
    if not parts.pieces["train"]:
        raise ReadError("nothing is left to learn from: every piece is in a part that was set aside", "name more files")
    return parts


def _place(digest: bytes, shares: Mapping[str, float]) -> str:
    """The part of a piece. Shares are taken from both ends, so that changing one does not move the other's pieces."""
    number = int.from_bytes(digest[:8], "big") / 2**64
    if number < shares.get("valid", 0.0):
        return "valid"
    return "test" if number >= 1 - shares.get("test", 0.0) else "train"


def _by_list(listing: Path, pieces: Sequence[Piece], named: Mapping[str, Sequence[Piece]]) -> Parts:
    parts = Parts()
    parts.pieces.update({part: list(given) for part, given in named.items()})
    wanted = read_list(listing)
    explicit = "train" in wanted.values()
    used: set[str] = set()
    left_out = 0
    for piece in pieces:
        name = next(iter(_listed_name(piece, wanted)), None)
        used.add(name or "")
        if name is not None:
            parts.pieces[wanted[name]].append(piece)
        elif explicit:
            left_out += 1
        else:
            parts.pieces["train"].append(piece)
    missing = [name for name in wanted if name not in used]
    if missing:
        count = f"{len(missing)} of {len(wanted)}"
        parts.notes.append(f"{listing.name} names pieces that cannot be used ({count}), such as `{missing[0]}`")
    if left_out:
        pieces_are = "piece is" if left_out == 1 else "pieces are"
        parts.notes.append(f"{left_out} {pieces_are} in no part of {listing.name} and left out")
    if not parts.pieces["train"]:
        raise ReadError(f"{listing.name} leaves nothing to learn from", "name pieces as in `train jigs.abc: tune 36`")
    return parts


def read_list(listing: Path) -> dict[str, str]:
    """The part of each name in the list. Raises ReadError."""
    try:
        lines = listing.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ReadError(f"cannot read the list {listing}: {reason}", "check the path given to --split") from error
    wanted: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        words = line.split(maxsplit=1)
        if not words or words[0].startswith("#"):
            continue
        if words[0] not in PARTS or len(words) == 1:
            raise ReadError(
                f"{listing.name}, line {number}: `{line.strip()}` names no part and piece",
                "write lines such as `valid jigs.abc: tune 22`",
            )
        wanted[words[1].strip()] = words[0]
    return wanted


def listed(listing: Path, part: str, pieces: Sequence[Piece]) -> list[Piece]:
    """Those of `pieces` that the list has in `part`. Raises ReadError where it cannot be read, or has none there."""
    wanted = read_list(listing)
    chosen = [piece for piece in pieces if any(wanted.get(name) == part for name in _listed_name(piece, wanted))]
    if not chosen:
        raise ReadError(f"{listing.name} has none of these pieces in part `{part}`", "check its names, and the files")
    return chosen


def _listed_name(piece: Piece, wanted: Mapping[str, str]) -> list[str]:
    """The name under which a list has the piece; none where it has not."""
    return [name for name in _names(piece) if name in wanted][:1]


def _names(piece: Piece) -> list[str]:
    """All that a list may call a piece: its place with more or less of the path, then its file likewise."""
    found = []
    for whole in (piece.source, piece.source.rpartition(": ")[0]):
        parts = whole.replace("\\", "/").split("/")
        found += ["/".join(parts[start:]) for start in range(len(parts))]
    return [name for name in found if name]
