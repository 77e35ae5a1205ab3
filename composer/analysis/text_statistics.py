"""Statistics of a text with lines and stanzas, and of what it shares with other texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

FIRST_WORDS = 50
"""Variety is measured on the first words only, because longer texts repeat more."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_COMMON_WORDS = 3
"""Shorter lines occur in many texts and are not copies."""


def words_of(text: str) -> list[str]:
    """Return the words in lower case."""
    return [word.casefold() for word in _WORD.findall(text)]


def lines_of(text: str) -> list[str]:
    """Return the lines that are not blank, stripped."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def stanzas_of(text: str) -> list[list[str]]:
    """Return the lines of each stanza; blank lines separate stanzas."""
    return [lines for stanza in re.split(r"\n\s*\n", text) if (lines := lines_of(stanza))]


@dataclass(frozen=True, slots=True)
class TextReference:
    """How many texts contain each word, and each line of three words or more."""

    words: Mapping[str, int]
    lines: Mapping[tuple[str, ...], int]

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> TextReference:
        """Count the words and lines of `texts`."""
        words, lines = Counter[str](), Counter[tuple[str, ...]]()
        for text in texts:
            words.update(set(words_of(text)))
            lines.update(set(_long_lines(text)))
        return cls(words, lines)

    def metrics(self, text: str, *, own: bool = False) -> dict[str, float | None]:
        """Return the metrics of `text` (see `metrics.TEXT`); None where the text is too short.

        With `own`, the text is one of the reference and is compared with the others.
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
    numbers = list(values)
    return fmean(numbers) if numbers else None
