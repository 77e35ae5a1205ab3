"""The tones that a tune in one key may have, and what they can be written with where accidentals are in force.

Sets of steps (see `keys`) are the bits of an integer; tones are numbers as `vocabulary.code_of` makes them.
"""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache

from composer.api import Mask
from composer.formats.abc.elements import Tone
from composer.formats.abc.grammar.vocabulary import Vocabulary, code_of, tone_of

__all__ = ["Palette", "in_force"]

Steps = int

MOST_KNOWN = 4096
"""For how many sets of accidentals in force it is remembered what may be written."""


def in_force(alters: int, step: int) -> int:
    """What a step is altered by where `alters` has two bits for each letter."""
    return (alters >> 2 * (step % 7) & 3) - 1


class Palette:
    """All tones of a vocabulary, or those of them that are in `tones`."""

    def __init__(self, vocabulary: Vocabulary, tones: Container[Tone] | None = None) -> None:
        self.vocabulary, self.whole = vocabulary, tones is None
        self.steps: dict[int, Steps] = {
            alter: sum(1 << step for step in vocabulary.steps if tones is None or (step, alter) in tones)
            for alter in (-1, 0, 1)
        }
        self._letters = [sum(1 << step for step in vocabulary.steps if step % 7 == letter) for letter in range(7)]
        there = [(step, alter) for alter, steps in self.steps.items() for step in vocabulary.steps if steps >> step & 1]
        self._codes = sorted(code_of(step, alter) for step, alter in there)
        self._under = lru_cache(MOST_KNOWN)(self._find_under)
        self._begin = lru_cache(MOST_KNOWN)(self._find_begin)

    def playable(self, alters: int) -> bool:
        """Whether there is a tone that can be written where only `alters`, those of a key, are in force."""
        return self.whole or self._begin(alters, 0, False) != 0

    def within(self, alters: int, alter: int, before: int, chord: bool) -> Steps:
        """The steps that a tone altered by `alter` may have, in a chord after the tone `before`, 0 for its first."""
        if not chord:
            return self.steps[alter]
        if not before:
            return self._under(alters, alter)
        step, last = tone_of(before)
        return self.steps[alter] >> (step + (alter <= last)) << (step + (alter <= last))

    def begin(self, alters: int, before: int = 0, chord: bool = False) -> Mask:
        """The characters that such a tone may begin with."""
        if not chord:
            return self.vocabulary.tones if self.whole else self._begin(alters, 0, False)
        return self._begin(alters, before, True)

    def chords(self, alters: int) -> bool:
        """Whether there is a chord that can be written."""
        return (self.whole and len(self.vocabulary.steps) > 1) or bool(self._begin(alters, 0, True))

    def only(self, alters: int) -> Mask:
        """All characters but those with which no tone outside of chords may begin."""
        return -1 if self.whole else ~self.vocabulary.tones | self._begin(alters, 0, False)

    def _find_begin(self, alters: int, before: int, chord: bool) -> Mask:
        vocabulary, mask = self.vocabulary, 0
        for sign, alter in vocabulary.accidentals.items():
            if self.within(alters, alter, before, chord):
                mask |= 1 << vocabulary.ids[sign]
        for letter, steps in enumerate(self._letters):
            mask |= vocabulary.letters_of(steps & self.within(alters, in_force(alters, letter), before, chord))
        return mask

    def _find_under(self, alters: int, alter: int) -> Steps:
        """The steps that the lowest tone of a chord may have: above them another one can be written."""
        if self.whole and self.vocabulary.steps:
            raised = any(other > alter for other in self.vocabulary.accidentals.values())
            return self.steps[alter] & ~(0 if raised else 1 << self.vocabulary.steps[-1])
        found = 0
        for step in self.vocabulary.steps:
            if self.steps[alter] >> step & 1 and any(
                self._written(code, alters, step, alter) for code in self._codes if code > code_of(step, alter)
            ):
                found |= 1 << step
        return found

    def _written(self, code: int, alters: int, step: int, alter: int) -> bool:
        """Whether a tone can be written after another one of `step`, altered by `alter`."""
        other, wanted = tone_of(code)
        force = alter if (other - step) % 7 == 0 else in_force(alters, other)
        return wanted == force or wanted in self.vocabulary.accidentals.values()
