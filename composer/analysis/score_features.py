"""A score as it is measured: when what sounds, which notes are its melody, and where its bars are, found out once."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from composer.analysis.form import BarContent, melody_bars
from composer.api import Score
from composer.music.bars import Bar, bars
from composer.music.melody import Onset, top_line

__all__ = ["TICKS_PER_BEAT", "ScoreFeatures", "SoundingNote", "tick"]

TICKS_PER_BEAT = 10_080
"""Ticks to a beat by which times are compared: the halves of a beat down to 1/32, and thirds, fifths and sevenths."""


class SoundingNote(NamedTuple):
    """From which tick until which a note sounds; `pitch` is None where it is a drum."""

    start: int
    end: int
    pitch: int | None


class ScoreFeatures:
    """What is worked out of `score`, each thing when it is first asked for."""

    def __init__(self, score: Score) -> None:
        self.score = score

    @cached_property
    def notes(self) -> Sequence[SoundingNote]:
        """All notes, in order."""
        return sorted(
            (
                SoundingNote(
                    tick(note.onset), tick(note.onset) + tick(note.duration), None if part.percussion else note.pitch
                )
                for part in self.score.parts
                for note in part.notes
            ),
            key=lambda sound: sound[:2],
        )

    @cached_property
    def pitches(self) -> Sequence[int]:
        """The pitch of each note that has one."""
        return [pitch for _, _, pitch in self.notes if pitch is not None]

    @cached_property
    def end(self) -> int:
        """The tick at which the last note ends."""
        return max((sound.end for sound in self.notes), default=0)

    @cached_property
    def melody(self) -> Sequence[Onset]:
        """The melody."""
        return top_line(self.score)

    @cached_property
    def bars(self) -> Sequence[Bar]:
        """The bars, a pickup among them."""
        return list(bars(self.score))

    @cached_property
    def bar_contents(self) -> Sequence[BarContent]:
        """What the melody has in each bar but a pickup."""
        return melody_bars(self.melody, self.bars)


def tick(time: Fraction) -> int:
    """A time in beats, in ticks."""
    return round(TICKS_PER_BEAT * time.numerator / time.denominator)
