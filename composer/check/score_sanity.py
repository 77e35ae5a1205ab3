"""Check a score of any format: lost notes, bars of the wrong length, unusual tempos, lengths and pitches."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from composer.api import Note, Part, Score, Tempo
from composer.check.abc_bar_lengths import in_notes
from composer.check.abc_headers import FASTEST, SLOWEST
from composer.check.loss_phrases import counted
from composer.check.problem import Problem, Severity
from composer.music.bars import unfilled_bars

LOWEST, HIGHEST = 21, 108
"""The keys of a piano."""
MAX_BEATS = 256
"""The longest usual note, in beats: 64 bars of common time."""

_EFFECTS = 112
"""General MIDI programs from here on are bells, drums and noises, whose pitches mean little."""

_LOSSES = {
    "without note-off": ("hanging note", Severity.ERROR), "of zero length": ("zero-length note", Severity.WARNING),
    "without a valid value": ("invalid event", Severity.WARNING),
    "after the end of a track": ("bytes after the end", Severity.WARNING),
    "above 127": ("invalid data byte", Severity.ERROR),
    "to a missing sign": ("jump without its sign", Severity.WARNING),
    "not understood": ("unclear jump", Severity.WARNING),
    "with nothing to repeat": ("measure repeat without a measure", Severity.WARNING),
    "notes of no length": ("zero-length note", Severity.WARNING),
    "not read": ("notes not read", Severity.ERROR), "not in the spines": ("notes not in the file", Severity.ERROR),
    "that no section has": ("unknown section", Severity.WARNING),
    "elements of MEI": ("element not read", Severity.WARNING),
}  # fmt: skip
"""The losses that are problems of the file, by words in the reader's phrase."""


def score_problems(score: Score) -> Iterator[Problem]:
    """Yield the problems of `score`; they have no lines, so their messages name the beat."""
    for phrase, count in score.losses.items():
        for words, (kind, severity) in _LOSSES.items():
            if words in phrase:
                yield Problem(0, 0, kind, counted(count, phrase.removesuffix(" left out")), severity)
    yield from _bars(score)
    yield from _tempos(score)
    for part in score.parts:
        yield from _lengths(part)
        if not part.percussion and part.program < _EFFECTS:
            yield from _pitches(part)


def _bars(score: Score) -> Iterator[Problem]:
    found = [*unfilled_bars(score)]
    if found:
        (bar, meter), *others = found
        length = in_notes(float(bar.length) / 4, meter.denominator)
        more = f", the first of {len(found)} bars that do not fill the meter" if others else ""
        kind = f"bar too {'short' if bar.length < meter.bar else 'long'}"
        needed = f"{meter.numerator}/{meter.denominator} needs {meter.numerator}"
        yield _warning(kind, f"bar {bar.number} has {length}; {needed}{more}")


def _tempos(score: Score) -> Iterator[Problem]:
    odd = [tempo for tempo in score.tempos if not SLOWEST <= round(tempo.bpm, 3) <= FASTEST]
    if odd:
        more = f", the first of {len(odd)} unusual tempos" if len(odd) > 1 else ""
        message = f"unusual tempo of {odd[0].bpm:,.6g} quarter notes per minute{_at(odd[0])}{more}"
        yield _warning("unusual tempo", message)
    first = min((tempo.onset for tempo in score.tempos), default=Fraction(0))
    notes = min((note.onset for part in score.parts for note in part.notes), default=Fraction(0))
    if len(score.tempos) > 1 and first > notes:
        message = f"the first of {len(score.tempos)} tempos is at beat {_beat(first)}, after the first note"
        yield _warning("no initial tempo", message)


def _lengths(part: Part) -> Iterator[Problem]:
    long = [note for note in part.notes if note.duration > MAX_BEATS]
    if long:
        more = f", the first of {len(long)}" if len(long) > 1 else ""
        yield _warning("overlong note", f"note of {float(long[0].duration):,.6g} beats{_at(long[0], part)}{more}")


def _pitches(part: Part) -> Iterator[Problem]:
    beyond = [note for note in part.notes if not LOWEST <= note.pitch <= HIGHEST]
    if beyond:
        side = "below" if beyond[0].pitch < LOWEST else "above"
        more = f", the first of {len(beyond)}" if len(beyond) > 1 else ""
        yield _warning("note out of range", f"note {side} the range of a piano{_at(beyond[0], part)}{more}")


def _at(event: Note | Tempo, part: Part | None = None) -> str:
    name = f" of `{part.name}`" if part is not None and part.name else ""
    return f" at beat {_beat(event.onset)}{name}"


def _beat(onset: Fraction) -> str:
    """Format a beat, counted from 1."""
    return f"{float(onset) + 1:,.6g}"


def _warning(kind: str, message: str) -> Problem:
    return Problem(0, 0, kind, message, Severity.WARNING)
