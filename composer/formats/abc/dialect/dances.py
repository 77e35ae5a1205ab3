"""The dances behind the rhythms of `R:`: their meters, and the words that name them in titles.

The dialect itself does not require this, since collections label tunes as they like. It applies when a player asks for
a rhythm or a meter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import NamedTuple

from composer.formats.abc.dialect.tables import METERS

_COMMON = ("4/4", "2/2")


class Dance(NamedTuple):
    """The `meters` of a dance, and prefixes of the `words` that name it, long enough to be unmistakable."""

    meters: tuple[str, ...]
    words: tuple[str, ...]


DANCES: Mapping[str, Dance] = {
    "slip jig": Dance(("9/8",), ("slip j", "hop j")),
    "jig": Dance(("6/8",), ("jig",)),
    "reel": Dance(_COMMON, ("reel",)),
    "hornpipe": Dance(("2/4", "4/4"), ("hornp", "horn p")),
    "strathspey": Dance(_COMMON, ("straths",)),
    "highland fling": Dance(_COMMON, ("fling", "highland sch")),
    "clog": Dance((*_COMMON, "2/4"), ("clog",)),
    "waltz": Dance(("3/4",), ("waltz", "valse")),
    "polka": Dance(("2/4",), ("polk",)),
    "mazurka": Dance(("3/4",), ("mazu",)),
    "schottische": Dance((*_COMMON, "2/4"), ("schot",)),
    "slide": Dance(("12/8",), ("slide",)),
    "march": Dance(METERS, ("march", "quicks", "quick s", "retrea")),
    "minuet": Dance(("3/4",), ("minue", "menue")),
    "gavotte": Dance(_COMMON, ("gavo",)),
    "cotillion": Dance(("6/8", "2/4", *_COMMON), ("cotil",)),
    "quadrille": Dance(("6/8", "2/4"), ("quadri",)),
    "air": Dance(METERS, ("air",)),
    "lament": Dance(METERS, ("lamen",)),
    "walkaround": Dance(("2/4", *_COMMON), ("walka", "walk a")),
    "barndance": Dance(_COMMON, ("barnd", "barn d")),
    "planxty": Dance(METERS, ("planx",)),
}
"""By the rhythms of `tables.RHYTHMS`. A hornpipe in 3/2 is another, older dance without swing."""


def dances_in(meter: str) -> tuple[str, ...]:
    """Return the rhythms that a tune in `meter` may have."""
    return tuple(name for name, dance in DANCES.items() if meter in dance.meters)


class TitleDances:
    """Titles that name no dances but `rhythms`, as an automaton over characters.

    Its state is the longest end of the title so far that a forbidden word may start with, in lower case, with blanks
    for everything but letters; a blank at the start.
    """

    def __init__(self, rhythms: Collection[str]) -> None:
        others = {word for name, dance in DANCES.items() if name not in rhythms for word in dance.words}
        # a slip jig may be called a jig
        self._other_dances = tuple(f" {word}" for word in others if not any(word in name for name in rhythms))
        self._prefixes = {word[:end] for word in self._other_dances for end in range(len(word))} | {""}
        self.rejects = cache(self._rejects)
        self.tails = tuple(f" {name.title()}" for name in rhythms)
        """The dances that a title may name after `--`."""

    def advance(self, state: str, character: str) -> str:
        text = state + _plain(character)
        return next(text[start:] for start in range(len(text) + 1) if text[start:] in self._prefixes)

    def _rejects(self, state: str, character: str) -> bool:
        return (state + _plain(character)).endswith(self._other_dances)


def _plain(character: str) -> str:
    return character.lower() if character.isalpha() else " "
