"""How well a piece closes: with a melody note or a chord of the tonic."""

from __future__ import annotations

from collections.abc import Sequence

from composer.analysis.cadence import close, tonic_of
from composer.analysis.voice_leading import last_chord, pitches_on_beats
from composer.api import Score
from composer.music.melody import top_line

_TRIAD = 3


def closing_value(score: Score) -> float:
    """Return 1 if `score` closes: with the tonic, or with a chord of its triad, major or minor, above it in the bass.

    Else return less: 1/2 for another note of the triad. A chord gets 1/2 for the tonic in the bass, and up to 1/4 by
    the share of its notes that are in the triad. All of these are less where fewer notes sound than usual, up to three:
    a lone tonic does not close music of four voices. 0 without notes.
    """
    chord = last_chord(score)
    sounding = sorted(len(pitches) for pitches in pitches_on_beats(score) if pitches)
    usual = sounding[(len(sounding) - 1) // 2] if sounding else 1
    return _value(score, chord) * min(1.0, len(chord) / min(usual, _TRIAD))


def closes(score: Score) -> bool:
    """Return whether `score` closes as in `closing_value`, however many notes sound in its last chord."""
    return _value(score, last_chord(score)) == 1


def _value(score: Score, chord: Sequence[int]) -> float:
    if len(chord) < 2:
        line = top_line(score)
        return close(line[-1], tonic_of(score)) if line else 0.0
    tonic = tonic_of(score).pitch_class
    degrees = [(pitch - tonic) % 12 for pitch in chord]
    share = sum(degree in (0, 3, 4, 7) for degree in degrees) / len(degrees)
    has_tonic_in_the_bass = degrees[0] == 0
    if has_tonic_in_the_bass and share == 1 and not {3, 4} <= {*degrees}:
        return 1.0
    return has_tonic_in_the_bass / 2 + share / 4
