"""Normalize real ABC: the same melody in the regular dialect, or the reason why it is rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from composer.api import RejectedPiece
from composer.formats.abc.dialect.bar_writer import Unwritable, write_tune
from composer.formats.abc.dialect.repair import repair_bars
from composer.formats.abc.dialect.tables import METERS, chord_symbol, rhythm_of
from composer.formats.abc.elements import Sound, Tune
from composer.formats.abc.note_names import OTHER_ACCIDENTALS
from composer.formats.abc.reader.bars import Bar
from composer.formats.abc.reader.guesses import guesses
from composer.formats.abc.reader.lexer import Diagnostic, TuneText
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.playback import tune_bars
from composer.formats.abc.reader.score import is_chord
from composer.formats.abc.reader.structure import Section, bars_as_played, ordered_sections
from composer.formats.abc.reader.tokens import TOO_LONG
from composer.music.keys import Signature, Time, parse_key, pitch

__all__ = ["NormalizedTune", "normalize"]

_FATAL = {
    "ending without a first": "mismatched endings",
    "ending without a second": "mismatched endings",
    "ending given twice": "mismatched endings",
    "missing ending": "mismatched endings",
    "impossible ending": "mismatched endings",
    "incomplete tuplet": "incomplete tuplet",
    "tuplet across a bar line": "tuplet across a bar line",
    "broken rhythm without a partner": "broken rhythm without a partner",
    "impossible length": "impossible note length",
    TOO_LONG: "impossible note length",
    "unknown key": "unknown key",
    "no key": "no key",
    "unknown meter": "unknown meter",
    "unknown transposition": "unknown transposition",
}
"""Kinds of diagnostics that make a tune ambiguous, and the reasons to reject it for."""

MAX_BARS = 400


@dataclass(frozen=True, slots=True)
class NormalizedTune:
    """A tune in the dialect. `changes` names what was changed; it is empty if the melody is exactly the original.

    `losses` counts what the tune as written has and the dialect leaves out, as in `Piece.losses`.
    """

    text: str
    title: str
    rhythm: str
    meter: str
    key: str
    mode: str
    changes: tuple[str, ...] = ()
    losses: Mapping[str, int] = field(default_factory=dict)


def normalize(text: TuneText, source: str = "") -> NormalizedTune | RejectedPiece:
    """Return `text` in the dialect, or why it cannot be written there; `source` names it in a rejection."""
    return normalize_tune(parse_tune(text), source)


def normalize_tune(tune: Tune, source: str = "") -> NormalizedTune | RejectedPiece:
    """Normalize a parsed tune, as `normalize` does."""
    try:
        return _normalize(tune)
    except _Rejected as error:
        return RejectedPiece(error.reason, source, error.place)
    except Unwritable as error:
        place = f"line {error.sound.line}, column {error.sound.column}" if error.sound.line else error.detail
        return RejectedPiece(error.reason, source, place, error.hint)


class _Rejected(Exception):
    def __init__(self, reason: str, line: int, column: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = f"line {line}, column {column}" if column else f"line {line}"


def _normalize(tune: Tune) -> NormalizedTune:
    top = tune.text.first
    losses = Counter(tune.losses)
    bars = tune_bars(tune, losses=losses).values()
    voices = [each for each in bars if any(sound.tones for bar in each for sound in bar.sounds)]
    if not voices:
        raise _Rejected("no notes", top)
    found = voices[0]
    time = _meter(tune, found)
    problems: list[Diagnostic] = []
    order = ordered_sections(tune, found, problems, parts=True)
    for problem in [*tune.diagnostics, *problems]:
        if problem.kind in _FATAL:
            raise _Rejected(_FATAL[problem.kind], problem.line, problem.column)
    losses += guesses(tune, [*tune.diagnostics, *problems]).counts
    if sum(len(section.bars) for section in order) > MAX_BARS:
        raise _Rejected(f"more than {MAX_BARS} bars", top)
    key = parse_key((tune.key or Signature()).name) or Signature()
    losses[OTHER_ACCIDENTALS] += tune.key is not None and tune.key.alters != key.alters
    title, rhythm = tune.title, rhythm_of(tune.first("R"), tune.title)
    if rhythm == "hornpipe":
        # abc2midi swings hornpipes only in 2/4 and 4/4; one in cut time has the bars of common time
        time = Time(4, 4) if time == Time(2, 2) else time
        rhythm = rhythm if str(time) in ("2/4", "4/4") else ""
    parts, changes = repair_bars(order, time.bar)
    changes = (*changes, *_changes(tune, voices, order))
    if rhythm == "hornpipe" and any(len(sound.tones) > 1 for bar in found for sound in bar.sounds):
        # abc2midi loses the broken rhythm of a hornpipe after a chord
        rhythm = ""
    text = write_tune(parts, key, time, title, rhythm)
    return NormalizedTune(
        text, title, rhythm, str(time), key.name, key.mode, changes, dict(_losses(tune, voices, losses))
    )


def _losses(tune: Tune, voices: list[list[Bar]], losses: Counter[str]) -> Iterator[tuple[str, int]]:
    """Yield the phrases and counts of what the dialect leaves out, in addition to `losses`."""
    losses["notes of other parts left out"] = sum(
        len(sound.tones) for found in voices[1:] for bar in found for sound in bar.sounds
    )
    losses["chord symbols left out"] += sum(
        is_chord(sound.chord) and not chord_symbol(sound.chord) for bar in voices[0] for sound in bar.sounds
    )
    losses["overlay notes left out"] = tune.overlay_notes
    losses["jumps such as D.C. left out"] = sum(each.kind == "jump" for bar in voices[0] for each in bar.after)
    del losses["changes of instrument left out"]  # the dialect has none
    return ((phrase, count) for phrase, count in losses.items() if count)


def _changes(tune: Tune, voices: list[list[Bar]], order: list[Section]) -> Iterator[str]:
    """Yield what the dialect leaves out or reads differently, other than repairs."""
    found = voices[0]
    sounds = [sound for bar in found for sound in bar.sounds]
    if len(voices) > 1:
        yield "other voices left out"
    if tune.overlay_notes:
        yield "overlay left out"
    if any(each.kind == "jump" for bar in found for each in bar.after):
        yield "jump such as D.C. left out"
    if any(len(sound.tones) > 1 and sound.group for sound in sounds):
        yield "chord in a triplet reduced to one note"
    if any(_ties_unlike(sound, following) for sound, following in pairwise(sounds)):
        yield "tie between different notes removed"
    if any(bar.part for bar in found) and bars_as_played(order) != bars_as_played(ordered_sections(tune, found)):
        yield "part mark treated as the start of a repeat"


def _ties_unlike(sound: Sound, following: Sound) -> bool:
    """Return whether a tie joins notes of different chords, or one pitch in two spellings."""
    held = {pitch(*tone) for tone in sound.ties} & {pitch(*tone) for tone in following.tones}
    return bool(held) and not sound.tones == sound.ties == following.tones


def _meter(tune: Tune, found: list[Bar]) -> Time:
    time, top = tune.time, tune.text.first
    if time is None or time.free:
        raise _Rejected("no meter", top)
    if str(time) not in METERS:
        raise _Rejected("unsupported meter", top)
    for bar in found:
        if bar.time is not None and (bar.time.free or bar.time.bar != time.bar):
            raise _Rejected("meter change", bar.line)
    return time
