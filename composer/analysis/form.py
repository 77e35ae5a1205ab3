"""Musical form of a piece: repeated bars, phrases, the parts as written and how they close.

Scores from 0 to 1 rank pieces, and `faults` names what no good tune has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from composer.analysis.cadence import Tonic, close, tonic_of
from composer.analysis.voice_leading import last_chord
from composer.analysis.written_parts import BarContent, WrittenPart, longest_loop, melody_bars, written_parts
from composer.api import Score
from composer.music.bars import bars
from composer.music.melody import Onset, top_line
from composer.music.sounding import pitched_notes

BARS_PER_PHRASE = 4
"""Bars that repeat after a multiple of this many bars repeat as part of a phrase."""

ENOUGH_RETURNS, TOO_MANY_RETURNS = 0.5, 0.85
"""In a tune of two repeated parts, at least half of the bars repeat; a tune that repeats nearly all is monotonous."""

STANDARD_PARTS = (4, 8, 16)
"""Bars in the usual parts of a dance tune."""

MAX_WRITTEN_BARS = 33
"""Bars that a tune has at most as written; 3 % of 200 traditional tunes have more."""

USUAL_CONTRAST = 0.72
"""Share of the written bars that differ, the median of 200 traditional tunes."""

CLOSED = 0.75
"""The lowest cadence score of a piece that closes."""

MIN_BARS = 4
"""Pieces with fewer bars have no repeats."""


@dataclass(frozen=True, slots=True)
class Form:
    """Form scores of a piece, from 0 to 1.

    `returns` is 1 if 50 to 85 % of the bars repeat an earlier one exactly, and falls to 0 toward no and all bars.
    `phrases` is the share of the repeated bars that come a multiple of four bars later. `cadence` is 1 if the melody
    ends on the tonic, 1/2 on another note of the tonic triad, else 0; if the piece ends with a chord, the mean of that
    and of 1 for the tonic in the bass; None for percussion.

    The others are about the parts as written. `closes` is the share of parts that end on the tonic, None for percussion
    or if the sections are unknown. `regular` is the share of parts that have 4, 8 or 16 bars and differ from all
    earlier ones. `length` is 1 up to 33 written bars and falls in proportion beyond. `variety` is 1 without a loop (a
    cycle of at most 8 bars that occurs in a row more than twice) and falls to 0 as the loop fills the piece. `contrast`
    is 1 if 72 % of the written bars differ, as is usual, and falls to either side. `regular` and `contrast` are None if
    the sections are unknown.
    """

    returns: float
    phrases: float
    cadence: float | None
    closes: float | None = None
    regular: float | None = None
    length: float = 1.0
    variety: float = 1.0
    contrast: float | None = None

    @property
    def value(self) -> float:
        """Return the mean of the scores, times those that a good piece has in full."""
        scores = (self.returns, self.phrases, self.cadence, self.closes, self.regular, self.contrast)
        return fmean(each for each in scores if each is not None) * self.length * self.variety

    def __str__(self) -> str:
        """Return the scores below 1 that a reader can act on; empty if there are none."""
        scores = {"repeats": self.returns, "phrases": self.phrases, "cadence": self.cadence, "parts": self.regular}
        scores |= {"closes": self.closes, "length": self.length, "variety": self.variety}
        return ", ".join(f"{name} {score:.2f}" for name, score in scores.items() if score is not None and score < 1)

    @property
    def is_flawless(self) -> bool:
        """Whether all parts close on the tonic and are regular, nothing loops, and the length is usual.

        Under a melody that ends on another note of the tonic triad, the tonic in the bass is a close.
        """
        whole = (self.closes, self.regular, self.length, self.variety)
        closes = self.cadence is None or self.cadence >= CLOSED
        return (self.returns > 0 or self.regular is None) and closes and all(each in (None, 1) for each in whole)


def form_of(score: Score) -> Form:
    """Return the form of the melody of `score`, or of what `top_line` takes for it."""
    line = top_line(score)
    tonic = tonic_of(score) if pitched_notes(score) else None
    final = _final(score, line, tonic)
    contents = [content for content in melody_bars(line, bars(score)) if content]
    if len(contents) < MIN_BARS:
        return Form(0.0, 0.0, final)
    repeats = [distances for number in range(len(contents)) if (distances := _distances(contents, number))]
    share = len(repeats) / len(contents)
    phrased = sum(any(distance % BARS_PER_PHRASE == 0 for distance in distances) for distances in repeats)
    parts = written_parts(score, line)
    written = [content for part in parts for content in part.bars]
    known = bool(score.sections)
    return Form(
        min(1.0, share / ENOUGH_RETURNS, (1 - share) / (1 - TOO_MANY_RETURNS)),
        phrased / len(repeats) if repeats else 0.0,
        final,
        closes=_closes(parts, tonic) if known and tonic is not None else None,
        regular=_regular(parts) if known else None,
        length=min(1.0, MAX_WRITTEN_BARS / max(1, len(written))) if known else 1.0,
        variety=1 - longest_loop(written).excess / max(1, len(written)),
        contrast=1 - 2 * abs(len(set(written)) / max(1, len(written)) - USUAL_CONTRAST) if known else None,
    )


def _distances(contents: Sequence[BarContent], number: int) -> list[int]:
    """Return how many bars before bar `number` its content occurred."""
    return [number - other for other in range(number) if contents[other] == contents[number]]


def _final(score: Score, line: Sequence[Onset], tonic: Tonic | None) -> float | None:
    """Return how a piece closes: its melody, or the mean of melody and bass if a chord ends it."""
    if not line or tonic is None:
        return None if line else 0.0
    melody, chord = close(line[-1], tonic), last_chord(score)
    return fmean((melody, float(chord[0] % 12 == tonic.pitch_class))) if len(chord) > 1 else melody


def _closes(parts: Sequence[WrittenPart], tonic: Tonic) -> float:
    """Return the share of parts that end on the tonic."""
    return fmean(part.last is not None and close(part.last, tonic) == 1 for part in parts)


def _regular(parts: Sequence[WrittenPart]) -> float:
    """Return the share of parts that have a standard length and are not the same as an earlier one."""
    seen: set[Sequence[BarContent]] = set()
    regular = 0
    for part in parts:
        regular += len(part.bars) in STANDARD_PARTS and part.bars not in seen
        seen.add(part.bars)
    return regular / len(parts)
