"""The words of the training titles as a tree, so that generated titles consist of them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from composer.api import Mask
from composer.formats.abc.grammar.vocabulary import Vocabulary

__all__ = ["TitleWords"]

_WORD = re.compile(r"[a-z']+")
_LETTERS = "abcdefghijklmnopqrstuvwxyz'"


class TitleWords:
    """An automaton whose states are nodes of the tree of words; 0 is between words. False if there are no words.

    Words are compared in lower case, and include apostrophes. The tree is built when it is first needed.
    """

    def __init__(self, vocabulary: Vocabulary, titles: Iterable[str]) -> None:
        self._vocabulary, self._titles = vocabulary, titles
        self._next: list[dict[str, int]] = []
        self._masks: list[Mask] = []

    def __bool__(self) -> bool:
        return bool(self._titles)

    def step(self, node: int, character: int) -> int:
        """Return the node after a character of a title, given as a token id."""
        letter = self._vocabulary.characters[character - 1].lower()
        return self._tree()[node].get(letter, 0) if self and letter in _LETTERS else 0

    def allowed(self, node: int) -> Mask:
        """Return the characters that continue a known word or, after a whole one, begin another."""
        self._tree()
        return self._masks[node]

    def _tree(self) -> list[dict[str, int]]:
        if self._next:
            return self._next
        found: list[dict[str, int]] = [{}]
        ends = {0}
        for word in {word for title in self._titles for word in _WORD.findall(title.lower())}:
            node = 0
            for letter in word:
                if letter not in found[node]:
                    found[node][letter] = len(found)
                    found.append({})
                node = found[node][letter]
            ends.add(node)
        between = self._vocabulary.bits(each for each in self._vocabulary.characters if each.lower() not in _LETTERS)
        self._masks = [
            self._vocabulary.bits("".join(after) + "".join(after).upper()) | (between if node in ends else 0)
            for node, after in enumerate(found)
        ]
        self._next = found
        return found
