"""Plans of tunes: the number of bars in each part, as in `8,8`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from composer.api import EncodeError, GenerationContext, Unsatisfiable
from composer.formats.abc.grammar.positions import PositionConstraint

USUAL_PART = 8
"""Bars of a part, if nothing else is known."""

HEADER, BAR = 45, 10
"""Mean characters of a header and a bar in the training data of the bundled model (44.4 and 10.1)."""

FITTED_RULES = 3
"""The first version of the rules by which plans fit the maximum length."""

SHORTEST, SHORT = 80, 150
"""Characters of a header and a few bars of music (with 70, one tune of six is silent), and of a short tune."""

Counters = Sequence[tuple[int, int, int]]
"""Position in the bar, part, and complete bars in it, before each character and after the last."""


def count_positions(constraint: PositionConstraint, steps: Sequence[int], name: str) -> Counters:
    """Follow a tune, without its end, character by character. Raises EncodeError if `constraint` rejects it."""
    state = constraint.start(())
    found = [constraint.counters(state)]
    for number, step in enumerate(steps, 1):
        if not constraint.allowed(state) >> step & 1:
            raise EncodeError(f"character {number} breaks the rules of the dialect", f"look at {name}")
        state = constraint.step(state, step)
        found.append(constraint.counters(state))
    return found


def parts_of(counters: Counters) -> tuple[int, ...]:
    """Return the number of bars in each finished part."""
    return tuple(bar + 1 for (_, part, bar), (_, after, _) in pairwise(counters) if after > part > 0)


def parse_plan(plan: str | None) -> tuple[int, ...]:
    """Return the bars of each part."""
    return tuple(map(int, plan.split(","))) if plan else ()


def as_plan(parts: Sequence[int]) -> str:
    """Return the plan of parts with these numbers of bars."""
    return ",".join(map(str, parts))


def bars_with_room(context: GenerationContext, bars: int) -> int | None:
    """Return for about how many bars after the primer the maximum length has room; None if that does not matter.

    Raises Unsatisfiable if there is no room for a tune of any number of `bars`. Recorded tunes have been generated,
    whatever their length.
    """
    if context.length is not None and context.length < SHORTEST and not (bars or context.primer or context.rules):
        raise Unsatisfiable(
            f"--length {context.length} is too short for a tune, which needs at least {SHORTEST} characters",
            f"leave out --length, or use --length {SHORT}",
            flags=("--length",),
        )
    if context.length is None or bars or (context.rules or FITTED_RULES) < FITTED_RULES:
        return None
    return max(context.length - (len(context.primer) or HEADER), 0) // BAR


def fitting_plans(
    plans: Mapping[str, int],
    finished: Sequence[int],
    begun: int,
    bars: int,
    room: int | None = None,
    *,
    is_closed: bool = False,
) -> Mapping[str, int]:
    """Return those of `plans` that begin with the parts `finished` and then have one of more than `begun` bars.

    With `bars`, they have that many; with `room`, at most so many more. If there is none, return one with parts of the
    usual length, or as long as there is room. A tune that `is_closed` by its last bar line has its own plan, unless
    `bars` differ.
    """
    if is_closed and bars in (0, sum(finished)):
        return {as_plan(finished): 1}
    finished, found = tuple(finished), Counter[str]()
    most = sum(finished) + begun + room if room is not None else None
    for plan, weight in plans.items():
        parts = parse_plan(plan)
        rest = parts[len(finished) :]
        if parts[: len(finished)] == finished and (rest[0] > begun if rest else not begun) and bars in (0, sum(parts)):
            if most is not None and sum(parts) > most:
                continue
            found[plan] += weight
    if found:
        return found
    usual = USUAL_PART if room is None else min(USUAL_PART, begun + room)
    left = (bars - sum(finished)) if bars else max(usual, begun + 1)
    first = min(left, max(USUAL_PART, begun + 1))
    rest = (first, *[USUAL_PART] * ((left - first) // USUAL_PART), (left - first) % USUAL_PART)
    return {as_plan([*finished, *(each for each in rest if each > 0)]): 1}
