"""The tonic of a piece, given or estimated, and whether a melody closes on it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import correlation
from typing import NamedTuple

from composer.api import Key, Score
from composer.music.keys import MODE_FIFTHS, has_minor_third
from composer.music.melody import Onset
from composer.music.sounding import pitched_notes


class Tonic(NamedTuple):
    """The pitch class of a tonic, and whether its third is minor."""

    pitch_class: int
    minor: bool


def cadence(score: Score, line: Sequence[Onset]) -> float:
    """Return the cadence score of `line`, the melody of `score`, as in Form; 0 if it has no notes."""
    return close(line[-1], tonic_of(score)) if line else 0.0


def close(last: Onset, tonic: Tonic) -> float:
    """Return 1 if a melody that ends with `last` ends on the tonic, 1/2 for another note of its triad, else 0."""
    degree = (last.pitch - tonic.pitch_class) % 12
    return 1.0 if degree == 0 else 0.5 if degree in (3 if tonic.minor else 4, 7) else 0.0


def tonic_of(score: Score) -> Tonic:
    """Return the tonic of the first key of `score`, or the one that its notes suggest."""
    return _tonic(score.keys[0]) if score.keys else _estimated_tonic(score)


def _tonic(key: Key) -> Tonic:
    """Return the tonic of a key."""
    return Tonic(7 * (key.sharps + MODE_FIFTHS.get(key.mode, 0)) % 12, has_minor_third(key.mode))


_PROFILES = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
)
"""Ratings of each degree in a major and a minor key (Krumhansl and Kessler 1982, table 1)."""


def _estimated_tonic(score: Score) -> Tonic:
    """Estimate the tonic of a score without a key: the profile that correlates best with its pitch-class durations."""
    sounding = [0.0] * 12
    for note in pitched_notes(score):
        sounding[note.pitch % 12] += float(note.duration)
    if len(set(sounding)) == 1:
        return Tonic(0, False)
    fits = {
        Tonic(tonic, minor): correlation(sounding[tonic:] + sounding[:tonic], profile)
        for tonic in range(12)
        for minor, profile in zip((False, True), _PROFILES, strict=True)
    }
    return max(fits, key=lambda key: fits[key])
