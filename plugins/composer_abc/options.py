"""The options of the abc representation: how tunes are represented."""

from __future__ import annotations

from dataclasses import dataclass

from composer.api import OptionError
from composer.api.fields import invalid_value, option

_TEXT_KINDS = ("dialect", "raw")


@dataclass(frozen=True, slots=True)
class AbcOptions:
    """How tunes are represented."""

    text: str = option(
        "dialect", "`dialect` rewrites tunes in a regular style; `raw` keeps the text, split at blank lines"
    )

    positions: bool = option(
        False, "give the model the position in the bar, the bar number, the part, and how many bars of it are left"
    )

    def __post_init__(self) -> None:
        if self.text not in _TEXT_KINDS:
            raise invalid_value("`text`", self.text, f"use {' or '.join(_TEXT_KINDS)}")
        if self.positions and self.text == "raw":
            raise OptionError("`positions=on` cannot be combined with `text=raw`", "leave out -O positions or -O text")
