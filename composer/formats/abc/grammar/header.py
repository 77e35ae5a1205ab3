"""The header of a tune, character by character: which values of its fields can be written and lead to a tune."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache
from typing import NamedTuple

from composer.api import Mask
from composer.formats.abc.dialect.dances import TitleDances
from composer.formats.abc.dialect.tables import KEYS, RHYTHMS, TITLE, meter_of, unit_of
from composer.formats.abc.grammar.vocabulary import Vocabulary
from composer.music.keys import parse_key

__all__ = ["Header", "HeaderEnd"]

MAX_TITLE_LENGTH = 60

HORNPIPE = "hornpipe"
HORNPIPE_METERS = ("2/4", "4/4")


class HeaderEnd(NamedTuple):
    """What the body needs to know of the header."""

    meter: str = ""
    key: str = ""
    hornpipe: bool = False


class _Position(NamedTuple):
    """Somewhere in the header: `written` of one of the `texts` of this stage.

    In the title, `title` characters of it, of which `written` is the last where it is a blank or `-`, and `title_state`
    what it said of dances (see `dances.Naming`).
    """

    stage: str
    written: str = ""
    title: int = 0
    title_state: str = " "
    meter: str = ""
    hornpipe: bool = False


class Header:
    """An automaton whose states are numbers, 0 the beginning. There are tunes in `meters`, hornpipes in `hornpipes`.

    Of the `keys` and `rhythms` it takes those that can be written; where they are `named`, there must be a rhythm. With
    `title_dances`, a title names no other dances, and after `--` one of those.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        meters: Iterable[str],
        hornpipes: Collection[str],
        keys: Iterable[str] = KEYS,
        rhythms: Iterable[str] = RHYTHMS,
        *,
        rhythm_required: bool = False,
        title_dances: TitleDances | None = None,
    ) -> None:
        self.vocabulary, self.title_dances = vocabulary, title_dances
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
        opening = lines and (danced if rhythm_required else (*lines, *danced))
        tails = () if title_dances is None else tuple(f"{tail}\n" for tail in title_dances.tails if has(f"{tail}\n"))
        self._longest_tail = max(map(len, tails), default=MAX_TITLE_LENGTH) - 1
        self._rejected = cache(self._find_rejected)
        self.texts = {
            "opening": (*opening, *(("T:",) if opening and self.letters and self.newline else ())),
            "titled": opening,
            "tail": tails,
            "rhythm": lines,
            HORNPIPE: swung,
        }
        for meter in usable:
            self.texts[meter] = tuple(f"L:{units[meter]}\nK:{key}\n" for key in keys)
        self._positions = [_Position("opening")]
        self._numbers = {self._positions[0]: 0}

    def allowed(self, state: int) -> Mask:
        """What may come next; nothing where there is no tune in any meter."""
        place = self._positions[state]
        if place.stage != "title":
            begun = place.written
            texts = self.texts[place.stage]
            return self.vocabulary.bits({text[len(begun)] for text in texts if text.startswith(begun)})
        mask = self.letters if place.title < MAX_TITLE_LENGTH else 0
        if place.title and place.written != " ":
            mask |= self.newline | (self.blank if place.title < MAX_TITLE_LENGTH - 1 else 0)
        if self.title_dances is None:
            return mask
        dash = place.written == "-" and place.title + self._longest_tail >= MAX_TITLE_LENGTH
        return mask & ~(self._rejected(place.title_state) | (self.vocabulary.bits("-") if dash else 0))

    def step(self, state: int, character: str) -> int | HeaderEnd:
        """The state after an allowed character; what was read where the header is over."""
        place = self._positions[state]
        begun = place.written + character
        if place.stage == "title":
            return self._number(self._advance_title(place, character))
        if begun not in self.texts[place.stage]:
            return self._number(place._replace(written=begun))
        if begun == "T:" or place.stage == "tail":
            return self._number(_Position("title" if begun == "T:" else "titled"))
        if begun[0] == "R":
            hornpipe = begun[2:-1] == HORNPIPE
            return self._number(_Position(HORNPIPE if hornpipe else "rhythm", hornpipe=hornpipe))
        if begun[0] == "M":
            return self._number(_Position(begun[2:-1], meter=begun[2:-1], hornpipe=place.hornpipe))
        return HeaderEnd(place.meter, begun.rpartition(":")[2][:-1], place.hornpipe)

    def next_of_completion(self, state: int) -> str:
        """The next character on the shortest way to the body."""
        place = self._positions[state]
        if place.stage == "title":
            mask = self.allowed(state)
            return "\n" if mask & self.newline else self.vocabulary.characters[mask.bit_length() - 2]
        texts = (text for text in self.texts[place.stage] if text.startswith(place.written) and text != "T:")
        return min(texts, key=lambda text: (text[0] == "R", len(text)), default="T:")[len(place.written)]

    def _advance_title(self, place: _Position, character: str) -> _Position:
        """After one more character of the title."""
        if character == "\n":
            return _Position("titled")
        begun, said = character if character in " -" else "", " "
        if self.title_dances is not None:
            if place.written == begun == "-":
                return _Position("tail")
            said = self.title_dances.advance(place.title_state, character)
        return _Position("title", begun, place.title + 1, said)

    def _find_rejected(self, said: str) -> Mask:
        """The characters of titles with which they would name another dance, after they `said` something."""
        assert self.title_dances is not None
        return self.vocabulary.bits(
            each for each in self.vocabulary.characters if self.title_dances.rejects(said, each)
        )

    def _number(self, place: _Position) -> int:
        number = self._numbers.setdefault(place, len(self._positions))
        if number == len(self._positions):
            self._positions.append(place)
        return number


def _unit(meter: str) -> str:
    time = meter_of(meter)
    assert time is not None
    return unit_of(time)
