"""Real ABC into the dialect: the same melody in regular writing, or a refusal that says why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from composer.api import RejectedPiece
from composer.formats.abc.dialect.bar_writer import Unwritable, write_tune
from composer.formats.abc.dialect.repair import repair_bars
from composer.formats.abc.dialect.tables import METERS, rhythm_of
from composer.formats.abc.elements import Sound, Tune
from composer.formats.abc.reader.lexer import Diagnostic, TuneText
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.structure import Bar, Section, bars, bars_as_played, ordered_sections
from composer.music.keys import Signature, Time, parse_key, pitch

__all__ = ["NormalizedTune", "normalize", "normalize_tune"]

_FATAL = {
    "ending without a first": "endings that do not match",
    "ending without a second": "endings that do not match",
    "ending given twice": "endings that do not match",
    "incomplete tuplet": "an incomplete tuplet",
    "broken rhythm without a partner": "broken rhythm without a partner",
    "impossible length": "an impossible length",
    "unknown key": "an unknown key",
    "no key": "no key",
    "unknown meter": "an unknown meter",
    "unknown transposition": "a transposition that is not understood",
}
"""Kinds of diagnostics after which nobody knows what was meant, and the reasons they are refused for."""

MAX_BARS = 400


@dataclass(frozen=True, slots=True)
class NormalizedTune:
    """A tune in the dialect. `changes` names what was mended, none where the melody is exactly the original's."""

    text: str
    title: str
    rhythm: str
    meter: str
    key: str
    mode: str
    changes: tuple[str, ...] = ()


def normalize(text: TuneText, source: str = "") -> NormalizedTune | RejectedPiece:
    """`text` in the dialect, or why it cannot be written so; `source` names it in a refusal."""
    return normalize_tune(parse_tune(text), source)


def normalize_tune(tune: Tune, source: str = "") -> NormalizedTune | RejectedPiece:
    """As `normalize`, of a parsed tune."""
    try:
        return _normalize(tune)
    except _CannotNormalize as refusal:
        return RejectedPiece(refusal.reason, source, refusal.place)
    except Unwritable as error:
        place = f"line {error.sound.line}, column {error.sound.column}" if error.sound.line else ""
        return RejectedPiece(error.reason, source, place)


class _CannotNormalize(Exception):
    def __init__(self, reason: str, line: int, column: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = f"line {line}, column {column}" if column else f"line {line}"


def _normalize(tune: Tune) -> NormalizedTune:
    top = tune.text.first
    voices = [each for each in map(bars, tune.voices.values()) if any(_tones(bar) for bar in each)]
    if not voices:
        raise _CannotNormalize("no notes", top)
    found = voices[0]
    time = _meter(tune, found)
    problems: list[Diagnostic] = []
    order = ordered_sections(tune, found, problems, parts=True)
    for problem in [*tune.diagnostics, *problems]:
        if problem.kind in _FATAL:
            raise _CannotNormalize(_FATAL[problem.kind], problem.line, problem.column)
    if sum(len(section.bars) for section in order) > MAX_BARS:
        raise _CannotNormalize("a tune that is too long", top)
    key = parse_key((tune.key or Signature()).name) or Signature()
    title, rhythm = tune.first("T"), rhythm_of(tune.first("R"), tune.first("T"))
    if rhythm == "hornpipe":
        # abc2midi plays hornpipes in 2/4 and 4/4 alone; one in cut time has the bars of common time.
        time = Time(4, 4) if time == Time(2, 2) else time
        rhythm = rhythm if str(time) in ("2/4", "4/4") else ""
    parts, changes = repair_bars(order, time.bar)
    changes = (*changes, *_changes(tune, voices, order))
    if rhythm == "hornpipe" and any(len(sound.tones) > 1 for bar in found for sound in bar.sounds):
        # abc2midi loses the broken rhythm of a hornpipe after a chord.
        rhythm = ""
    text = write_tune(parts, key, time, title, rhythm)
    return NormalizedTune(text, title, rhythm, str(time), key.name, key.mode, changes)


def _changes(tune: Tune, voices: list[list[Bar]], order: list[Section]) -> Iterator[str]:
    """What the dialect leaves out or takes in its own way, apart from what is mended."""
    found = voices[0]
    sounds = [sound for bar in found for sound in bar.sounds]
    if len(voices) > 1:
        yield "other voices left out"
    if tune.overlays:
        yield "an overlay left out"
    if any(len(sound.tones) > 1 and sound.group for sound in sounds):
        yield "a chord in a triplet made one note"
    if any(_ties_unlike(sound, following) for sound, following in pairwise(sounds)):
        yield "a tie between unlike notes left out"
    if any(bar.part for bar in found) and bars_as_played(order) != bars_as_played(ordered_sections(tune, found)):
        yield "a part mark taken for the beginning of a repeat"


def _ties_unlike(sound: Sound, following: Sound) -> bool:
    """Whether a tie joins some notes of chords that are not the same, or one pitch in two spellings."""
    held = {pitch(*tone) for tone in sound.ties} & {pitch(*tone) for tone in following.tones}
    return bool(held) and not sound.tones == sound.ties == following.tones


def _meter(tune: Tune, found: list[Bar]) -> Time:
    time, top = tune.time, tune.text.first
    if time is None or time.free:
        raise _CannotNormalize("no meter", top)
    if str(time) not in METERS:
        raise _CannotNormalize("an unusual meter", top)
    for bar in found:
        if bar.time is not None and (bar.time.free or bar.time.bar != time.bar):
            raise _CannotNormalize("a change of meter", bar.line)
    return time


def _tones(bar: Bar) -> bool:
    return any(sound.tones for sound in bar.sounds)
