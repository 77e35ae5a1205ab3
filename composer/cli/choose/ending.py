"""End a piece that is kept before its end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from composer.api import Constraint, EncodeError, Piece, Representation, Step, Unsatisfiable
from composer.cli.choose.phrases import header_of

_BAR_LINES = frozenset("|:] \n")
_REPEAT_SIGN = re.compile(r"\|:|:\|")

COMPLETED = "completed the last bar, since a tune cannot end within a bar"
CUT_REPEAT = "the repeat ends where you finished, so its last bar may not fit its pickup"


class Ending(NamedTuple):
    """A piece with its end, and a `note` on what else was changed; empty if nothing was."""

    steps: tuple[Step, ...]
    note: str = ""


def ended(representation: Representation, constraint: Constraint, steps: tuple[Step, ...]) -> Ending:
    """Return steps with a shortest valid ending, if there is one; in ABC, without further bars."""
    text = representation.text(representation.decode(steps)) if representation.native == "abc" else ""
    if not header_of(text) or len(text) != len(steps):
        return Ending((*steps, *_ending(constraint, steps)))
    note = ""
    if text[-1] not in _BAR_LINES and (rest := _ending(constraint, steps)):
        added = re.match(r"[^|:]*", representation.text(representation.decode(rest)))
        assert added is not None
        steps, note = (*steps, *rest[: added.end()]), COMPLETED if added[0] else ""
    return _closed(representation, constraint, steps, note)


def _closed(representation: Representation, constraint: Constraint, steps: tuple[Step, ...], note: str) -> Ending:
    """Return a tune with a bar line that ends it: one that the dialect allows there, failing that the usual one."""
    for beginning in (steps, steps[:-1]):  # the last bar line may become a repeat sign
        ending = _ending(constraint, beginning)
        if ending and _BAR_LINES.issuperset(representation.text(representation.decode(ending))):
            return Ending((*beginning, *ending), note)
    text = representation.text(representation.decode(steps)).rstrip().removesuffix("|:").rstrip()
    signs = _REPEAT_SIGN.findall(text[len(header_of(text)) :])
    repeats = signs[-1:] == ["|:"]
    if not text.endswith((":|", "|]")):
        text = text.rstrip("|") + (":|" if repeats else "|]")
    try:
        return Ending(tuple(representation.prime(Piece(f"{text}\n"))), note or CUT_REPEAT * repeats)
    except EncodeError:  # a model of tunes without such bar lines
        return Ending(steps, note)


def _ending(constraint: Constraint, steps: tuple[Step, ...]) -> Sequence[Step]:
    """Return a shortest ending; empty if there is none."""
    try:
        return constraint.complete(constraint.start(steps))
    except Unsatisfiable:
        return ()
