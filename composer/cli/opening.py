"""A primer: the opening that the user gives, as steps to go on from."""

from __future__ import annotations

from pathlib import Path

from composer.api import Piece, ReadError, Refused, Representation, Source, Step
from composer.cli import music
from composer.cli.console import Console


def steps(
    representation: Representation, console: Console, file: str | None = None, text: str | None = None
) -> tuple[Step, ...]:
    """The steps of the opening in a file (`-` for stdin) or a text; none where there is neither.

    Music in a file of another kind than the representation reads goes through a score; what that loses is said. Raises
    ReadError where there is no music in it, EncodeError, naming the symbols, where the model has never seen such.
    """
    if text is not None:
        source = Source(
            Path("--prime-text"), name="--prime-text", data=text.encode("utf-8", "surrogateescape"), fragment=True
        )
    elif file == "-":
        source = Source(Path("-"), name="stdin", data=console.read_bytes(), fragment=True)
    elif file is not None:
        source = Source(Path(file), name=file, fragment=True)
    else:
        return ()
    piece = _piece(representation, source)
    steps = tuple(representation.prime(piece))
    for phrase, count in representation.losses(piece).items():
        console.say(f"of {source.label}: {count:,} {phrase}")
    return steps


def _piece(representation: Representation, source: Source) -> Piece:
    """The first piece in `source`."""
    if _is_other(source, representation):
        return representation.from_score(next(music.playable(source)))
    refused = None
    for item in representation.read(source):
        if isinstance(item, Piece):
            return item
        refused = refused or item
    raise _empty(source, refused)


def _empty(source: Source, refused: Refused | None) -> ReadError:
    if refused is None:
        return ReadError(f"there is nothing in {source.label} to go on from", "give an opening of a few notes")
    place = f" ({refused.detail})" if refused.detail else ""
    return ReadError(f"cannot go on from {source.label}: {refused.reason}{place}", "mend it, or give another opening")


def _is_other(source: Source, representation: Representation) -> bool:
    """True for a file of music of another kind than the representation can read itself."""
    if source.data is not None:
        return source.data[:4] in {b"MThd", b"RIFF"} and ".mid" not in representation.suffixes
    return Path(source.path).suffix.lower() in music.suffixes() - set(representation.suffixes)
