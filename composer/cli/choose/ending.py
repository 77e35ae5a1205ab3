"""End a piece that is kept before its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from composer.api import Constraint, Representation, Step, Unsatisfiable
from composer.cli.choose.phrases import header_of


def ended(representation: Representation, constraint: Constraint, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return steps with a shortest valid ending, if there is one; in ABC, rather without further rests."""
    is_abc = representation.native == "abc"
    found: list[tuple[bool, int, tuple[Step, ...]]] = []
    for number, beginning in enumerate(_abc_beginnings(representation, steps) if is_abc else [steps]):
        if ending := _ending(constraint, beginning):
            rests = is_abc and "z" in representation.text(representation.decode(ending))
            found.append((rests, number, (*beginning, *ending)))
    return min(found)[2] if found else steps


def _abc_beginnings(representation: Representation, steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    """Yield a tune as it is, without its last bar line, which may become a repeat sign, and without its last repeat."""
    yield steps
    yield steps[:-1]
    text = representation.text(representation.decode(steps))
    at = text.rfind("|:")
    if at >= len(header_of(text)) > 0 and len(text) == len(steps):
        yield (*steps[:at], *steps[at + len("|:") :])


def _ending(constraint: Constraint, steps: tuple[Step, ...]) -> Sequence[Step]:
    """Return a shortest ending; empty if there is none."""
    try:
        return constraint.complete(constraint.start(steps))
    except Unsatisfiable:
        return ()
