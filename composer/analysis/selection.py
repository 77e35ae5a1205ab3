"""Select the pieces of one part of a split to evaluate, and count those that are copies of training pieces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from composer.api import Piece, ReadError, Representation
from composer.checkpoints.file import Header
from composer.data.copies import copy_key_of, melody_key, moved_note
from composer.data.splits import SplitPieces, SplitSettings, listed_pieces, moves_copies, split_pieces, training_pieces
from composer.music.contour import MelodyCollection


class Selection(NamedTuple):
    """The selected pieces.

    `moved` counts the held-out pieces of the model's split that are for training, since they are copies of training
    pieces; `copies` counts the selected pieces that are copies nevertheless.
    """

    pieces: Sequence[Piece]
    moved: int = 0
    copies: int = 0

    def notes(self) -> list[str]:
        """Return a line for the user about each number that is not 0."""
        found = [moved_note(self.moved)] if self.moved else []
        if self.copies:
            pieces = "1 piece has" if self.copies == 1 else f"{self.copies:,} pieces have"
            better = "so the result is better than on new music"
            found.append(f"{pieces} the melody or text of a training piece, {better}")
        return found


def select_pieces(
    header: Header,
    representation: Representation,
    melodies: MelodyCollection | None,
    pieces: Sequence[Piece],
    listing: Path | None,
    part: str | None,
) -> Selection:
    """Return the pieces of one part of a split; all of them if neither `listing` nor `part` is given.

    The file `listing` assigns the parts (`test` by default), else the shares in the `header` of the model, as in its
    training. Pieces with one of `melodies`, those of the model's training data, are copies, and so are pieces of which
    the split has a copy for training. Raises ReadError if there are no pieces, or no shares.
    """
    selected, moved, training = pieces, 0, list[Piece]()
    if listing is not None:
        part = part or "test"
        selected = listed_pieces(listing, part, pieces)
        training = training_pieces(listing, pieces)
    elif part is not None:
        split = _split_by_shares(header, representation, pieces, part)
        selected, moved = split.pieces[part], split.moved
        training = split.pieces["train"] if split.copies else []
    copies = 0 if part == "train" else _count_copies(representation, melodies, training, selected)
    return Selection(selected, moved, copies)


def _split_by_shares(header: Header, representation: Representation, pieces: Sequence[Piece], part: str) -> SplitPieces:
    """Split pieces as in the training of the model. Raises ReadError if there are none in `part`, or no shares."""
    shares = header.record.get("split", {})
    if not all(isinstance(shares.get(name), float | int) for name in ("valid", "test")):
        raise ReadError("the model does not record which pieces are in which part", "give a list of them: --split FILE")
    settings = SplitSettings(valid=shares["valid"], test=shares["test"])
    split = split_pieces(settings, representation, pieces, move_copies=moves_copies(header.record))
    if not split.pieces[part]:
        others = " or ".join(name for name, found in split.pieces.items() if found)
        raise ReadError(f"no pieces in part `{part}` of the model's split", f"use --part {others}")
    return split


def _count_copies(
    representation: Representation,
    melodies: MelodyCollection | None,
    training: Sequence[Piece],
    selected: Sequence[Piece],
) -> int:
    """Return how many of the `selected` pieces have one of `melodies`, or are copies of `training` pieces."""
    known = {key for _, notes in melodies or () if (key := melody_key(notes)) is not None}
    known.update(copy_key_of(piece, representation) for piece in training)
    return sum(copy_key_of(piece, representation) in known for piece in selected) if known else 0
