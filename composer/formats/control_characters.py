"""Keep control characters out of the text of scores that are written, where most formats forbid them."""

from __future__ import annotations

import re
from dataclasses import replace

from composer.api import Score

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")
"""What XML 1.0 forbids or advises against; the separators of lines end a field of ABC in some programs."""


def without_control_characters(score: Score) -> Score:
    """Return `score` with a space for control characters in its title, its names and its chord symbols."""
    chords = tuple(chord._replace(symbol=cleaned(chord.symbol)) for chord in score.chords)
    parts = tuple(part if _is_clean(part.name) else replace(part, name=cleaned(part.name)) for part in score.parts)
    composers = tuple(map(cleaned, score.composers))
    return replace(score, title=cleaned(score.title), parts=parts, chords=chords, composers=composers)


def cleaned(text: str) -> str:
    """Return `text` with a space for control characters."""
    return text if _is_clean(text) else " ".join(_FORBIDDEN.sub(" ", text).split())


def _is_clean(text: str) -> bool:
    return _FORBIDDEN.search(text) is None
