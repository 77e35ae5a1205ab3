"""What sounds at each step of a piece and where it is in its bar, as numbers to correlate with."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from composer.api import Score
from composer.music.bars import Bar, bars
from composer.music.sounding import sounding_parts

Values = NDArray[np.float64]

PHRASE_BARS = 4
"""Bars of a phrase in most dances, songs and chorales."""


def music_features(score: Score, onsets: Sequence[Fraction]) -> Mapping[str, Values]:
    """Return the features of steps with these `onsets` in beats, by name: NaN if one does not apply to a step."""
    all_bars = list(bars(score))
    starts = [bar.start for bar in all_bars]
    bar_of = [all_bars[max(bisect_right(starts, onset) - 1, 0)] if all_bars else None for onset in onsets]
    places = [_place(bar, onset) for bar, onset in zip(bar_of, onsets, strict=True)]
    low, high, voices, begins = _sounding(score, onsets)
    numbers = np.array([np.nan if bar is None or not bar.number else bar.number - 1 for bar in bar_of], float)
    last = float(onsets[-1]) if len(onsets) and onsets[-1] else 1.0
    return {
        "bar line": np.array([place == 0 for place in places], float),
        "place in the bar": np.array(places, float),
        "beat": np.array([_on_beat(bar, onset) for bar, onset in zip(bar_of, onsets, strict=True)], float),
        f"place in {PHRASE_BARS} bars": (numbers % PHRASE_BARS + np.array(places, float)) / PHRASE_BARS,
        "pitch of the highest note": high,
        "pitch of the lowest note": low,
        "notes at once": voices,
        "rest": (voices == 0).astype(float),
        "new note": begins,
        "place in the piece": np.array([float(onset) for onset in onsets]) / last,
    }


def _place(bar: Bar | None, onset: Fraction) -> float:
    """Return the place of an onset in its bar, from 0 to 1. A pickup ends where a full bar does."""
    if bar is None or not bar.length:
        return np.nan
    missing = bar.meter.bar - bar.length if bar.number == 0 else Fraction(0)
    return float((onset - bar.start + missing) / (bar.length + missing))


def _on_beat(bar: Bar | None, onset: Fraction) -> float:
    if bar is None:
        return np.nan
    return float((onset - (bar.end if bar.number == 0 else bar.start)) % bar.pulse == 0)


def _sounding(score: Score, onsets: Sequence[Fraction]) -> tuple[Values, Values, Values, Values]:
    """Return the lowest and highest pitch at each onset, how many notes sound, and whether one begins."""
    count, times = len(onsets), np.array([float(onset) for onset in onsets])
    low, high, voices, begins = np.full(count, np.inf), np.full(count, -np.inf), np.zeros(count), np.zeros(count)
    for part in sounding_parts(score):
        for note in part.notes:
            first, stop = (int(np.searchsorted(times, float(edge) - 1e-6)) for edge in (note.onset, note.end))
            low[first:stop], high[first:stop] = (
                np.minimum(low[first:stop], note.pitch), np.maximum(high[first:stop], note.pitch),
            )  # fmt: skip
            voices[first:stop] += 1
            begins[first : first + (stop > first)] = 1
    return np.where(voices > 0, low, np.nan), np.where(voices > 0, high, np.nan), voices, begins
