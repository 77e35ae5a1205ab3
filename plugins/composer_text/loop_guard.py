"""Texts that do not loop: no passage of words occurs too often in a row."""

from __future__ import annotations

from composer.api import Constraint, Mask
from composer.toolkit.representations.recent_passages import RecentPassages
from composer.toolkit.representations.wrapped_constraint import WrappedConstraint

REPEAT_LIMIT = 2
MAX_CYCLE = 16
"""Words in the longest passage that is watched: two lines of most poems."""

_HASH, _FIRST = 24, 20
"""Bits of a word: a hash of its characters, and the first of them, as a token id plus 1."""
_WORD = _HASH + _FIRST
_NOW = _WORD + 1

_NUMBER = (1 << _FIRST) - 1
"""Instead of a first character: any digit at the start of a line."""

_APOSTROPHES = "'\N{RIGHT SINGLE QUOTATION MARK}"


class LoopGuard(WrappedConstraint):
    """The texts of `inner`, sampled without a passage of 1 to MAX_CYCLE words more than `limit` times in a row.

    Words consist of letters and digits; case, punctuation and line breaks do not count. All numbers at the start of a
    line are the same word, so that no column of them begins. The first letter of a word that would end such a
    repetition is not sampled if another character can be. Primers are exempt. `characters` are those of the tokens from
    `first` on.

    The own part of a state is the RecentPassages of words, above the current word, which is 0 between words, above
    whether the line has a word.
    """

    def __init__(self, inner: Constraint, characters: str, first: int, limit: int) -> None:
        super().__init__(inner)
        self._recent = RecentPassages(_WORD, MAX_CYCLE, limit)
        self.own_bits = _NOW + self._recent.bits
        # the id plus 1 of the same letter in lower case; a letter without one stands for itself
        ids = {character: number for number, character in enumerate(characters, first)}
        self._letters = {
            number: ids.get(character.lower(), number) + 1 for character, number in ids.items() if character.isalnum()
        }
        self._masks: dict[int, Mask] = {}
        for number, letter in self._letters.items():
            self._masks[letter] = self._masks.get(letter, 0) | 1 << number
        self._digits = {number for number in self._letters if characters[number - first].isdecimal()}
        self._masks[_NUMBER] = sum(1 << number for number in self._digits)
        self._line_feed = ids.get("\n", -1)
        self._within = {ids[each] for each in _APOSTROPHES if each in ids}

    def allowed(self, state: int) -> Mask:
        inner, own = self.parts(state)
        mask = self.inner.allowed(inner)
        assert isinstance(mask, int)
        if own >> 1 & (1 << _WORD) - 1 or not mask & mask - 1:  # within a word, or no choice
            return mask
        return mask & ~self._repeating(own) or mask

    def own_step(self, own: int, step: int) -> int:
        letter = self._letters.get(step)
        word = own >> 1 & (1 << _WORD) - 1
        if letter is not None:
            if not word:
                word = 1 << _FIRST | _NUMBER if step in self._digits and not own & 1 else letter << _FIRST | letter
            elif word & _NUMBER != _NUMBER or step not in self._digits:
                # a number at the start of a line is the same as any other, but a word that begins with one is not
                word = ((word >> _FIRST) * 1_000_003 + letter & (1 << _HASH) - 1) << _FIRST | word & _NUMBER
            return own >> _NOW << _NOW | word << 1 | 1
        if step in self._within:
            return own
        if word:
            own = self._recent.push(own >> _NOW, word) << _NOW | own & 1
        return own & ~1 if step == self._line_feed else own

    def _repeating(self, own: int) -> Mask:
        """Return the letters with which the next word would begin to end a repetition beyond the limit."""
        mask = 0
        for word in self._recent.excessive(own >> _NOW):
            first = word & _NUMBER
            if first != _NUMBER or not own & 1:
                mask |= self._masks[first]
        return mask
