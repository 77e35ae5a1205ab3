"""Convert beats to seconds and back, exactly, through any changes of tempo."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from math import inf

from composer.api import ChordSymbol, Note, Score, Tempo

__all__ = ["DEFAULT_BPM", "TempoMap", "at_tempo"]

DEFAULT_BPM = 120.0
"""The tempo before the first one of a score, in quarter notes per minute, as in MIDI."""

_SLOWEST = 1e-3
"""Slower tempos of damaged files count as this one."""


class TempoMap:
    """The tempos of a score as a function from beats to seconds.

    `TempoMap()` has 120 BPM throughout, so that a second is two beats. A tempo lasts until the next one; of several at
    one beat, the last counts, and tempos that are not positive are ignored. Seconds are exact fractions: a tempo that a
    MIDI file stores in whole microseconds per beat has exactly that length.
    """

    def __init__(self, tempos: Iterable[Tempo] = ()) -> None:
        usable = (tempo for tempo in tempos if 0 < tempo.bpm < inf)
        lengths = {Fraction(0): _seconds_per_beat(DEFAULT_BPM)}
        for tempo in sorted(usable, key=lambda tempo: tempo.onset):
            lengths[max(tempo.onset, Fraction(0))] = _seconds_per_beat(tempo.bpm)
        self._beats, self._seconds, self._lengths = [Fraction(0)], [Fraction(0)], [lengths[Fraction(0)]]
        for beat, length in lengths.items():
            if length != self._lengths[-1]:
                self._seconds.append(self.seconds(beat))
                self._beats.append(beat)
                self._lengths.append(length)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TempoMap) and (self._beats, self._lengths) == (other._beats, other._lengths)

    __hash__ = None  # type: ignore[assignment]

    def seconds(self, beat: Fraction | int) -> Fraction:
        """Return the time of `beat` in seconds from beat 0."""
        at = max(bisect_right(self._beats, beat) - 1, 0)
        return self._seconds[at] + (beat - self._beats[at]) * self._lengths[at]

    def beat(self, seconds: Fraction | float) -> Fraction:
        """Return the beat at a time in seconds, of which a float is taken exactly."""
        time = Fraction(seconds)
        at = max(bisect_right(self._seconds, time) - 1, 0)
        return self._beats[at] + (time - self._seconds[at]) / self._lengths[at]


def first_tempo(score: Score) -> Tempo:
    """Return the tempo in which the first note of a score, which has a tempo, sounds."""
    first = min((note.onset for part in score.parts for note in part.notes), default=Fraction(0))
    return max((each for each in score.tempos if each.onset <= first), default=score.tempos[0])


def at_tempo(score: Score, bpm: float = DEFAULT_BPM) -> Score:
    """Return `score` at a single tempo: the same times in seconds, in other beats.

    If the beats change, bars lie elsewhere, so the meters, the pickup and the notation are left out.
    """
    old, tempo = TempoMap(score.tempos), Tempo(Fraction(0), bpm)
    new = TempoMap([tempo])
    if old == new:
        return replace(score, tempos=(tempo,))

    def moved(beat: Fraction) -> Fraction:
        return new.beat(old.seconds(beat))

    def moved_note(note: Note) -> Note:
        onset = moved(note.onset)
        return note._replace(onset=onset, duration=moved(note.end) - onset)

    def moved_chord(chord: ChordSymbol) -> ChordSymbol:
        onset = moved(chord.onset)
        return chord._replace(onset=onset, duration=moved(chord.onset + chord.duration) - onset)

    return replace(
        score,
        parts=tuple(replace(part, notes=tuple(map(moved_note, part.notes)), notation=None) for part in score.parts),
        chords=tuple(map(moved_chord, score.chords)),
        keys=tuple(key._replace(onset=moved(key.onset)) for key in score.keys),
        tempos=(tempo,),
        tempo_units=(),
        meters=(),
        pickup=Fraction(0),
        notation=None,
    )


def _seconds_per_beat(bpm: float) -> Fraction:
    bpm = max(bpm, _SLOWEST)
    microseconds = round(60e6 / bpm)
    if microseconds and 60e6 / microseconds == bpm:
        return Fraction(microseconds, 1_000_000)
    return 60 / Fraction(bpm).limit_denominator(1_000_000)
