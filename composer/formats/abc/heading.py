"""The header of a tune, character by character: which values of its fields can be written and lead to a tune."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from composer.api import Mask
from composer.formats.abc.dialect import KEYS, RHYTHMS, TITLE, meter_of, unit_of
from composer.formats.abc.keys import parse_key
from composer.formats.abc.vocabulary import Vocabulary

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
    """Somewhere in the header: `begun` of one of the `texts` of this stage, or `begun` characters of the title."""

    stage: str
    begun: str = ""
    title: int = 0
    meter: str = ""
    hornpipe: bool = False


class Heading:
    """An automaton whose states are numbers, 0 the beginning. There are tunes in `meters`, hornpipes in `hornpipes`.

    Of the `keys` it takes those that can be written; where a `rhythm` is named, it must be there.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        meters: Iterable[str],
        hornpipes: Collection[str],
        keys: Iterable[str] = KEYS,
        rhythm: str = "",
    ) -> None:
        self.vocabulary = vocabulary
        has = vocabulary.has
        keys = [key for key in keys if parse_key(key) is not None and has(f"K:{key}\n")]
        units = {meter: _unit(meter) for meter in meters}
        usable = [meter for meter, unit in units.items() if keys and has(f"M:{meter}\nL:{unit}\n")]
        lines = tuple(f"M:{meter}\n" for meter in usable)
        swung = tuple(line for line in lines if line[2:-1] in HORNPIPE_METERS and line[2:-1] in hornpipes)
        names = [rhythm] if rhythm else RHYTHMS
        rhythms = tuple(f"R:{name}\n" for name in names if has(f"R:{name}\n") and (swung or name != HORNPIPE))
        titles = [chr(code) for code in range(32, 127) if TITLE.fullmatch(chr(code)) and has(chr(code))]
        self.keys, self.meters = tuple(keys), tuple(usable)
        self.rhythms = tuple(line[2:-1] for line in rhythms)
        self.blank = vocabulary.bits(" ")
        self.letters = vocabulary.bits(titles) & ~self.blank
        self.newline = vocabulary.bits("\n")
        opening = lines and (rhythms if rhythm else (*lines, *rhythms))
        self.texts = {
            "opening": (*opening, *(("T:",) if opening and self.letters and self.newline else ())),
            "titled": opening,
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
        if not place.title or place.begun == " ":
            return mask
        return mask | self.newline | (self.blank if place.title < LONGEST_TITLE - 1 else 0)

    def step(self, state: int, character: str) -> int | Headed:
        """The state after an allowed character; what was read where the header is over."""
        place = self._places[state]
        begun = place.begun + character
        if place.stage == "title":
            ended = character == "\n"
            return self._number(_Place("titled") if ended else _Place("title", character, place.title + 1))
        if begun not in self.texts[place.stage]:
            return self._number(place._replace(begun=begun))
        if begun == "T:":
            return self._number(_Place("title"))
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
            if self.allowed(state) & self.newline:
                return "\n"
            return self.vocabulary.characters[self.letters.bit_length() - 2]
        texts = (text for text in self.texts[place.stage] if text.startswith(place.begun) and text != "T:")
        return min(texts, key=lambda text: (text[0] == "R", len(text)), default="T:")[len(place.begun)]

    def _number(self, place: _Place) -> int:
        number = self._numbers.setdefault(place, len(self._places))
        if number == len(self._places):
            self._places.append(place)
        return number


def _unit(meter: str) -> str:
    time = meter_of(meter)
    assert time is not None
    return unit_of(time)
