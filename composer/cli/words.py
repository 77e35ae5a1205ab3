"""Numbers in words that agree with them."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`1 piece`, `2,000 pieces`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
