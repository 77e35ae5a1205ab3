"""A range of pitches as a user writes it."""

from __future__ import annotations

from composer.api import OptionError


def pitches(text: str) -> tuple[int, int]:
    """The lowest and highest pitch that `21-108` names. Raises OptionError."""
    low, dash, high = text.partition("-")
    try:
        lowest, highest = int(low), int(high)
    except ValueError:
        lowest = highest = -1
    if not dash or not 0 <= lowest <= highest <= 127:
        raise OptionError(
            f"there are no pitches in a range of `{text}`", "give two MIDI numbers from 0 to 127, such as 21-108"
        )
    return lowest, highest
