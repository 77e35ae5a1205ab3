"""Notes, melody and bars of a score, each computed once."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from composer.analysis.written_parts import BarContent, melody_bars
from composer.api import Score
from composer.music.bars import Bar, bars
from composer.music.melody import Onset, top_line
from composer.music.sounding import chord_part

TICKS_PER_BEAT = 10_080
"""Ticks per beat: a beat divides into 32 parts, and into thirds, fifths, sevenths and ninths."""


class SoundingNote(NamedTuple):
    """A note from tick `start` to tick `end`; drums have no pitch."""

    start: int
    end: int
    pitch: int | None


class ScoreFeatures:
    """Features of `score`, computed on first use."""

    def __init__(self, score: Score) -> None:
        self.score = score

    @cached_property
    def notes(self) -> Sequence[SoundingNote]:
        """All notes, sorted by start and end; without pitched notes, also those of the chord symbols."""
        parts = self.score.parts
        if not any(part.notes and not part.percussion for part in parts):
            parts = (*parts, chord_part(self.score))
        found = [
            SoundingNote(
                start := tick(note.onset), start + tick(note.duration), None if part.percussion else note.pitch
            )
            for part in parts
            for note in part.notes
        ]
        return sorted(found, key=lambda sound: sound[:2])

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
        """The melody line; empty for percussion."""
        return self._line if self.pitches else ()

    @cached_property
    def bars(self) -> Sequence[Bar]:
        """The bars, with a pickup as bar 0."""
        return list(bars(self.score))

    @cached_property
    def bar_contents(self) -> Sequence[BarContent]:
        """The onsets of the melody, else of the lowest percussion, in each bar except a pickup."""
        return melody_bars(self._line, self.bars)

    @cached_property
    def _line(self) -> Sequence[Onset]:
        return top_line(self.score)


def tick(time: Fraction) -> int:
    """Return a time in beats as ticks."""
    return round(TICKS_PER_BEAT * time.numerator / time.denominator)
