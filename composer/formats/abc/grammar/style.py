"""What tunes are not generated with although the dialect allows it: loops, redundant accidentals, unknown words.

A rule only takes characters away while others are left, so that there are no dead ends. Primers and kept bars are
exempt.
"""

from __future__ import annotations

from collections.abc import Sequence

from composer.api import Constraint, Mask, Step
from composer.formats.abc.grammar.allowed_notes import in_force
from composer.formats.abc.grammar.automaton import Automaton
from composer.formats.abc.grammar.infill import InfillConstraint
from composer.formats.abc.grammar.positions import PositionConstraint
from composer.formats.abc.grammar.recent_bars import BITS, RecentBars
from composer.formats.abc.grammar.states import Node, State
from composer.formats.abc.grammar.title_words import TitleWords
from composer.formats.abc.grammar.vocabulary import END, LETTERS, Vocabulary

__all__ = ["StyleConstraint"]

_OWN_BITS = BITS + len(LETTERS)

_ANY_SIGN = 3
"""Instead of an alteration plus 1: before an accidental."""


class StyleConstraint(Constraint):
    """The tunes that `inner` accepts, sampled without what is against the style.

    A cycle of at most 8 bars occurs at most `repeat_limit` times in a row. No accidental repeats the key signature if
    nothing has changed it in the bar, or one that the same letter has had; the dialect's writer does neither. With
    `titles`, titles consist of their words. A state is one of `inner`, above the letters that had accidentals in this
    bar, above the recent bars or, in the header, the place in a title's word.
    """

    def __init__(
        self,
        inner: Automaton | InfillConstraint | PositionConstraint,
        vocabulary: Vocabulary,
        repeat_limit: int,
        titles: Sequence[str] = (),
    ) -> None:
        self.inner, self._vocabulary = inner, vocabulary
        self._positions = inner if isinstance(inner, PositionConstraint) else None
        base = inner if self._positions is None else self._positions.inner
        assert isinstance(base, Automaton | InfillConstraint)
        self._infill = base if isinstance(base, InfillConstraint) else None
        self._automaton = base if isinstance(base, Automaton) else base.automaton
        self._bars = RecentBars(vocabulary, repeat_limit)
        self._words = TitleWords(vocabulary, titles)
        self._accidentals = vocabulary.bits(vocabulary.accidentals)
        self._bar_line = vocabulary.ids.get("|", -1)
        known = vocabulary.ids
        self._letters = {known[letter]: number for number, letter in enumerate(LETTERS) if letter in known}
        self._redundant: dict[tuple[int, int, int, int], Mask] = {}

    def start(self, primer: Sequence[Step]) -> int:
        tokens = [step for step in primer if isinstance(step, int)]
        inner, state = self.inner.start(tokens), self.inner.start(()) << _OWN_BITS
        for step in tokens:
            state = self.step(state, step)
        return inner << _OWN_BITS | state & (1 << _OWN_BITS) - 1

    def step(self, state: int, step: Step) -> int:
        assert isinstance(step, int)
        inner, signed, recent = _unpack(state)
        after, before = self.inner.step(inner, step), self._state(inner)
        if before.node == Node.HEADER:
            s = self._state(after)
            in_title = s.node == Node.HEADER and self._automaton.header.in_title(s.length)
            return after << _OWN_BITS | (self._words.step(recent, step) if in_title and self._words else 0)
        if step == self._bar_line:
            signed = 0
        elif before.node == Node.ACCIDENTAL:
            signed |= 1 << self._letters[step]
        return after << _OWN_BITS | signed << BITS | self._bars.step(recent, step)

    def allowed(self, state: int) -> Mask:
        inner, signed, recent = _unpack(state)
        mask = self.inner.allowed(inner)
        assert isinstance(mask, int)
        if not mask & mask - 1:
            return mask
        s = self._state(inner)
        if s.node == Node.HEADER:
            if self._words and self._automaton.header.in_title(s.length):
                return mask & self._words.allowed(recent) or mask
            return mask
        if s.tied and s.node != Node.SOUND:  # the note is given
            return mask & ~self._accidentals if mask & self._vocabulary.letters else mask
        mask = mask & ~self._redundant_accidentals(s, signed) or mask
        return mask & ~self._bars.repeating(recent) or mask

    def features(self, state: int) -> tuple[int, ...]:
        return self.inner.features(state >> _OWN_BITS)

    def fixed_step(self, state: int) -> int | None:
        return self.inner.fixed_step(state >> _OWN_BITS)

    def complete(self, state: int) -> Sequence[Step]:
        steps: list[int] = []
        while not steps or steps[-1] != END:
            mask = self.allowed(state)
            step = mask.bit_length() - 1
            if mask & mask - 1:
                step = self._automaton.next_of_completion(self._number(state >> _OWN_BITS), mask)
            if not mask >> step & 1:  # within a word of a title
                step = (mask & -mask).bit_length() - 1
            steps.append(step)
            state = self.step(state, step)
        return steps

    def _state(self, inner: int) -> State:
        return self._automaton.state(self._number(inner))

    def _number(self, inner: int) -> int:
        """Return the state of the automaton in a state of `inner`."""
        base = inner if self._positions is None else self._positions.inner_state(inner)
        return base if self._infill is None else self._infill.automaton_state(base)

    def _redundant_accidentals(self, s: State, signed: int) -> Mask:
        """Return the letters that would make an accidental redundant, or the accidentals that would be it on any."""
        sign = s.extra if s.node == Node.ACCIDENTAL else _ANY_SIGN
        question = s.alters, self._automaton.body.contexts.all[s.context].alters, signed, sign
        known = self._redundant.get(question)
        if known is None:
            known = self._redundant[question] = self._find_redundant(*question)
        return known

    def _find_redundant(self, alters: int, key: int, signed: int, sign: int) -> Mask:
        """Return `_redundant_accidentals` after an accidental with alteration `sign` - 1; _ANY_SIGN is before one.

        `alters` and `key` have two bits per letter, as in `State`; `signed` has one for each letter in both cases.
        """
        if sign == _ANY_SIGN:
            every = self._vocabulary.letters
            signs = self._vocabulary.accidentals.items()
            return self._vocabulary.bits(
                name for name, alter in signs if self._find_redundant(alters, key, signed, alter + 1) == every
            )
        return self._vocabulary.bits(
            letter
            for number, (letter, step) in enumerate(LETTERS.items())
            if in_force(alters, step) == sign - 1 and (in_force(key, step) == sign - 1 or signed >> number & 1)
        )


def _unpack(state: int) -> tuple[int, int, int]:
    """Return the state of the inner constraint, the letters with accidentals, and the recent bars."""
    return state >> _OWN_BITS, state >> BITS & (1 << len(LETTERS)) - 1, state & (1 << BITS) - 1
