"""The header of a tune, character by character: which values of its fields can be written and lead to a tune."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache
from typing import NamedTuple

from composer.api import Mask
from composer.formats.abc.dialect.dances import Naming
from composer.formats.abc.dialect.tables import KEYS, RHYTHMS, TITLE, meter_of, unit_of
from composer.formats.abc.grammar.vocabulary import Vocabulary
from composer.music.keys import parse_key

__all__ = ["Headed", "Heading"]

LONGEST_TITLE = 60

HORNPIPE = "hornpipe"
HORNPIPE_METERS = ("2/4", "4/4")


class Headed(NamedTuple):
    """What the body needs to know of the header."""

    meter: str = ""
    key: str = ""
    hornpipe: bool = False


class _Place(NamedTuple):
    """Somewhere in the header: `begun` of one of the `texts` of this stage.

    In the title, `title` characters of it, of which `begun` is the last where it is a blank or `-`, and `said` what it
    said of dances (see `dances.Naming`).
    """

    stage: str
    begun: str = ""
    title: int = 0
    said: str = " "
    meter: str = ""
    hornpipe: bool = False


class Heading:
    """An automaton whose states are numbers, 0 the beginning. There are tunes in `meters`, hornpipes in `hornpipes`.

    Of the `keys` and `rhythms` it takes those that can be written; where they are `named`, there must be a rhythm. With
    `naming`, a title names no other dances, and after `--` one of those.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        meters: Iterable[str],
        hornpipes: Collection[str],
        keys: Iterable[str] = KEYS,
        rhythms: Iterable[str] = RHYTHMS,
        *,
        named: bool = False,
        naming: Naming | None = None,
    ) -> None:
        self.vocabulary, self.naming = vocabulary, naming
        has = vocabulary.has
        keys = [key for key in keys if parse_key(key) is not None and has(f"K:{key}\n")]
        units = {meter: _unit(meter) for meter in meters}
        usable = [meter for meter, unit in units.items() if keys and has(f"M:{meter}\nL:{unit}\n")]
        lines = tuple(f"M:{meter}\n" for meter in usable)
        swung = tuple(line for line in lines if line[2:-1] in HORNPIPE_METERS and line[2:-1] in hornpipes)
        danced = tuple(f"R:{name}\n" for name in rhythms if has(f"R:{name}\n") and (swung or name != HORNPIPE))
        titles = [chr(code) for code in range(32, 127) if TITLE.fullmatch(chr(code)) and has(chr(code))]
        self.keys, self.meters = tuple(keys), tuple(usable)
        self.rhythms = tuple(line[2:-1] for line in danced)
        self.blank = vocabulary.bits(" ")
        self.letters = vocabulary.bits(titles) & ~self.blank
        self.newline = vocabulary.bits("\n")
        opening = lines and (danced if named else (*lines, *danced))
        tails = () if naming is None else tuple(f"{tail}\n" for tail in naming.tails if has(f"{tail}\n"))
        self._longest_tail = max(map(len, tails), default=LONGEST_TITLE) - 1
        self._refused = cache(self._find_refused)
        self.texts = {
            "opening": (*opening, *(("T:",) if opening and self.letters and self.newline else ())),
            "titled": opening,
            "tail": tails,
            "rhythm": lines,
            HORNPIPE: swung,
        }
        for meter in usable:
            self.texts[meter] = tuple(f"L:{units[meter]}\nK:{key}\n" for key in keys)
        self._places = [_Place("opening")]
        self._numbers = {self._places[0]: 0}

    def allowed(self, state: int) -> Mask:
        """What may come next; nothing where there is no tune in any meter."""
        place = self._places[state]
        if place.stage != "title":
            begun = place.begun
            texts = self.texts[place.stage]
            return self.vocabulary.bits({text[len(begun)] for text in texts if text.startswith(begun)})
        mask = self.letters if place.title < LONGEST_TITLE else 0
        if place.title and place.begun != " ":
            mask |= self.newline | (self.blank if place.title < LONGEST_TITLE - 1 else 0)
        if self.naming is None:
            return mask
        dash = place.begun == "-" and place.title + self._longest_tail >= LONGEST_TITLE
        return mask & ~(self._refused(place.said) | (self.vocabulary.bits("-") if dash else 0))

    def step(self, state: int, character: str) -> int | Headed:
        """The state after an allowed character; what was read where the header is over."""
        place = self._places[state]
        begun = place.begun + character
        if place.stage == "title":
            return self._number(self._titled(place, character))
        if begun not in self.texts[place.stage]:
            return self._number(place._replace(begun=begun))
        if begun == "T:" or place.stage == "tail":
            return self._number(_Place("title" if begun == "T:" else "titled"))
        if begun[0] == "R":
            hornpipe = begun[2:-1] == HORNPIPE
            return self._number(_Place(HORNPIPE if hornpipe else "rhythm", hornpipe=hornpipe))
        if begun[0] == "M":
            return self._number(_Place(begun[2:-1], meter=begun[2:-1], hornpipe=place.hornpipe))
        return Headed(place.meter, begun.rpartition(":")[2][:-1], place.hornpipe)

    def ending(self, state: int) -> str:
        """The next character on the shortest way to the body."""
        place = self._places[state]
        if place.stage == "title":
            mask = self.allowed(state)
            return "\n" if mask & self.newline else self.vocabulary.characters[mask.bit_length() - 2]
        texts = (text for text in self.texts[place.stage] if text.startswith(place.begun) and text != "T:")
        return min(texts, key=lambda text: (text[0] == "R", len(text)), default="T:")[len(place.begun)]

    def _titled(self, place: _Place, character: str) -> _Place:
        """After one more character of the title."""
        if character == "\n":
            return _Place("titled")
        begun, said = character if character in " -" else "", " "
        if self.naming is not None:
            if place.begun == begun == "-":
                return _Place("tail")
            said = self.naming.said(place.said, character)
        return _Place("title", begun, place.title + 1, said)

    def _find_refused(self, said: str) -> Mask:
        """The characters of titles with which they would name another dance, after they `said` something."""
        assert self.naming is not None
        return self.vocabulary.bits(each for each in self.vocabulary.characters if self.naming.refuses(said, each))

    def _number(self, place: _Place) -> int:
        number = self._numbers.setdefault(place, len(self._places))
        if number == len(self._places):
            self._places.append(place)
        return number


def _unit(meter: str) -> str:
    time = meter_of(meter)
    assert time is not None
    return unit_of(time)
