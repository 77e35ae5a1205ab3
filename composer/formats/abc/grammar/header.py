"""The automaton for the header of a tune: the field values that can be written and lead to a tune."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from composer.api import Mask
from composer.formats.abc.dialect.tables import TITLE, meter_of, unit_of
from composer.formats.abc.grammar.controls import TuneControls
from composer.formats.abc.grammar.vocabulary import Vocabulary
from composer.music.keys import parse_key

MAX_TITLE_LENGTH = 60

HORNPIPE = "hornpipe"
HORNPIPE_METERS = ("2/4", "4/4")


class HeaderEnd(NamedTuple):
    """The end of the header, with what the body depends on."""

    meter: str = ""
    key: str = ""
    hornpipe: bool = False


class _Position(NamedTuple):
    """A place in the header: `written` is the part so far of one of the `texts` of this stage.

    In the title, `title` counts its characters, `written` is the last one if it is a blank or `-`, and `title_state` is
    a state of TitleDances.
    """

    stage: str
    written: str = ""
    title: int = 0
    title_state: str = " "
    meter: str = ""
    hornpipe: bool = False


class Header:
    """An automaton with numbers for states, starting at 0, for the fields T, R, M, L and K.

    Tunes are in `meters`, hornpipes in the meters `hornpipes`; keys and rhythms are those that the vocabulary can
    write. With `controls.title_dances`, a title names no other dance, and after `--` it names one of those.
    """

    def __init__(
        self, vocabulary: Vocabulary, meters: list[str], hornpipes: list[str], keys: list[str], controls: TuneControls
    ) -> None:
        self.vocabulary, self.title_dances = vocabulary, controls.title_dances
        has = vocabulary.has
        keys = [key for key in keys if parse_key(key) is not None and has(f"K:{key}\n")]
        units = {meter: _unit(meter) for meter in meters}
        usable = [meter for meter, unit in units.items() if keys and has(f"M:{meter}\nL:{unit}\n")]
        lines = tuple(f"M:{meter}\n" for meter in usable)
        swung = tuple(line for line in lines if line[2:-1] in HORNPIPE_METERS and line[2:-1] in hornpipes)
        dances = [name for name in controls.rhythms if swung or name != HORNPIPE]
        danced = tuple(f"R:{name}\n" for name in dances if has(f"R:{name}\n"))
        titles = [chr(code) for code in range(32, 127) if TITLE.fullmatch(chr(code)) and has(chr(code))]
        self.keys, self.meters = tuple(keys), tuple(usable)
        self.rhythms = tuple(line[2:-1] for line in danced)
        self.blank = vocabulary.bits(" ")
        self.letters = vocabulary.bits(titles) & ~self.blank
        self.newline = vocabulary.bits("\n")
        untitled = lines and (danced if controls.rhythm else (*lines, *danced))
        tails = tuple(f"{tail}\n" for tail in self.title_dances.tails if has(f"{tail}\n")) if self.title_dances else ()
        self._longest_tail = max(map(len, tails), default=MAX_TITLE_LENGTH) - 1
        self._rejected = cache(self._find_rejected)
        titled = (*untitled, "T:") if untitled and self.letters and self.newline else untitled
        self.texts = {"start": titled, "titled": untitled, "tail": tails, "rhythm": lines, HORNPIPE: swung}
        for meter in usable:
            self.texts[meter] = tuple(f"L:{units[meter]}\nK:{key}\n" for key in keys)
        self._positions = [_Position("start")]
        self._numbers = {self._positions[0]: 0}

    def allowed(self, state: int) -> Mask:
        """Return the mask of the characters that may follow; empty at the start if no meter has any tune."""
        position = self._positions[state]
        if position.stage != "title":
            written = position.written
            texts = self.texts[position.stage]
            return self.vocabulary.bits({text[len(written)] for text in texts if text.startswith(written)})
        mask = self.letters if position.title < MAX_TITLE_LENGTH else 0
        if position.title and position.written != " ":
            mask |= self.newline | (self.blank if position.title < MAX_TITLE_LENGTH - 1 else 0)
        if self.title_dances is None:
            return mask
        dash = position.written == "-" and position.title + self._longest_tail >= MAX_TITLE_LENGTH
        return mask & ~(self._rejected(position.title_state) | (self.vocabulary.bits("-") if dash else 0))

    def step(self, state: int, character: str) -> int | HeaderEnd:
        """Return the state after an allowed character, or HeaderEnd after the last one."""
        position = self._positions[state]
        written = position.written + character
        if position.stage == "title":
            return self._number(self._advance_title(position, character))
        if written not in self.texts[position.stage]:
            return self._number(position._replace(written=written))
        if written == "T:" or position.stage == "tail":
            return self._number(_Position("title" if written == "T:" else "titled"))
        if written[0] == "R":
            hornpipe = written[2:-1] == HORNPIPE
            return self._number(_Position(HORNPIPE if hornpipe else "rhythm", hornpipe=hornpipe))
        if written[0] == "M":
            return self._number(_Position(written[2:-1], meter=written[2:-1], hornpipe=position.hornpipe))
        return HeaderEnd(position.meter, written.rpartition(":")[2][:-1], position.hornpipe)

    def next_of_completion(self, state: int) -> str:
        """Return the next character of the shortest header."""
        position = self._positions[state]
        if position.stage == "title":
            mask = self.allowed(state)
            return "\n" if mask & self.newline else self.vocabulary.characters[mask.bit_length() - 2]
        texts = (text for text in self.texts[position.stage] if text.startswith(position.written) and text != "T:")
        return min(texts, key=lambda text: (text[0] == "R", len(text)), default="T:")[len(position.written)]

    def in_title(self, state: int) -> bool:
        """Return whether a title has begun and not ended."""
        return self._positions[state].stage == "title"

    def _advance_title(self, position: _Position, character: str) -> _Position:
        if character == "\n":
            return _Position("titled")
        written, title_state = character if character in " -" else "", " "
        if self.title_dances is not None:
            if position.written == written == "-":
                return _Position("tail")
            title_state = self.title_dances.advance(position.title_state, character)
        return _Position("title", written, position.title + 1, title_state)

    def _find_rejected(self, title_state: str) -> Mask:
        """Return the characters that would complete the name of another dance."""
        dances = self.title_dances
        assert dances is not None
        return self.vocabulary.bits(each for each in self.vocabulary.characters if dances.rejects(title_state, each))

    def _number(self, position: _Position) -> int:
        number = self._numbers.setdefault(position, len(self._positions))
        if number == len(self._positions):
            self._positions.append(position)
        return number


def _unit(meter: str) -> str:
    time = meter_of(meter)
    assert time is not None
    return unit_of(time)
