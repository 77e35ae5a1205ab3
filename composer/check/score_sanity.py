"""What is odd in music, whatever file it comes from: tempos, lengths and pitches that nobody plays."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from composer.api import Note, Part, Score, Tempo
from composer.check.abc_headers import FASTEST, SLOWEST
from composer.check.problem import Problem, Severity

__all__ = ["HIGHEST", "LOWEST", "MAX_BEATS", "score_problems"]

LOWEST, HIGHEST = 21, 108
"""The pitches of a piano's keys."""
MAX_BEATS = 256
"""Beats that a note may sound: 64 bars of common time."""

_EFFECTS = 112
"""From this General MIDI program on, instruments are bells, drums and noises, whose pitches say little."""

_LOSSES = {
    "never ended": ("hanging note", "never ended", Severity.ERROR),
    "without length": ("note without length", "without length", Severity.WARNING),
}
"""What a reader counts as lost and is a fault of the file, by words of its phrase."""


def score_problems(score: Score) -> Iterator[Problem]:
    """What is odd in `score`; its problems have no lines, and their messages say where."""
    for phrase, count in score.losses.items():
        for words, (kind, what, severity) in _LOSSES.items():
            if words in phrase:
                are = f"{count:,} notes are" if count > 1 else "a note is"
                yield Problem(0, 0, kind, f"{are} {what}", severity)
    yield from _tempos(score)
    for part in score.parts:
        yield from _lengths(part)
        if not part.percussion and part.program < _EFFECTS:
            yield from _pitches(part)


def _tempos(score: Score) -> Iterator[Problem]:
    odd = [tempo for tempo in score.tempos if not SLOWEST <= round(tempo.bpm, 3) <= FASTEST]
    if odd:
        more = f", the first of {len(odd)} that are odd" if len(odd) > 1 else ""
        message = f"a tempo of {odd[0].bpm:.4g} quarter notes a minute{_at(odd[0])}{more}"
        yield _warning("odd tempo", message)
    first = min((tempo.onset for tempo in score.tempos), default=Fraction(0))
    if len(score.tempos) > 1 and first > _first_onset(score):
        yield _warning(
            "no tempo at first", f"there is no tempo before beat {_beat(first)}, and {len(score.tempos)} later"
        )


def _first_onset(score: Score) -> Fraction:
    return min((note.onset for part in score.parts for note in part.notes), default=Fraction(0))


def _lengths(part: Part) -> Iterator[Problem]:
    long = [note for note in part.notes if note.duration > MAX_BEATS]
    if long:
        more = f", the first of {len(long)}" if len(long) > 1 else ""
        yield _warning("endless note", f"a note of {float(long[0].duration):,.4g} beats{_at(long[0], part)}{more}")


def _pitches(part: Part) -> Iterator[Problem]:
    beyond = [note for note in part.notes if not LOWEST <= note.pitch <= HIGHEST]
    if beyond:
        side = "below the lowest" if beyond[0].pitch < LOWEST else "above the highest"
        more = f", the first of {len(beyond)}" if len(beyond) > 1 else ""
        yield _warning("note out of range", f"a note {side} key of a piano{_at(beyond[0], part)}{more}")


def _at(event: Note | Tempo, part: Part | None = None) -> str:
    name = f" of `{part.name}`" if part is not None and part.name else ""
    return f" at beat {_beat(event.onset)}{name}"


def _beat(onset: Fraction) -> str:
    """A beat as musicians count: from 1."""
    return f"{float(onset) + 1:,.6g}"


def _warning(kind: str, message: str) -> Problem:
    return Problem(0, 0, kind, message, Severity.WARNING)
