"""The characters that a model knows, as token ids and masks, and the notes and lengths that they can write."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, cached_property

from composer.api import Mask, Step
from composer.formats.abc.dialect.tables import ACCIDENTALS, HIGHEST, LENGTHS, LOWEST
from composer.music.keys import MIDDLE_C

__all__ = ["Vocabulary"]

END = 0
"""The id of the end token, which is not a character."""

LETTERS = {letter: MIDDLE_C + number for number, letter in enumerate("CDEFGABcdefgab")}
"""The step (see `music.keys`) of each letter without octave marks."""


def code_of(step: int, alter: int) -> int:
    """Return a note as a number from 4 to 255, ascending by step; a chord joins its notes' codes, eight bits each."""
    return (step - LOWEST + 1) << 2 | (alter + 1)


def tone_of(code: int) -> tuple[int, int]:
    """Return the step and the alteration of a note's code."""
    return (code >> 2) + LOWEST - 1, (code & 3) - 1


class Vocabulary:
    """Characters with the token ids 1, 2, 3 and so on."""

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
        """Return the mask of those `characters` that the vocabulary has."""
        return sum(1 << self.ids[character] for character in set(characters) if character in self.ids)

    def has(self, text: str) -> bool:
        return all(character in self.ids for character in text)

    def text(self, steps: Iterable[Step]) -> str:
        names = ("", *self.characters)
        return "".join(names[step] for step in steps if isinstance(step, int) and step < len(names))

    @cached_property
    def lengths(self) -> Lengths:
        return Lengths(text for text in LENGTHS if self.has(text))

    def _octaves(self, step: int) -> list[int]:
        """Return the steps that a letter can stand for, starting without octave marks."""
        sign, octave = (",", -7) if step < LETTERS["c"] else ("'", 7)
        count = 3 if sign in self.ids else 1
        return [each for each in range(step, step + octave * count, octave) if LOWEST <= each <= HIGHEST]

    def _letters_of(self, steps: int) -> Mask:
        """Return the letters that can write a note of one of `steps`, given as bits."""
        return self.bits(name for name, step in LETTERS.items() if any(steps >> at & 1 for at in self._octaves(step)))

    def _further(self, step: int, steps: int) -> Mask:
        """Return the octave mark that may follow a note written so far as `step`, to reach one of `steps` (bits)."""
        base = (MIDDLE_C if step < LETTERS["c"] else LETTERS["c"]) + step % 7
        octaves = self._octaves(base)
        rest = octaves[octaves.index(step) + 1 :]
        sign = "," if base < LETTERS["c"] else "'"
        return self.marks[sign] if any(steps >> each & 1 for each in rest) else 0


class Lengths:
    """Length strings as a tree of their prefixes, by number; prefix 0 is empty, which is one unit.

    `quarters` holds each prefix's length in quarters of the unit, or 0 if it is not a length itself.
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
