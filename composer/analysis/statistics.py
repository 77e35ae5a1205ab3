"""Statistics of a piece of music: pitch, harmony and rhythm.

Definitions follow MusPy (Dong, Chen, McAuley and Berg-Kirkpatrick 2020, "MusPy: a toolkit for symbolic music
generation", section 6) where it has them, so that values can be compared with published ones. Drums have no pitch, but
they do sound. All functions return None if a piece has nothing to measure.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import fmean

from composer.analysis.score_features import TICKS_PER_BEAT, ScoreFeatures, tick
from composer.music.bars import Bar
from composer.music.keys import MAJOR_SCALE

GROOVE = 24
"""Positions per beat for onsets: MusPy's resolution. On a finer grid all grooves look alike."""


def pitches_used(music: ScoreFeatures) -> float | None:
    """Return the number of different pitches."""
    return len(set(music.pitches)) or None


def pitch_classes_used(music: ScoreFeatures) -> float | None:
    """Return the number of different pitch classes, at most 12."""
    return len({pitch % 12 for pitch in music.pitches}) or None


def pitch_range(music: ScoreFeatures) -> float | None:
    """Return the semitones from the lowest to the highest note."""
    pitches = music.pitches
    return max(pitches) - min(pitches) if pitches else None


def pitch_entropy(music: ScoreFeatures) -> float | None:
    """Return the entropy of the pitches in bits, each note counted once."""
    return _entropy(music.pitches)


def pitch_class_entropy(music: ScoreFeatures) -> float | None:
    """Return the entropy of the pitch classes in bits, at most log2(12) (Wu and Yang 2020)."""
    return _entropy(pitch % 12 for pitch in music.pitches)


def scale_consistency(music: ScoreFeatures) -> float | None:
    """Return the largest share of notes that fit one major or natural minor scale (Mogren 2016)."""
    counts = Counter(pitch % 12 for pitch in music.pitches)
    if not counts:
        return None
    return max(sum(counts[(tonic + degree) % 12] for degree in MAJOR_SCALE) for tonic in range(12)) / counts.total()


def polyphony(music: ScoreFeatures) -> float | None:
    """Return the average number of simultaneous pitches while any sounds."""
    sounding = _time_by_pitches(music)
    time = sum(ticks for pitches, ticks in sounding.items() if pitches)
    return sum(pitches * ticks for pitches, ticks in sounding.items()) / time if time else None


def polyphony_rate(music: ScoreFeatures) -> float | None:
    """Return the share of time with two or more pitches (Dong et al. 2018: polyphonicity)."""
    end = music.end
    return sum(ticks for pitches, ticks in _time_by_pitches(music).items() if pitches > 1) / end if end else None


def empty_beat_rate(music: ScoreFeatures) -> float | None:
    """Return the share of silent quarter notes, up to the end of the last note."""
    beats = -(-music.end // TICKS_PER_BEAT)
    return _silent(music, [(TICKS_PER_BEAT * beat, TICKS_PER_BEAT * (beat + 1)) for beat in range(beats)])


def empty_bar_rate(music: ScoreFeatures) -> float | None:
    """Return the share of silent bars (Dong et al. 2018)."""
    return _silent(music, [(tick(bar.start), tick(bar.end)) for bar in music.bars])


def groove_consistency(music: ScoreFeatures) -> float | None:
    """Return 1 minus the mean share of onset positions that differ between neighboring bars.

    A bar has GROOVE positions per beat (Wu and Yang 2020, equation 3). Bars of different lengths and a pickup are not
    compared.
    """
    bars = [bar for bar in music.bars if bar.number > 0]
    differences = [
        len(onsets ^ next_onsets) / (GROOVE * float(bar.length))
        for (bar, onsets), (next_bar, next_onsets) in pairwise(zip(bars, _onset_positions(music, bars), strict=True))
        if bar.length == next_bar.length
    ]
    return 1 - fmean(differences) if differences else None


def interval_size(music: ScoreFeatures) -> float | None:
    """Return the mean size of the melody's intervals in semitones."""
    return fmean(found) if (found := _intervals(music)) else None


def share_of_intervals(music: ScoreFeatures, smallest: int, largest: int = 127) -> float | None:
    """Return the share of the melody's intervals that have `smallest` to `largest` semitones."""
    found = _intervals(music)
    return fmean(smallest <= each <= largest for each in found) if found else None


def notes_per_beat(music: ScoreFeatures) -> float | None:
    """Return the notes per quarter note, drums included, over the whole piece."""
    end = music.end
    return len(music.notes) * TICKS_PER_BEAT / end if end else None


def duration(music: ScoreFeatures) -> float | None:
    """Return the quarter notes from the start to the end of the last note."""
    return music.end / TICKS_PER_BEAT or None


def _intervals(music: ScoreFeatures) -> list[int]:
    return [abs(after.pitch - before.pitch) for before, after in pairwise(music.melody)]


def _entropy(values: Iterable[int]) -> float | None:
    counts = Counter(values)
    shares = [count / counts.total() for count in counts.values()]
    return max(0.0, -sum(share * math.log2(share) for share in shares)) if shares else None


def _time_by_pitches(music: ScoreFeatures) -> Counter[int]:
    """Return the ticks for which each number of pitches sounds at once."""
    changes = sorted(
        (at, change, sound.pitch)
        for sound in music.notes
        if sound.pitch is not None
        for at, change in ((sound.start, 1), (sound.end, -1))
    )
    times, voices, last, sounding = Counter[int](), Counter[int](), 0, 0
    for at, change, pitch in changes:
        times[sounding] += at - last
        last = at
        before = voices[pitch] > 0
        voices[pitch] += change
        sounding += (voices[pitch] > 0) - before
    return times


def _silent(music: ScoreFeatures, spans: Sequence[tuple[int, int]]) -> float | None:
    """Return the share of `spans`, sorted pairs of ticks, in which nothing sounds."""
    sounding: list[list[int]] = []
    for begin, end, _ in music.notes:
        if sounding and begin <= sounding[-1][1]:
            sounding[-1][1] = max(sounding[-1][1], end)
        else:
            sounding.append([begin, end])
    if not sounding:
        return None
    ends = [end for _, end in sounding]
    silent = 0
    for begin, end in spans:
        at = bisect_left(ends, begin + 1)
        silent += at == len(ends) or sounding[at][0] >= end
    return silent / len(spans)


def _onset_positions(music: ScoreFeatures, bars: Sequence[Bar]) -> list[set[int]]:
    """Return the positions of the onsets in each bar, in GROOVE units per beat."""
    starts = [tick(bar.start) for bar in bars]
    positions: list[set[int]] = [set() for _ in bars]
    for sound in music.notes:
        at = bisect_left(starts, sound.start + 1) - 1
        if at >= 0:
            positions[at].add((sound.start - starts[at]) * GROOVE // TICKS_PER_BEAT)
    return positions
