"""A primer: the opening that the user gives, as steps to go on from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from composer.api import Piece, ReadError, RejectedPiece, Representation, Source, Step
from composer.cli import inputs
from composer.cli.console import Console


class Opening(NamedTuple):
    """What to go on from: its steps, and the labels of the piece that they begin."""

    steps: tuple[Step, ...] = ()
    labels: Mapping[str, str] = {}


def given(
    representation: Representation, console: Console, file: str | None = None, text: str | None = None
) -> Opening:
    """The opening in a file (`-` for stdin) or a text; an empty one where there is neither.

    Music that the representation does not read goes through a score; what that loses is said. Raises ReadError where
    there is nothing, or no music, in it, EncodeError, naming the symbols, where the model has never seen such.
    """
    if text is None and file is None:
        return Opening()
    piece, steps = _first(representation, console, _source(console, file, text, fragment=True))
    return Opening(steps, piece.labels)


def whole(representation: Representation, console: Console, file: str | None = None, text: str | None = None) -> Piece:
    """The whole piece in a file or a text, of which something is to be kept. Raises as `given` does."""
    return _first(representation, console, _source(console, file, text, fragment=False))[0]


def _source(console: Console, file: str | None, text: str | None, *, fragment: bool) -> Source:
    """What is given, read once: of a pipe, nothing is left for a second time. Raises ReadError where it is empty."""
    if text is not None:
        name, data = "--prime-text", text.encode("utf-8", "surrogateescape")
    elif file == "-":
        name, data = "stdin", console.read_bytes()
    else:
        assert file is not None
        name, data = file, Source(Path(file), name=file).bytes()
    if not data:
        raise ReadError(
            f"{name} is empty: there is nothing to go on from",
            "give an opening of a few notes; in a pipe, see what became of the command before it",
        )
    return Source(Path("-" if file == "-" else name), name=name, data=data, fragment=fragment)


def _first(representation: Representation, console: Console, source: Source) -> tuple[Piece, tuple[Step, ...]]:
    """The first piece of `source` and its steps; that there are more, and what it loses, is said."""
    pieces = inputs.pieces(
        source, representation, representation.primer_from_score if source.fragment else None, _empty
    )
    piece = next(pieces)
    steps = tuple(representation.prime(piece))
    for phrase, count in representation.losses(piece).items():
        console.say(f"of {source.label}: {count:,} {phrase}")
    if next(pieces, None) is not None:
        console.say(f"there are more pieces in {source.label}; the first is taken")
    return piece, steps


def _empty(source: Source, representation: Representation, refused: RejectedPiece | None) -> ReadError:
    if refused is None:
        return ReadError(f"there is nothing in {source.label} to go on from", "give an opening of a few notes")
    place = f" ({refused.detail})" if refused.detail else ""
    return ReadError(f"cannot go on from {source.label}: {refused.reason}{place}", "mend it, or give another opening")
