"""Round trips: read music, encode, decode, write each format and read it again.

    python tests/bench/readers/roundtrips.py grid corpus:essenFolksong/erk*
    python tests/bench/readers/roundtrips.py pianoroll nottingham/ --formats midi

For each format of a representation, print how many pieces have the same notes on the grid afterward, how many have
others, and how many were rejected, by reason, with the first places.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from composer.api import ComposerError, Note, Piece, RejectedPiece, Representation, Source, Step
from composer.data import corpus
from composer.formats import format_named, write
from composer.registry import options
from composer.registry import plugins as registry

SAME = "same notes"
EXAMPLES = 3


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("representation")
    arguments.add_argument("paths", nargs="+")
    arguments.add_argument("-o", "--option", action="append", default=[])
    arguments.add_argument("--formats", nargs="*")
    given = arguments.parse_args()
    kind = registry.representation(given.representation)
    representation = kind(options.parse(kind.Options, given.option, kind.name))
    read = corpus.read(representation, given.paths)
    representation.fit(read.pieces)
    print(f"{kind.name}: {len(read.pieces):,} pieces read, {len(read.unreadable)} files unreadable")
    for reason, count in read.rejected.counts.items():
        print(f"  {count:6,}  rejected: {reason} ({read.rejected.places[reason][0]})")
    for name in given.formats or kind.formats:
        found: dict[str, list[str]] = {}
        for piece in read.pieces:
            found.setdefault(outcome(representation, piece, name), []).append(piece.source)
        print(f"  {name}:")
        for result, places in sorted(found.items(), key=lambda each: -len(each[1])):
            print(f"  {len(places):6,}  {result}" + (f" ({', '.join(places[:EXAMPLES])})" if result != SAME else ""))


def outcome(representation: Representation, piece: Piece, name: str) -> str:
    """Return the outcome of a round trip through the format `name`."""
    steps = representation.encode(piece)
    decoded = representation.decode(steps)
    if notes(representation, decoded) != notes(representation, piece):
        return "decoded differently"
    try:
        again = next(
            iter(representation.read(Source(Path(f"again{suffix(name)}"), data=written(representation, steps, name))))
        )
    except ComposerError as error:
        return f"not written: {error.message}"
    if isinstance(again, RejectedPiece):
        return f"rejected when read again: {again.reason}"
    return SAME if notes(representation, again) == notes(representation, piece) else "different"


def written(representation: Representation, steps: Sequence[Step], name: str) -> bytes:
    """Return the piece of `steps` in the format `name`."""
    if name == representation.native:
        decoder = representation.decoder(1)
        events = [event for step in steps for event in decoder.push(step)]
        return "".join(map(str, [*events, *decoder.finish()])).encode()
    score = representation.score(representation.decode(steps))
    assert score is not None
    return write(name, score)


def notes(representation: Representation, piece: Piece) -> Sequence[Note]:
    """Return the notes of a piece."""
    score = representation.score(piece)
    assert score is not None
    return score.notes


def suffix(name: str) -> str:
    """Return the usual suffix of a format."""
    return format_named(name).suffixes[0]


if __name__ == "__main__":
    main()
