"""How much of a form a piece has: whether its bars return, whether they do so by phrases, and how it closes.

Three figures from 0 to 1, each of them a thing that a listener hears, and their mean. They tell a tune from a ramble,
and not a good tune from a better one.
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

__all__ = ["BarContent", "Form", "cadence", "form_of", "melody_bars"]

BARS_PER_PHRASE = 4
"""Bars of a phrase. What returns after so many bars, or a multiple of them, returns in its place."""

ENOUGH_RETURNS, TOO_MANY_RETURNS = 0.5, 0.85
"""Half of the bars of a tune in two repeated parts return at the least. Of one that is almost all return, little is
left to hear."""

BarContent = tuple[tuple[int, int], ...]
"""What is struck in a bar: ticks since its beginning, and pitches. Bars that sound the same are equal."""

_SLACK = 1e-6
"""Beats by which an onset may seem too early, as fractions are rounded."""

MIN_BARS = 4
"""Of fewer bars, nothing is told."""


@dataclass(frozen=True, slots=True)
class Form:
    """A piece's form, in figures from 0 to 1.

    `returns`: 1 where between half and 85 % of the bars have sounded before in the same pitches and rhythm; less with
    fewer, down to 0 where none has, and with more, down to 0 where all have. `phrases`: of the bars that return, the
    share that does so a multiple of four bars later. `cadence`: 1 where the melody ends on the tonic, 1/2 on another
    note of its triad, else 0.
    """

    returns: float
    phrases: float
    cadence: float

    @property
    def mean(self) -> float:
        """The mean of all."""
        return fmean((self.returns, self.phrases, self.cadence))


def form_of(score: Score) -> Form:
    """The form of the melody of `score`."""
    line = top_line(score)
    if not line:
        return Form(0.0, 0.0, 0.0)
    contents = [content for content in melody_bars(line, bars(score)) if content]
    if len(contents) < MIN_BARS:
        return Form(0.0, 0.0, cadence(score, line))
    back = [_distances(contents, number) for number in range(len(contents))]
    returning = [distances for distances in back if distances]
    share = len(returning) / len(contents)
    phrased = sum(any(distance % BARS_PER_PHRASE == 0 for distance in distances) for distances in returning)
    return Form(
        min(1.0, share / ENOUGH_RETURNS, (1 - share) / (1 - TOO_MANY_RETURNS)),
        phrased / len(returning) if returning else 0.0,
        cadence(score, line),
    )


def melody_bars(line: Sequence[Onset], bars: Iterable[Bar]) -> list[BarContent]:
    """What a melody has in each bar but a pickup; nothing where none of its notes begins there."""
    onsets = [note.onset for note in line]
    return [_content(bar, line, onsets) for bar in bars if bar.number > 0]


def _content(bar: Bar, line: Sequence[Onset], onsets: Sequence[float]) -> BarContent:
    start = float(bar.start)
    within = slice(bisect_left(onsets, start - _SLACK), bisect_left(onsets, float(bar.end) - _SLACK))
    return tuple((round(TICKS_PER_BEAT * (note.onset - start)), note.pitch) for note in line[within])


def _distances(contents: Sequence[BarContent], number: int) -> list[int]:
    """How many bars before this one the same sounded."""
    return [number - other for other in range(number) if contents[other] == contents[number]]


def cadence(score: Score, line: Sequence[Onset]) -> float:
    """How the melody of `score`, which is `line`, closes, as in Form; 0 where it is silent."""
    if not line:
        return 0.0
    tonic, minor = _tonic(score.keys[0]) if score.keys else _estimated_tonic(score)
    above = (line[-1].pitch - tonic) % 12
    return 1.0 if above == 0 else 0.5 if above in (3 if minor else 4, 7) else 0.0


def _tonic(key: Key) -> tuple[int, bool]:
    """The pitch class of a key's tonic, and whether its third is minor."""
    return 7 * (key.sharps + MODE_FIFTHS.get(key.mode, 0)) % 12, has_minor_third(key.mode)


_PROFILES = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
)
"""How well each degree fits a major and a minor key, as listeners rated it (Krumhansl and Kessler 1982, table 1)."""


def _estimated_tonic(score: Score) -> tuple[int, bool]:
    """The same of a score that names no key: the one whose profile goes best with how long each pitch class sounds."""
    sounding = [0.0] * 12
    for note in score.notes:
        sounding[note.pitch % 12] += float(note.duration)
    if len(set(sounding)) == 1:
        return 0, False
    fits = {
        (tonic, minor): correlation(sounding[tonic:] + sounding[:tonic], profile)
        for tonic in range(12)
        for minor, profile in zip((False, True), _PROFILES, strict=True)
    }
    return max(fits, key=lambda key: fits[key])
