"""Primers that are complete tunes: how many bars they have, and how more can follow."""

from __future__ import annotations

from composer.api import Unsatisfiable
from composer_abc.plans import USUAL_PART, Counters, parts_of

END_DROPPED = "dropped the final `|]` to continue the tune"


def bars_begun(counters: Counters) -> int:
    """Return the number of bars that a primer begins, without its pickup: the short last bar completes that."""
    position, _, complete = counters[-1]
    return sum(parts_of(counters)) + complete + (position > 0)


def check_bars(counters: Counters, bars: int) -> None:
    """Raise Unsatisfiable if a primer has more than this number of bars, 0 for any."""
    begun = bars_begun(counters)
    if 0 < bars < begun:
        raise Unsatisfiable(
            f"--bars {bars} contradicts the primer, which has {begun} bars", f"use {longer(counters)} to continue it"
        )


def longer(counters: Counters) -> str:
    """Return the option that adds a part of the usual length to a primer."""
    return f"--bars {bars_begun(counters) + USUAL_PART}"


def opened(text: str, counters: Counters, bars: int) -> tuple[str, str]:
    """Return a primer so that a tune of this number of bars can begin with it, 0 for any, and what was dropped."""
    begun = bars_begun(counters)
    if is_closed(text) and bars > begun:
        return text.rstrip("\n").removesuffix("]"), END_DROPPED
    if bars == begun and text.endswith("|\n") and not text.endswith((":|\n", "||\n")):
        return text.removesuffix("\n"), ""  # the last bar line becomes `|]`
    return text, ""


def is_closed(text: str) -> bool:
    """Return whether a tune ends with `|]`, which nothing follows."""
    return text.rstrip("\n").endswith("|]")
