"""Musical form of a piece: repeated bars, phrases and the final cadence, each from 0 to 1.

The scores separate a tune from rambling, not a good tune from a better one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import correlation, fmean

from composer.api import Key, Score
from composer.music.bars import Bar, bars
from composer.music.keys import MODE_FIFTHS, has_minor_third
from composer.music.melody import TICKS_PER_BEAT, Onset, top_line
from composer.music.sounding import pitched_notes

BARS_PER_PHRASE = 4
"""Bars that repeat after a multiple of this many bars repeat as part of a phrase."""

ENOUGH_RETURNS, TOO_MANY_RETURNS = 0.5, 0.85
"""In a tune of two repeated parts, at least half of the bars repeat; a tune that repeats nearly all is monotonous."""

BarContent = tuple[tuple[int, int], ...]
"""Onsets in a bar as (ticks from its start, pitch); equal bars sound the same."""

_SLACK = 1e-6
"""Tolerance in beats for onsets that rounding moves before a bar line."""

MIN_BARS = 4
"""Pieces with fewer bars have no repeats."""


@dataclass(frozen=True, slots=True)
class Form:
    """Form scores of a piece, from 0 to 1.

    `returns` is 1 if 50 to 85 % of the bars repeat an earlier one exactly, and falls to 0 toward no and all bars.
    `phrases` is the share of the repeated bars that come a multiple of four bars later. `cadence` is 1 if the melody
    ends on the tonic, 1/2 on another note of the tonic triad, else 0; None for percussion.
    """

    returns: float
    phrases: float
    cadence: float | None

    @property
    def mean(self) -> float:
        """Return the mean of the three scores."""
        return fmean(each for each in (self.returns, self.phrases, self.cadence) if each is not None)


def form_of(score: Score) -> Form:
    """Return the form of the melody of `score`, or of what `top_line` takes for it."""
    line = top_line(score)
    final = None if line and not pitched_notes(score) else cadence(score, line)
    contents = [content for content in melody_bars(line, bars(score)) if content]
    if len(contents) < MIN_BARS:
        return Form(0.0, 0.0, final)
    repeats = [distances for number in range(len(contents)) if (distances := _distances(contents, number))]
    share = len(repeats) / len(contents)
    phrased = sum(any(distance % BARS_PER_PHRASE == 0 for distance in distances) for distances in repeats)
    return Form(
        min(1.0, share / ENOUGH_RETURNS, (1 - share) / (1 - TOO_MANY_RETURNS)),
        phrased / len(repeats) if repeats else 0.0,
        final,
    )


def melody_bars(line: Sequence[Onset], bars: Iterable[Bar]) -> list[BarContent]:
    """Return the onsets of a melody in each bar except a pickup."""
    onsets, contents = [note.onset for note in line], []
    for bar in bars:
        if bar.number > 0:
            start = float(bar.start)
            within = slice(bisect_left(onsets, start - _SLACK), bisect_left(onsets, float(bar.end) - _SLACK))
            contents.append(tuple((round(TICKS_PER_BEAT * (note.onset - start)), note.pitch) for note in line[within]))
    return contents


def _distances(contents: Sequence[BarContent], number: int) -> list[int]:
    """Return how many bars before bar `number` its content occurred."""
    return [number - other for other in range(number) if contents[other] == contents[number]]


def cadence(score: Score, line: Sequence[Onset]) -> float:
    """Return the cadence score of `line`, the melody of `score`, as in Form; 0 if it has no notes."""
    if not line:
        return 0.0
    tonic, minor = _tonic(score.keys[0]) if score.keys else _estimated_tonic(score)
    degree = (line[-1].pitch - tonic) % 12
    return 1.0 if degree == 0 else 0.5 if degree in (3 if minor else 4, 7) else 0.0


def _tonic(key: Key) -> tuple[int, bool]:
    """Return the pitch class of a key's tonic, and whether its third is minor."""
    return 7 * (key.sharps + MODE_FIFTHS.get(key.mode, 0)) % 12, has_minor_third(key.mode)


_PROFILES = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
)
"""Ratings of each degree in a major and a minor key (Krumhansl and Kessler 1982, table 1)."""


def _estimated_tonic(score: Score) -> tuple[int, bool]:
    """Estimate `_tonic` of a score without a key: the profile that correlates best with its pitch-class durations."""
    sounding = [0.0] * 12
    for note in pitched_notes(score):
        sounding[note.pitch % 12] += float(note.duration)
    if len(set(sounding)) == 1:
        return 0, False
    fits = {
        (tonic, minor): correlation(sounding[tonic:] + sounding[:tonic], profile)
        for tonic in range(12)
        for minor, profile in zip((False, True), _PROFILES, strict=True)
    }
    return max(fits, key=lambda key: fits[key])
