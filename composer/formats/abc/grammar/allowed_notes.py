"""The tones that a tune in one key may have, and what they can be written with where accidentals are in force.

Sets of steps (see `keys`) are the bits of an integer; tones are numbers as `vocabulary.code_of` makes them.
"""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache

from composer.api import Mask
from composer.formats.abc.elements import Tone
from composer.formats.abc.grammar.vocabulary import Vocabulary, code_of, tone_of

__all__ = ["AllowedNotes", "in_force"]

Steps = int

MAX_CACHED = 4096
"""For how many sets of accidentals in force it is remembered what may be written."""


def in_force(alters: int, step: int) -> int:
    """What a step is altered by where `alters` has two bits for each letter."""
    return (alters >> 2 * (step % 7) & 3) - 1


class AllowedNotes:
    """All tones of a vocabulary, or those of them that are in `tones`."""

    def __init__(self, vocabulary: Vocabulary, tones: Container[Tone] | None = None) -> None:
        self.vocabulary, self.all_notes = vocabulary, tones is None
        self.steps: dict[int, Steps] = {
            alter: sum(1 << step for step in vocabulary.steps if tones is None or (step, alter) in tones)
            for alter in (-1, 0, 1)
        }
        self._letters = [sum(1 << step for step in vocabulary.steps if step % 7 == letter) for letter in range(7)]
        there = [(step, alter) for alter, steps in self.steps.items() for step in vocabulary.steps if steps >> step & 1]
        self._codes = sorted(code_of(step, alter) for step, alter in there)
        self._chord_roots = lru_cache(MAX_CACHED)(self._find_chord_roots)
        self._first_characters = lru_cache(MAX_CACHED)(self._find_first_characters)

    def playable(self, alters: int) -> bool:
        """Whether there is a tone that can be written where only `alters`, those of a key, are in force."""
        return self.all_notes or self._first_characters(alters, 0, False) != 0

    def allowed_steps(self, alters: int, alter: int, before: int, chord: bool) -> Steps:
        """The steps that a tone altered by `alter` may have, in a chord after the tone `before`, 0 for its first."""
        if not chord:
            return self.steps[alter]
        if not before:
            return self._chord_roots(alters, alter)
        step, last = tone_of(before)
        return self.steps[alter] >> (step + (alter <= last)) << (step + (alter <= last))

    def first_characters(self, alters: int, before: int = 0, chord: bool = False) -> Mask:
        """The characters that such a tone may begin with."""
        if not chord:
            return self.vocabulary.tones if self.all_notes else self._first_characters(alters, 0, False)
        return self._first_characters(alters, before, True)

    def has_chords(self, alters: int) -> bool:
        """Whether there is a chord that can be written."""
        return (self.all_notes and len(self.vocabulary.steps) > 1) or bool(self._first_characters(alters, 0, True))

    def outside_chords(self, alters: int) -> Mask:
        """All characters but those with which no tone outside of chords may begin."""
        return -1 if self.all_notes else ~self.vocabulary.tones | self._first_characters(alters, 0, False)

    def _find_first_characters(self, alters: int, before: int, chord: bool) -> Mask:
        vocabulary, mask = self.vocabulary, 0
        for sign, alter in vocabulary.accidentals.items():
            if self.allowed_steps(alters, alter, before, chord):
                mask |= 1 << vocabulary.ids[sign]
        for letter, steps in enumerate(self._letters):
            mask |= vocabulary.letters_of(steps & self.allowed_steps(alters, in_force(alters, letter), before, chord))
        return mask

    def _find_chord_roots(self, alters: int, alter: int) -> Steps:
        """The steps that the lowest tone of a chord may have: above them another one can be written."""
        if self.all_notes and self.vocabulary.steps:
            raised = any(other > alter for other in self.vocabulary.accidentals.values())
            return self.steps[alter] & ~(0 if raised else 1 << self.vocabulary.steps[-1])
        found = 0
        for step in self.vocabulary.steps:
            if self.steps[alter] >> step & 1 and any(
                self._can_write_after(code, alters, step, alter) for code in self._codes if code > code_of(step, alter)
            ):
                found |= 1 << step
        return found

    def _can_write_after(self, code: int, alters: int, step: int, alter: int) -> bool:
        """Whether a tone can be written after another one of `step`, altered by `alter`."""
        other, wanted = tone_of(code)
        force = alter if (other - step) % 7 == 0 else in_force(alters, other)
        return wanted == force or wanted in self.vocabulary.accidentals.values()
