"""The dances that rhythms are: which meters they are in, and which words of a title name them.

Nothing of this is a rule of the dialect, whose tunes come from collections that label them as they like. It holds where
a player asks for a dance, or for a meter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import NamedTuple

from composer.formats.abc.dialect.tables import METERS

__all__ = ["DANCES", "Dance", "TitleDances", "dances_in"]

_COMMON = ("4/4", "2/2")


class Dance(NamedTuple):
    """The `meters` of a dance, and how `words` begin that name it: as soon as they can hardly be others."""

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
"""Those of `dialect.RHYTHMS`. A hornpipe in 3/2 is another, older dance, and has no swing."""


def dances_in(meter: str) -> tuple[str, ...]:
    """The rhythms that a tune in `meter` may have."""
    return tuple(name for name, dance in DANCES.items() if meter in dance.meters)


class TitleDances:
    """What a title may say so that it names none but the dances `rhythms`.

    What a title said is remembered as its end, as far as a word that is refused may begin with that: a string of small
    letters, a blank standing for whatever is no letter.
    """

    def __init__(self, rhythms: Collection[str]) -> None:
        others = {word for name, dance in DANCES.items() if name not in rhythms for word in dance.words}
        # a slip jig may be called a jig
        self._other_dances = tuple(f" {word}" for word in others if not any(word in name for name in rhythms))
        self._begun = {word[:end] for word in self._other_dances for end in range(len(word))} | {""}
        self.rejects = cache(self._rejects)
        self.tails = tuple(f" {name.title()}" for name in rhythms)
        """What may follow `--`, with which titles give their dance."""

    def advance(self, before: str, character: str) -> str:
        """What is remembered after `character`; at the beginning it is a blank."""
        said = before + _plain(character)
        return next(said[begin:] for begin in range(len(said) + 1) if said[begin:] in self._begun)

    def _rejects(self, said: str, character: str) -> bool:
        return (said + _plain(character)).endswith(self._other_dances)


def _plain(character: str) -> str:
    return character.lower() if character.isalpha() else " "
