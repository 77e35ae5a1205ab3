"""Bars of music that are played one after the other, and cutting a score into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from composer.api import Meter, Part, Score, Step
from composer.music.bars import Bar, bars
from composer.music.sounding import chord_part
from composer.music.tempo_map import DEFAULT_BPM

TICKS_PER_BEAT = 480
"""The times of a player are rounded to ticks."""


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a piece that is being composed, from which it can be continued.

    It has its `steps` so far, of which the music up to beat `played` is in bars, its plan and seed.
    """

    seed: int
    steps: tuple[Step, ...] = ()
    played: Fraction = Fraction(0)
    plan: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JamBar:
    """One bar: parts whose notes are timed from its start, its `length` in beats, its meter, and its tempo.

    `starts` is whether a piece, called `title`, begins with it. After it, composing can go on from `position`, if it
    was composed.
    """

    parts: tuple[Part, ...]
    length: Fraction
    meter: Meter
    bpm: float = DEFAULT_BPM
    starts: bool = False
    title: str = ""
    position: Position | None = None

    def transposed(self, semitones: int) -> JamBar:
        """Return the bar moved by `semitones`; notes beyond the range of MIDI are moved by octaves."""
        if not semitones:
            return self
        parts = (part if part.percussion else _moved(part, semitones) for part in self.parts)
        return replace(self, parts=tuple(parts))


def cut(score: Score, start: Fraction, stop: Fraction | None, bpm: float | None = None) -> Iterator[JamBar]:
    """Yield the bars of `score` from beat `start` to beat `stop`, or to its end, at a tempo or at that of the score.

    The last bar of a piece with a pickup is shorter by it, if nothing sounds there, so that the pickup can follow.
    """
    parts = tuple(part for part in (*score.parts, chord_part(score)) if part.notes)
    found = list(bars(score))
    for bar in found:
        if bar.start < start or (stop is not None and bar.end > stop):
            continue
        end = bar.end
        if bar is found[-1] and bar.number and score.duration <= end - score.pickup:
            end -= score.pickup
        yield JamBar(
            tuple(_within(part, bar) for part in parts), end - bar.start, bar.meter._replace(onset=Fraction(0)),
            bpm or _tempo(score, bar.start), starts=not bar.start, title=score.title,
        )  # fmt: skip


def last_start(score: Score) -> Fraction:
    """Return the beat at which the last bar of `score` begins, which may not be complete; 0 if it has none."""
    return max((bar.start for bar in bars(score)), default=Fraction(0))


def _within(part: Part, bar: Bar) -> Part:
    """Return the notes of `part` that begin in `bar`, timed from its start."""
    notes = (note for note in part.notes if bar.start <= note.onset < bar.end)
    return replace(part, notes=tuple(note._replace(onset=note.onset - bar.start) for note in notes))


def _tempo(score: Score, beat: Fraction) -> float:
    return next((each.bpm for each in reversed(score.tempos) if each.onset <= beat and each.bpm > 0), DEFAULT_BPM)


def _moved(part: Part, semitones: int) -> Part:
    notes = (note._replace(pitch=_in_range(note.pitch + semitones)) for note in part.notes)
    return replace(part, notes=tuple(notes))


def _in_range(pitch: int) -> int:
    """Return a pitch that MIDI has: the nearest octave of `pitch`."""
    return pitch % 12 if pitch < 0 else 108 + pitch % 12 if pitch > 127 else pitch
