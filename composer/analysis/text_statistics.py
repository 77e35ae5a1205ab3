"""What can be measured of a text of lines and stanzas, and of what it shares with others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

__all__ = ["FIRST_WORDS", "TextReference", "lines_of", "stanzas_of", "words_of"]

FIRST_WORDS = 50
"""Of so many words the different ones are counted, since of more of them fewer are new."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_COMMON_WORDS = 3
"""Lines of fewer words are in many texts, and none is copied from the other."""


def words_of(text: str) -> list[str]:
    """The words, in lower case."""
    return [word.casefold() for word in _WORD.findall(text)]


def lines_of(text: str) -> list[str]:
    """The lines that are not blank, without the blanks around them."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def stanzas_of(text: str) -> list[list[str]]:
    """The lines of each stanza; blank lines stand between stanzas."""
    return [lines for stanza in re.split(r"\n\s*\n", text) if (lines := lines_of(stanza))]


@dataclass(frozen=True, slots=True)
class TextReference:
    """In how many of some texts each word is, and each line of three words or more, by its words."""

    words: Mapping[str, int]
    lines: Mapping[tuple[str, ...], int]

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> TextReference:
        """That of `texts`."""
        words, lines = Counter[str](), Counter[tuple[str, ...]]()
        for text in texts:
            words.update(set(words_of(text)))
            lines.update(set(_long_lines(text)))
        return cls(words, lines)

    def metrics(self, text: str, *, own: bool = False) -> dict[str, float | None]:
        """What is measured of `text` (see `measures.WORDS`); None where there is too little of it.

        One that is the library's `own` is compared with the others.
        """
        lines, words, long_lines = lines_of(text), words_of(text), _long_lines(text)
        first = words[:FIRST_WORDS]
        return {
            "lines": float(len(lines)),
            "line_length": _mean(map(len, lines)),
            "words_per_line": _mean(len(words_of(line)) for line in lines),
            "stanza_length": _mean(map(len, stanzas_of(text))),
            "variety": len(set(first)) / FIRST_WORDS if len(first) == FIRST_WORDS else None,
            "words_known": _mean(self.words.get(word, 0) > own for word in words),
            "lines_copied": _mean(self.lines.get(line, 0) > own for line in long_lines),
        }


def _long_lines(text: str) -> list[tuple[str, ...]]:
    found = (tuple(words_of(line)) for line in lines_of(text))
    return [line for line in found if len(line) >= _COMMON_WORDS]


def _mean(values: Iterable[float]) -> float | None:
    held = list(values)
    return fmean(held) if held else None
