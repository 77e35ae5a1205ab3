"""Split pieces into training, validation and test data.

By default a digest of a piece's content decides, so that a piece stays in its split when others come or go, except
that a copy moves it to training. The order of the files does not matter. If pieces of different splits have one melody,
under other titles or in other keys, or one text, all of them are for training. Other ways are never changed, but copies
are counted:

    --valid FILES       all pieces of these files are for validation
    --split LIST.txt    a list of lines `SPLIT NAME`, where SPLIT is train, valid or test, and NAME is the name of a
                        piece, as in messages, or of a file:

        # the 2012 split
        train  jigs.abc: tune 36
        valid  jigs.abc: tune 22
        test   xmas.abc
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composer.api import OptionError, Piece, ReadError, Representation, Source
from composer.data.copies import copies_note, copy_key_of, moved_note
from composer.data.corpus import content_digest
from composer.data.sources import absolute_argument, public_name

SPLITS = ("train", "valid", "test")

MAX_LIST_BYTES = 16 * 1024 * 1024

MIN_PIECES_TO_SPLIT = 10
"""With fewer pieces, none are held out."""

_NAMED_OFFSET = len(SPLITS)
"""Added to the code of a split if the piece is of a file that was named for it."""


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """How to split: by shares of the pieces, by files, or by a list of pieces."""

    valid: float = 0.1
    test: float = 0.0
    valid_files: tuple[str, ...] = ()
    test_files: tuple[str, ...] = ()
    listing: Path | None = None

    def __post_init__(self) -> None:
        if not (0 <= self.valid < 1 and 0 <= self.test < 1 and self.valid + self.test < 1):
            raise OptionError(
                f"shares of {self.valid:g} for validation and {self.test:g} for testing leave no training data",
                "use shares from 0 to 1 with a sum below 1, such as 0.1",
            )

    @property
    def named_files(self) -> Mapping[str, tuple[str, ...]]:
        """The files that were named for a split."""
        named = {"valid": self.valid_files, "test": self.test_files}
        return {split: files for split, files in named.items() if files}

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain JSON, with absolute paths."""
        return {
            "valid": self.valid,
            "test": self.test,
            "valid_files": [absolute_argument(name) for name in self.valid_files],
            "test_files": [absolute_argument(name) for name in self.test_files],
            "listing": absolute_argument(str(self.listing)) if self.listing else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SplitSettings:
        """Return the settings that `to_json` was called on."""
        listing = Path(data["listing"]) if data["listing"] else None
        return cls(data["valid"], data["test"], tuple(data["valid_files"]), tuple(data["test_files"]), listing)

    def describe(self) -> dict[str, Any]:
        """Return the settings as plain JSON for a model's record, without the folders of this machine."""
        if self.listing:
            return {"list": self.listing.name}
        shares: dict[str, Any] = {"valid": self.valid, "test": self.test}
        return shares | {split: [public_name(name) for name in files] for split, files in self.named_files.items()}


class SplitAssigner:
    """Assign pieces to splits as they are read, and remember one byte for each that is used.

    assigner = SplitAssigner(SplitSettings())
    used = [piece for piece in pieces if assigner.assign(piece)]
    assigner.finish(keys)  # the `copy_key` of each used piece
    training = [used[number] for number in piece_numbers(assigner.codes, "train")]

    Pieces of files that were named for a split must come first. `duplicates` counts the pieces that were skipped since
    their content is that of another. `moved` counts the pieces that were not held out since they are copies of training
    pieces, and `copies` those that are held out nevertheless, since they are not moved. `notes` are for the user.
    """

    def __init__(
        self, settings: SplitSettings, named: Collection[str] | None = None, *, move_copies: bool = True
    ) -> None:
        """`named` splits have files of their own, by default those of `settings`. Raises ReadError for a bad list.

        Without `move_copies`, copies stay where their digests or the list assign them, and are counted.
        """
        named = settings.named_files if named is None else named
        self._shares = {split: getattr(settings, split) for split in ("valid", "test") if split not in named}
        self._list = SplitList(settings.listing) if settings.listing else None
        self._fixed = self._list is not None or not move_copies
        self._seen: set[bytes] = set()
        self.codes = bytearray()
        self.duplicates = self.moved = self.copies = 0
        self.notes: list[str] = []

    def assign(self, piece: Piece, named: str = "") -> bool:
        """Assign the next piece, of a file that is `named` for a split. Return whether it is used.

        Without a list, copies are skipped, also of pieces in named files.
        """
        split: str | None = named
        if self._list is None:
            digest = content_digest(piece)
            key = digest[:8]  # among a hundred million pieces, two share it with a probability of 3 in 10,000
            new = key not in self._seen
            self._seen.add(key)
            if not named and not new:
                self.duplicates += 1
                return False
            split = named or _split_by_digest(digest, self._shares)
        elif not named:
            split = self._list.split_of(piece)
        if split is None:
            return False
        self.codes.append(SPLITS.index(split) + (_NAMED_OFFSET if named else 0))
        return True

    def finish(self, keys: Sequence[int]) -> None:
        """Complete the splits after the last piece, with the `copy_key` of each piece that is used, in order.

        Raises ReadError if there is no training data.
        """
        if self._list is not None:
            self.notes += self._list.notes()
        self._move_copies(keys)
        if self._list is None:
            self._merge_small_splits()
        if not piece_count(self.codes, "train"):
            if self._list is not None:
                raise ReadError(f"no training data in {self._list.name}", "add lines like `train jigs.abc: tune 36`")
            raise ReadError("no training data: all pieces are in the --valid files", "name other training files")
        if self._list is not None and not piece_count(self.codes, "valid"):
            self.notes.append(f"{self._list.name} holds out no piece for validation: overfitting cannot be detected")

    def _move_copies(self, keys: Sequence[int]) -> None:
        """Use all copies of a piece for training if they are in different splits, unless the user named these.

        Which pieces these are does not depend on their order, nor the pieces for validation on the share for testing.
        """
        splits: dict[int, int] = {}  # of each key, as a set of bits
        for key, code in zip(keys, self.codes, strict=True):
            splits[key] = splits.get(key, 0) | 1 << code
        train = SPLITS.index("train")
        for number, key in enumerate(keys):
            code, free = self.codes[number], splits[key] & (1 << _NAMED_OFFSET) - 1
            is_training = (splits[key] >> train | splits[key] >> train + _NAMED_OFFSET) & 1
            if code % _NAMED_OFFSET == train or not (is_training or (free.bit_count() > 1 and not self._fixed)):
                continue
            if self._fixed or code >= _NAMED_OFFSET:
                self.copies += 1
            else:
                self.codes[number] = train
                self.moved += 1
        self.notes += [moved_note(self.moved)] * bool(self.moved) + [copies_note(self.copies)] * bool(self.copies)

    def _merge_small_splits(self) -> None:
        """Use all pieces but those of named files for training if there are too few to hold some out."""
        held_out = [split for split, share in self._shares.items() if share]
        counts = [self.codes.count(code) for code in range(_NAMED_OFFSET)]
        total = sum(counts)
        if held_out and (
            total < MIN_PIECES_TO_SPLIT or any(not counts[SPLITS.index(split)] for split in ["train", *held_out])
        ):
            train = SPLITS.index("train")
            self.codes = self.codes.translate(bytes([train] * _NAMED_OFFSET) + bytes(range(_NAMED_OFFSET, 256)))
            pieces = "piece" if total == 1 else "pieces"
            few = f"only {total} {pieces}, too few to hold some out"
            if self.moved and total >= MIN_PIECES_TO_SPLIT:
                few = "too few other pieces to hold some out"
            self.notes.append(f"{few}: training on all, so overfitting cannot be detected")


def piece_numbers(codes: bytearray, split: str) -> Iterator[int]:
    """Yield the numbers of the pieces of a split, in order."""
    return (number for number, code in enumerate(codes) if code % _NAMED_OFFSET == SPLITS.index(split))


def piece_count(codes: bytearray, split: str) -> int:
    """Return the number of pieces in a split."""
    return sum(codes.count(code) for code in (SPLITS.index(split), SPLITS.index(split) + _NAMED_OFFSET))


@dataclass(slots=True)
class SplitPieces:
    """The pieces of each split, and the counts and `notes` of a SplitAssigner."""

    pieces: dict[str, list[Piece]]
    duplicates: int
    moved: int
    copies: int
    notes: list[str]


def split_pieces(
    settings: SplitSettings,
    representation: Representation,
    pieces: Iterable[Piece],
    named: Mapping[str, Iterable[Piece]] | None = None,
    *,
    move_copies: bool = True,
) -> SplitPieces:
    """Split pieces of `representation` in memory; those in `named` are of files that were named for a split.

    `move_copies` is as for SplitAssigner: for the split of an earlier training it is `moves_copies` of its record.
    Raises ReadError for a list that cannot be read, or if there is no training data.
    """
    named = named or {}
    assigner = SplitAssigner(settings, named, move_copies=move_copies)
    every = [(split, piece) for split, given in named.items() for piece in given]
    every += [("", piece) for piece in pieces]
    used = [piece for split, piece in every if assigner.assign(piece, split)]
    assigner.finish([copy_key_of(piece, representation) for piece in used])
    by_split = {split: [used[number] for number in piece_numbers(assigner.codes, split)] for split in SPLITS}
    return SplitPieces(by_split, assigner.duplicates, assigner.moved, assigner.copies, assigner.notes)


def moves_copies(record: Mapping[str, Any]) -> bool:
    """Return whether the training with this record moved copies; the records of versions that did not lack a count."""
    return "moved" in record


class SplitList:
    """A list file that assigns pieces to splits. Without a `train` line, pieces it does not name are training data.

    Raises ReadError if it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._splits = read_list(path)
        self._explicit = "train" in self._splits.values()
        self._used: set[str] = set()
        self._skipped = 0

    def split_of(self, piece: Piece) -> str | None:
        """Return the split of the next piece; None if it is in none."""
        name = _listed_name(piece, self._splits)
        if name is not None:
            self._used.add(name)
            return self._splits[name]
        self._skipped += self._explicit
        return None if self._explicit else "train"

    def notes(self) -> list[str]:
        """Return what the user should know after the last piece."""
        notes = []
        missing = [name for name in self._splits if name not in self._used]
        if missing:
            count = f"{len(missing)} of {len(self._splits)}"
            notes.append(f"{self.name} names pieces that were not found ({count}), such as `{missing[0]}`")
        if self._skipped:
            pieces_are = "piece that is" if self._skipped == 1 else "pieces that are"
            notes.append(f"skipped {self._skipped} {pieces_are} not in {self.name}")
        return notes


def read_list(listing: Path) -> dict[str, str]:
    """Return the split of each name in the list. Raises ReadError."""
    source = Source(listing, name=f"the list {listing}", limit=MAX_LIST_BYTES)
    try:
        text = source.bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReadError(f"cannot read {source.label}: {error}", "check the path given to --split") from error
    lines = text.replace("\r\n", "\n").split("\n")
    splits: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        words = line.split(maxsplit=1)
        if not words or words[0].startswith("#"):
            continue
        if words[0] not in SPLITS or len(words) == 1:
            message = f"invalid line {number} in {listing.name}: {line.strip()!r}"
            raise ReadError(message, "write lines like `valid jigs.abc: tune 22`")
        splits[words[1].strip()] = words[0]
    if not splits:
        raise ReadError(f"{source.label} names no pieces", "write lines like `valid jigs.abc: tune 22`")
    return splits


def listed_pieces(listing: Path, split: str, pieces: Iterable[Piece]) -> list[Piece]:
    """Return the pieces that the list assigns to `split`. Raises ReadError if it cannot be read, or there are none."""
    splits = read_list(listing)
    found = [piece for piece in pieces if (name := _listed_name(piece, splits)) and splits[name] == split]
    if not found:
        others = " or ".join(sorted({*splits.values()} - {split}))
        hint = f"use --part {others}" if others else f"add lines like `{split} jigs.abc: tune 22`"
        raise ReadError(f"none of these pieces is in part `{split}` of {listing.name}", hint)
    return found


def training_pieces(listing: Path, pieces: Iterable[Piece]) -> list[Piece]:
    """Return the pieces that the list assigns to training, which may be none. Raises ReadError if it cannot be read."""
    found = SplitList(listing)
    return [piece for piece in pieces if found.split_of(piece) == "train"]


def _listed_name(piece: Piece, splits: Mapping[str, str]) -> str | None:
    """Return the name under which the list has the piece; None if it has not."""
    return next((name for name in _names(piece) if name in splits), None)


def _names(piece: Piece) -> list[str]:
    """Return all names of a piece that a list may use: its source with more or less of the path, then its file's."""
    found = []
    for whole in (piece.source, piece.source.rpartition(": ")[0]):
        parts = whole.replace("\\", "/").split("/")
        found += ["/".join(parts[start:]) for start in range(len(parts))]
    return [name for name in found if name]


def _split_by_digest(digest: bytes, shares: Mapping[str, float]) -> str:
    """Return the split of a piece. Shares are at both ends, so that changing one does not move the other's pieces."""
    number = int.from_bytes(digest[:8], "big") / 2**64
    if number < shares.get("valid", 0.0):
        return "valid"
    return "test" if number >= 1 - shares.get("test", 0.0) else "train"
