"""Spaces and blank lines of texts: how many in a row the training data has, and the constraint that has no more."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple, Self

from composer.api import Constraint, Mask
from composer.toolkit.representations.wrapped_constraint import WrappedConstraint

RARE = 100
"""What only one of so many pieces has, such as the columns of a page of contents, is no layout of the others."""

_RUN = 8
"""Bits of a run in a state; longer ones are not limited."""
_CAP = (1 << _RUN) - 1

_PATTERNS = {
    "indent": re.compile(r"^[^\S\n]+(?=\S)", re.MULTILINE),
    "gap": re.compile(r"(?<=\S)[^\S\n]+(?=\S)"),
    "line_feeds": re.compile(r"\n(?:[^\S\n]*\n)*"),
}


class Layout(NamedTuple):
    """The longest runs: of spaces before a line and within it, and of line feeds with only spaces between them."""

    indent: int
    gap: int
    line_feeds: int

    @classmethod
    def restore(cls, state: Mapping[str, int]) -> Self:
        """Return the layout that `state` is the dictionary of."""
        return cls(**{name: int(state[name]) for name in cls._fields})


class LayoutCounter:
    """Collects the longest runs of each piece."""

    def __init__(self) -> None:
        self._longest = {name: Counter[int]() for name in Layout._fields}

    def add(self, text: str) -> None:
        """Count the runs of one piece."""
        for name, counter in self._longest.items():
            runs = set(_PATTERNS[name].findall(text))
            if runs:
                counter[max(run.count("\n") if name == "line_feeds" else len(run) for run in runs)] += 1

    def layout(self) -> Layout:
        """Return the longest runs that one in RARE of the pieces with such runs has."""
        return Layout(**{name: _common(counter) for name, counter in self._longest.items()})


def _common(longest: Counter[int]) -> int:
    """Return the longest run that one in RARE pieces has, or one piece, if they are fewer; 0 if there is none."""
    left = max(1, longest.total() // RARE)
    for run in sorted(longest, reverse=True):
        left -= longest[run]
        if left <= 0:
            return run
    return 0


class LayoutConstraint(WrappedConstraint):
    """The texts of `inner`, sampled without longer runs of spaces and line feeds than `layout` has.

    `characters` are those of the tokens from `first` on. Primers are exempt. The own part of a state is the line feeds
    since the last character that is no space, above the spaces since the last that is none, above whether the line has
    a character that is none.
    """

    own_bits = 2 * _RUN + 1

    def __init__(self, inner: Constraint, layout: Layout, characters: str, first: int) -> None:
        super().__init__(inner)
        self._layout = layout
        self._free = 1 if layout.gap and layout.line_feeds else -1
        self._line_feed = characters.find("\n") + first if "\n" in characters else -1
        spaces = [number for number, each in enumerate(characters, first) if each.isspace() and each != "\n"]
        self._spaces, self._space_mask = frozenset(spaces), sum(1 << number for number in spaces)

    def allowed(self, state: int) -> Mask:
        inner, own = self.parts(state)
        mask = self.inner.allowed(inner)
        assert isinstance(mask, int)
        if own == self._free or not mask & mask - 1:  # within a word, or no choice
            return mask
        line_feeds, spaces, in_line = own >> _RUN + 1, own >> 1 & _CAP, own & 1
        refused = 0
        if spaces >= (self._layout.gap if in_line else self._layout.indent):
            refused = self._space_mask
        if line_feeds >= self._layout.line_feeds and self._line_feed >= 0:
            refused |= 1 << self._line_feed
        return mask & ~refused or mask

    def own_step(self, own: int, step: int) -> int:
        if step == self._line_feed:
            return min((own >> _RUN + 1) + 1, _CAP) << _RUN + 1
        if step in self._spaces:
            return own if (own >> 1 & _CAP) == _CAP else own + 2
        return 1
