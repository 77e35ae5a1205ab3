"""What can be written with the characters that a model knows: tones, lengths, and sets of characters as masks."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, cached_property

from composer.api import Mask, Step
from composer.formats.abc.dialect.tables import ACCIDENTALS, HIGHEST, LENGTHS, LOWEST
from composer.music.keys import MIDDLE_C

__all__ = ["END", "LETTERS", "Vocabulary", "code_of", "tone_of"]

END = 0
"""The id of the end symbol, which is no character."""

LETTERS = {letter: MIDDLE_C + number for number, letter in enumerate("CDEFGABcdefgab")}
"""The step (see `keys`) that each letter without octave marks is."""


def code_of(step: int, alter: int) -> int:
    """A tone as a number from 4 to 255, in the order of pitch; a chord is its tones' codes, eight bits each."""
    return (step - LOWEST + 1) << 2 | (alter + 1)


def tone_of(code: int) -> tuple[int, int]:
    """The step and the alteration of a tone's number."""
    return (code >> 2) + LOWEST - 1, (code & 3) - 1


class Vocabulary:
    """The characters of token ids 1, 2, 3 and so on."""

    def __init__(self, characters: Iterable[str]) -> None:
        self.characters = tuple(characters)
        self.ids = {character: number for number, character in enumerate(self.characters, 1)}
        self.accidentals = {sign: alter for sign, alter in ACCIDENTALS.items() if sign in self.ids}
        self.marks = {sign: self.bits(sign) for sign in ",'"}
        self.letters = self.bits(LETTERS)
        self.tones = self.letters and self.letters | self.bits(self.accidentals)
        self.steps = sorted(step for letter in LETTERS if letter in self.ids for step in self._octaves(LETTERS[letter]))
        self.letters_of = cache(self._letters_of)
        self.further = cache(self._further)

    def bits(self, characters: Iterable[str]) -> Mask:
        """Those of `characters` that there are."""
        return sum(1 << self.ids[character] for character in set(characters) if character in self.ids)

    def has(self, text: str) -> bool:
        """Whether `text` can be written."""
        return all(character in self.ids for character in text)

    def text(self, steps: Iterable[Step]) -> str:
        """The characters of steps."""
        names = ("", *self.characters)
        return "".join(names[step] for step in steps if isinstance(step, int) and step < len(names))

    @cached_property
    def lengths(self) -> Lengths:
        """The length strings that can be written."""
        return Lengths(text for text in LENGTHS if self.has(text))

    def _octaves(self, step: int) -> list[int]:
        """The steps that a letter can be, from that of the letter alone on."""
        sign, way = (",", -7) if step < LETTERS["c"] else ("'", 7)
        count = 3 if sign in self.ids else 1
        return [each for each in range(step, step + way * count, way) if LOWEST <= each <= HIGHEST]

    def _letters_of(self, steps: int) -> Mask:
        """The letters with which a tone of one of `steps`, which are bits, can be written."""
        return self.bits(
            letter for letter, step in LETTERS.items() if any(steps >> each & 1 for each in self._octaves(step))
        )

    def _further(self, step: int, steps: int) -> Mask:
        """The octave mark that may follow where a tone of one of `steps`, which are bits, is being written."""
        base = (MIDDLE_C if step < LETTERS["c"] else LETTERS["c"]) + step % 7
        octaves = self._octaves(base)
        rest = octaves[octaves.index(step) + 1 :]
        sign = "," if base < LETTERS["c"] else "'"
        return self.marks[sign] if any(steps >> each & 1 for each in rest) else 0


class Lengths:
    """Length strings as a tree of their beginnings, which are numbered; 0 is the empty one, a note of one unit.

    `quarters` holds the length of each beginning in quarters of the unit, 0 where it is not a length itself.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = tuple(texts)
        self.prefixes = sorted({text[:end] for text in self.texts for end in range(len(text) + 1)})
        index = {prefix: number for number, prefix in enumerate(self.prefixes)}
        self.quarters = [_quarters(prefix) if prefix in self.texts else 0 for prefix in self.prefixes]
        self.next = [
            {child[-1]: index[child] for child in self.prefixes if child and child[:-1] == prefix}
            for prefix in self.prefixes
        ]
        self.complete = [number for number, quarters in enumerate(self.quarters) if quarters]


def _quarters(text: str) -> int:
    numerator, _, denominator = text.partition("/")
    return 4 * int(numerator or 1) // int(denominator or 1)
