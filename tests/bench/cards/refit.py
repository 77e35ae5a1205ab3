"""Fit the representation of a trained model to its training data again, and change nothing else in its file.

    python tests/bench/cards/refit.py MODEL.safetensors [DATA...] [--accept NAME...]

It is for models whose representation now keeps more of its training data than when they were trained. DATA is by
default what the model's record names. The shape of its sequences must stay the same, and so must what the
representation kept before, except for the names after --accept: with other plans, for example, older pieces could not
be reproduced. Then write the model's card again with `python tests/bench/cards`: the digest of its file changes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from composer.api import Piece, ReadError, Representation
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints.file import Header
from composer.checkpoints.load import restore_representation
from composer.data.sources import sources
from composer.data.splits import SplitSettings, moves_copies, split_pieces


def main() -> None:
    """Change the file, and print what its representation keeps now."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("data", nargs="*", metavar="DATA")
    parser.add_argument("--accept", nargs="+", default=[], metavar="NAME", help="what may change of the old state")
    given = parser.parse_args()
    saved = checkpoint_file.load(given.model, half=True)
    header = refitted(saved.header, given.model, given.data or saved.header.record["data"], given.accept)
    checkpoint_file.save(given.model, replace(saved, header=header))
    print(f"new in {given.model.name}: {', '.join(header.state.keys() - saved.header.state.keys()) or 'nothing'}")


def refitted(header: Header, path: Path, data: Sequence[str], accept: Sequence[str]) -> Header:
    """Return the header of the model at `path` with the state of its representation fitted to `data` again.

    Exits if more changes of what it kept before than the names in `accept`.
    """
    representation = restore_representation(header, path)
    representation.fit(_training_pieces(header, representation, data))
    state = representation.state()
    changed = [name for name, value in header.state.items() if state.get(name) != value and name not in accept]
    if changed or replace(representation.spec, conditions=header.spec.conditions) != header.spec:
        sys.exit(
            f"{path}: changed are {', '.join(changed) or 'the shape of its sequences'}; was it trained on this data?"
        )
    return replace(header, state=state)


def _training_pieces(header: Header, representation: Representation, data: Sequence[str]) -> Sequence[Piece]:
    """Return the pieces of `data` that the model was trained on, by the shares in its record."""
    split = header.record["split"]
    if not split.keys() <= {"valid", "test"}:
        sys.exit(f"the model was trained with another split than by shares: {split}")
    read, moves = _read(representation, data), moves_copies(header.record)
    return split_pieces(SplitSettings(**split), representation, read, move_copies=moves).pieces["train"]


def _read(representation: Representation, names: Sequence[str]) -> Iterator[Piece]:
    for source in sources(names, representation.suffixes):
        if not isinstance(source, ReadError):
            yield from (piece for piece in representation.read(source) if isinstance(piece, Piece))


if __name__ == "__main__":
    main()
