"""Primers that are complete tunes: how many bars they have, and how more can follow."""

from __future__ import annotations

from composer.api import Unsatisfiable
from composer_abc.plans import USUAL_PART, Counters, parts_of

END_DROPPED = "dropped the final `|]` to continue the tune"
DOUBLE_BAR_CHANGED = "changed the final `||` to `|]`, as the tune ends there"


def bars_begun(counters: Counters) -> int:
    """Return the number of bars that a primer begins, without its pickup: the short last bar completes that."""
    position, part, complete = last = counters[-1]
    entered = next(at for at, (_, each, _) in enumerate(counters) if each == part)
    has_begun = any(each != last for each in counters[entered:])  # a part with a pickup begins inside a bar
    return sum(parts_of(counters)) + complete + (position > 0 and has_begun)


def check_bars(counters: Counters, bars: int) -> None:
    """Raise Unsatisfiable if a primer has more than this number of bars, 0 for any."""
    begun = bars_begun(counters)
    if 0 < bars < begun:
        raise Unsatisfiable(
            f"--bars {bars} contradicts the primer, which has {begun} bars",
            f"use {longer(counters)} to continue it",
            flags=("--bars",),
        )


def longer(counters: Counters) -> str:
    """Return the option that adds a part of the usual length to a primer."""
    return f"--bars {bars_begun(counters) + USUAL_PART}"


def opened(text: str, counters: Counters, bars: int) -> tuple[str, str]:
    """Return a primer so that a tune of this number of bars can begin with it, 0 for any, and what was dropped."""
    begun = bars_begun(counters)
    if is_closed(text) and bars > begun:
        return text.rstrip("\n").removesuffix("]"), END_DROPPED
    written = text.rstrip("\n")
    if bars == begun and written.endswith("||"):
        return written.removesuffix("|"), DOUBLE_BAR_CHANGED
    if bars == begun and written.endswith("|") and not written.endswith(":|"):
        return written, ""  # the last bar line becomes `|]`
    return text, ""


def is_closed(text: str) -> bool:
    """Return whether a tune ends with `|]`, which nothing follows."""
    return text.rstrip("\n").endswith("|]")
