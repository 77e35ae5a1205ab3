"""The notes that a tune in one key may have, and how they can be written after the accidentals so far in the bar.

A set of steps (see `music.keys`) is an integer with one bit per step; notes are numbered by `vocabulary.code_of`.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from functools import lru_cache

from composer.api import Mask
from composer.formats.abc.elements import Tone
from composer.formats.abc.grammar.vocabulary import Vocabulary, code_of, tone_of
from composer.formats.abc.note_names import tone
from composer.music.keys import LETTERS, Signature, pitch, pitch_class
from composer.music.scales import Scale

Steps = int

MAX_CACHED = 4096
"""Sets of accidentals in force whose masks are cached."""

_FLAT = {0: 0, 2: 1, 3: 2, 5: 3, 6: 4, 7: 4, 8: 5, 10: 6}
"""Degrees of the blues and minor pentatonic scales: semitones above the tonic to letters above the tonic."""


def in_force(alters: int, step: int) -> int:
    """Return the alteration of a step, given `alters` with two bits per letter."""
    return (alters >> 2 * (step % 7) & 3) - 1


class AllowedNotes:
    """The notes in `tones`, or all notes of the vocabulary."""

    def __init__(self, vocabulary: Vocabulary, tones: Container[Tone] | None = None) -> None:
        self.vocabulary, self.all_notes = vocabulary, tones is None
        self.steps: dict[int, Steps] = {
            alter: sum(1 << step for step in vocabulary.steps if tones is None or (step, alter) in tones)
            for alter in (-1, 0, 1)
        }
        self._letters = [sum(1 << step for step in vocabulary.steps if step % 7 == letter) for letter in range(7)]
        self._codes = sorted(
            code_of(step, alter)
            for alter, steps in self.steps.items()
            for step in vocabulary.steps
            if steps >> step & 1
        )
        self._chord_roots = lru_cache(MAX_CACHED)(self._find_chord_roots)
        self._first_characters = lru_cache(MAX_CACHED)(self._find_first_characters)

    def playable(self, alters: int) -> bool:
        """Return whether any note can be written when only `alters`, the key's own, are in force."""
        return self.all_notes or self._first_characters(alters, 0, False) != 0

    def allowed_steps(self, alters: int, alter: int, before: int, chord: bool) -> Steps:
        """Return the steps of notes altered by `alter`; in a chord, after its note `before`, or 0 at its start."""
        if not chord:
            return self.steps[alter]
        if not before:
            return self._chord_roots(alters, alter)
        step, last = tone_of(before)
        return self.steps[alter] >> (step + (alter <= last)) << (step + (alter <= last))

    def first_characters(self, alters: int, before: int = 0, chord: bool = False) -> Mask:
        """Return the first characters of allowed notes."""
        if not chord:
            return self.vocabulary.tones if self.all_notes else self._first_characters(alters, 0, False)
        return self._first_characters(alters, before, True)

    def has_chords(self, alters: int) -> bool:
        return (self.all_notes and len(self.vocabulary.steps) > 1) or bool(self._first_characters(alters, 0, True))

    def outside_chords(self, alters: int) -> Mask:
        """Return all characters except those that start notes but cannot start one outside chords."""
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
        """Return the steps that a chord's lowest note may have, so that another note can be written above it."""
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
        """Return whether a note can be written after one of `step` altered by `alter`."""
        other, other_alter = tone_of(code)
        force = alter if (other - step) % 7 == 0 else in_force(alters, other)
        return other_alter == force or other_alter in self.vocabulary.accidentals.values()


def preferred_spellings(
    pitches: Iterable[int], key: Signature, scale: Scale | None, vocabulary: Vocabulary, also: Collection[Tone] = ()
) -> set[Tone]:
    """Return one spelling of each of `pitches` in `key` that the vocabulary can write, plus those of `also`, given
    without octaves (steps 0 to 6).

    The key's own note is preferred, then the letter that `scale` has for the pitch (the blues on C has an E flat, not a
    D sharp), then the spelling nearest to the key (see `note_names.tone`). A C above the highest B is never a B sharp.
    """
    wanted = set(pitches)
    unsigned = ((step, key.alters[step % 7]) for step in vocabulary.steps)
    own = {midi: each for each in unsigned if (midi := pitch(*each)) in wanted}
    signed = [(step, alter) for step in vocabulary.steps for alter in sorted(set(vocabulary.accidentals.values()))]
    others = {each for each in signed if (each[0] % 7, each[1]) in also and pitch(*each) in wanted}
    lowest, highest = (pitch(vocabulary.steps[end], 0) for end in (0, -1)) if vocabulary.steps else (0, 0)
    letters = {} if scale is None else _letters(key, scale)
    preferred: dict[int, Tone] = {}
    for each in signed:
        midi = pitch(*each)
        if midi in wanted and midi not in own and lowest <= midi <= highest:
            rival = preferred.setdefault(midi, each)
            preferred[midi] = min(rival, each, key=lambda one: _spelling_cost(one, key, letters))
    return {*own.values(), *preferred.values(), *others}


def _spelling_cost(each: Tone, key: Signature, letters: Mapping[int, int]) -> tuple[bool, bool]:
    midi = pitch(*each)
    return letters.get(midi % 12, -1) != each[0] % 7, each != tone(midi, key)


def _letters(key: Signature, scale: Scale) -> dict[int, int]:
    """Return the letter (0 to 6) of each pitch class of `scale`; empty if the scale does not fix its letters."""
    first, tonic = LETTERS.index(key.tonic[0]), pitch_class(key.tonic)
    above = sorted((each - tonic) % 12 for each in scale.classes)
    if len(above) == len(LETTERS):
        degrees = {semitones: number for number, semitones in enumerate(above)}
    else:
        degrees = _FLAT if 3 in above and set(above) <= _FLAT.keys() else {}
    return {(tonic + semitones) % 12: (first + degree) % 7 for semitones, degree in degrees.items()}
