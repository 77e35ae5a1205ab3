"""The words of the training titles, so that generated titles consist of them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property

from composer.api import Mask
from composer.formats.abc.grammar.vocabulary import Vocabulary

__all__ = ["TitleWords"]

_WORD = re.compile(r"[a-z']+")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz'")
_LENGTH_BITS = 6
_LAST = "\x7f"
"""Sorts after all letters."""


class TitleWords:
    """An automaton that accepts titles of these words. It is false if there are none.

    Words are compared in lower case, and include apostrophes. A state is 0 between words; inside one, it is the index
    of the first word with the letters so far, among all in order, above the number of letters.
    """

    def __init__(self, vocabulary: Vocabulary, titles: Sequence[str]) -> None:
        self._vocabulary, self._titles = vocabulary, titles
        self._masks: dict[int, Mask] = {}

    def __bool__(self) -> bool:
        return bool(self._titles)

    def step(self, state: int, character: int) -> int:
        """Return the state after a character of a title, given as a token id."""
        letter = self._vocabulary.characters[character - 1].lower()
        if letter not in _LETTERS:
            return 0
        letters = self._letters(state) + letter
        at = bisect_left(self._words, letters)
        known = at < len(self._words) and self._words[at].startswith(letters)
        return at << _LENGTH_BITS | len(letters) if known else 0

    def allowed(self, state: int) -> Mask:
        """Return the characters that continue a known word or, after a whole one, begin another."""
        if state not in self._masks:
            letters = self._letters(state)
            among = self._words[bisect_left(self._words, letters) : bisect_left(self._words, letters + _LAST)]
            following = {word[len(letters)] for word in among if len(word) > len(letters)}
            every = "".join(following) + "".join(following).upper()
            whole = not letters or among[0] == letters
            self._masks[state] = self._vocabulary.bits(every) | (self._between if whole else 0)
        return self._masks[state]

    def _letters(self, state: int) -> str:
        length = state & (1 << _LENGTH_BITS) - 1
        return self._words[state >> _LENGTH_BITS][:length] if length else ""

    @cached_property
    def _words(self) -> Sequence[str]:
        return sorted(
            {word for word in _WORD.findall("\n".join(self._titles).lower()) if len(word) < 1 << _LENGTH_BITS}
        )

    @cached_property
    def _between(self) -> Mask:
        """The characters that are in no word."""
        characters = self._vocabulary.characters
        return self._vocabulary.bits(each for each in characters if each.lower() not in _LETTERS)
