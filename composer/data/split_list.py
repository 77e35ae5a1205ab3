"""Lists that say which piece is in which part: lines `PART NAME`, as in `valid jigs.abc: tune 36`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from composer.api import Piece, ReadError

PARTS = ("train", "valid", "test")


class Listing:
    """A list that is followed piece by piece. Without a line for training, all that it does not name is learnt from.

    Raises ReadError where it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._wanted = read_list(path)
        self._explicit = "train" in self._wanted.values()
        self._used: set[str] = set()
        self._left_out = 0

    def part(self, piece: Piece) -> str | None:
        """The part of the next piece; None where it is in none."""
        for name in _listed_name(piece, self._wanted):
            self._used.add(name)
            return self._wanted[name]
        self._left_out += self._explicit
        return None if self._explicit else "train"

    def notes(self) -> list[str]:
        """What the user should read once all pieces have come."""
        notes = []
        missing = [name for name in self._wanted if name not in self._used]
        if missing:
            count = f"{len(missing)} of {len(self._wanted)}"
            notes.append(f"{self.name} names pieces that cannot be used ({count}), such as `{missing[0]}`")
        if self._left_out:
            pieces_are = "piece is" if self._left_out == 1 else "pieces are"
            notes.append(f"{self._left_out} {pieces_are} in no part of {self.name} and left out")
        return notes


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


def listed(listing: Path, part: str, pieces: Iterable[Piece]) -> list[Piece]:
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
