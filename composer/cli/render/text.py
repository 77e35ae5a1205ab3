"""Numbers in words that agree with them, names in a row, and values as they are given."""

from __future__ import annotations

from collections.abc import Sequence


def count_noun(number: int, noun: str) -> str:
    """`1 piece`, `2,000 pieces`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def join_names(names: Sequence[str]) -> str:
    """`abc`, `abc and grid`, `abc, grid and pianoroll`."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def as_option_value(value: object) -> str:
    """An option's value as it is given on the command line."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
