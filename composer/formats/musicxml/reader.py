"""Staff notation through music21: a Score into MusicXML, and MusicXML, mxl and kern into a Score.

music21 takes half a second to load, and some 100 ms for a file; it is imported when a file is read or written.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from composer.api import ChordSymbol, Key, Meter, Note, Part, ReadError, Score, Tempo
from composer.formats.musicxml import cache as musicxml_cache
from composer.formats.musicxml import input_limits
from composer.formats.musicxml import writer as musicxml_writer
from composer.music import chords
from composer.music.repeats import RepeatBar, playing_order

if TYPE_CHECKING:
    from composer.formats import WriteSettings

MAX_BYTES = 32 * 1024 * 1024
"""The most that a file may hold, packed or unpacked."""

_MAX_JUMPING_BARS = 500
"""In a longer piece, signs such as Da Capo are not followed: music21 takes too long for them."""

VERSION = 2
"""To be raised whenever the same bytes give another score: scores are kept by it."""

_HINT = "open it in a notation program and export it again as MusicXML"


def write(score: Score, settings: WriteSettings) -> bytes:
    """`score` as MusicXML, the same bytes every time; percussion is left out.

    Times that no note value fits are moved to the nearest eighth or sixth of a beat.
    """
    data = musicxml_writer.to_musicxml(score, settings)
    for pattern, replacement in _CHANGING:
        data = re.sub(pattern, replacement, data)
    return data


_CHANGING = (
    (rb"\s*<encoding-date>.*?</encoding-date>", b""),
    (rb"<software>.*?</software>", b"<software>composer</software>"),
    (rb'\s*<creator type="composer">Music21</creator>', b""),
)
"""What music21 adds of its own that says nothing of the piece."""


def read(data: bytes, name: str) -> Score:
    """The score in `data`: MusicXML, packed (mxl) or not, or kern. Repeats are played out and ties joined.

    Raises ReadError, naming the file, for what cannot be read, and for what should not be: entity declarations,
    document types with content, and archives that unpack to more than MAX_BYTES. What was read before comes from
    the cache.
    """
    if len(data) > MAX_BYTES:
        raise ReadError(f"{name} is larger than {MAX_BYTES // 2**20} MB", "split it into smaller files")
    if not data.strip():
        raise ReadError(f"{name} is empty", _HINT)
    return musicxml_cache.through_cache(data, _reader_version(), lambda: _read(data, name))


@cache
def _reader_version() -> str:
    """The version of all that makes a score of bytes."""
    return f"notation {VERSION}, music21 {metadata.version('music21')}"


def _read(data: bytes, name: str) -> Score:
    if data[:4] == b"PK\x03\x04":
        data = input_limits.unpack_archive(data, name, MAX_BYTES)
    if data.lstrip()[:2] in (b"**", b"!!"):
        score = _parsed(input_limits.check_kern(data, name), "humdrum", name)
    else:
        score = _parsed(input_limits.check_musicxml(data, name), "musicxml", name)
    if not any(part.notes for part in score.parts):
        raise ReadError(f"{name} has no notes", "choose a file with music in it")
    return score


def _parsed(text: str, language: str, name: str) -> Score:
    """`text` read by music21. Whatever it trips over is the file's fault, and becomes a ReadError."""
    m21 = musicxml_writer.music21()
    try:
        with musicxml_writer.quiet():
            return _score(m21.converter.parseData(text, format=language))
    except Exception as error:  # its own errors, which say something, and any of Python's, which do not
        told = isinstance(error, m21.exceptions21.Music21Exception) and " ".join(str(error).split())[:100]
        raise ReadError(f"{name} cannot be understood" + (f": {told}" if told else ""), _HINT) from error


def _score(stream: Any) -> Score:
    """music21's `stream` as plain data."""
    m21 = musicxml_writer.music21()
    opus = stream.scores[0] if isinstance(stream, m21.stream.Opus) else stream
    staves = list(opus.parts)
    if not staves:
        return Score(())
    first = staves[0].getElementsByClass("Measure").first()
    played = [list(_played(staff)) for staff in staves]
    losses: Counter[str] = Counter()
    parts = tuple(_part(staff, line, losses) for staff, line in zip(staves, played, strict=True))
    tempos = {
        onset: mark.getQuarterBPM() for line in reversed(played) for onset, mark in _each(line, m21.tempo.MetronomeMark)
    }
    score = Score(
        tuple(part for part in parts if part.notes),
        tempos=tuple(Tempo(onset, float(bpm)) for onset, bpm in sorted(tempos.items()) if bpm),
        meters=tuple(Meter(at, m.numerator, m.denominator) for at, m in _each(played[0], m21.meter.TimeSignature)),
        keys=tuple(
            Key(at, k.sharps or 0, getattr(k, "mode", None) or "major")
            for at, k in _each(played[0], m21.key.KeySignature)
        ),
        pickup=_pickup(first),
        title=(opus.metadata.bestTitle or "") if opus.metadata is not None else "",
        losses=dict(losses),
    )
    return _with_chords(score, played)


_Line = list[tuple[Fraction, Any]]
"""music21's elements of one staff as they are played, each with its onset in beats."""


def _each(line: _Line, kind: Any) -> Iterator[tuple[Fraction, Any]]:
    """The elements of `line` that are of music21's class `kind`."""
    return ((onset, element) for onset, element in line if isinstance(element, kind))


def _played(staff: Any) -> Iterator[tuple[Fraction, Any]]:
    """The elements of `staff`, its repeats played out; where signs to jump contradict each other, played once."""
    m21 = musicxml_writer.music21()
    measures = list(staff.getElementsByClass("Measure"))
    if staff.recurse().getElementsByClass(m21.repeat.RepeatExpression) and len(measures) <= _MAX_JUMPING_BARS:
        with contextlib.suppress(m21.repeat.ExpanderException):
            staff = staff.expandRepeats()
        measures = []
    order = playing_order(_repeat_bars(staff, measures))
    if order == list(range(len(measures))):
        yield from ((Fraction(element.offset), element) for element in staff.flatten())
        return
    offsets = [Fraction(measure.offset) for measure in measures]
    ends = [*offsets[1:], offsets[-1] + Fraction(measures[-1].duration.quarterLength)]
    contents = [measure.flatten() for measure in measures]
    now = offsets[0]
    for at in order:
        yield from ((now + Fraction(element.offset), element) for element in contents[at])
        now += ends[at] - offsets[at]


def _repeat_bars(staff: Any, measures: list[Any]) -> list[RepeatBar]:
    """What music21's `measures` say of repeats."""
    m21 = musicxml_writer.music21()
    endings: dict[int, set[int]] = defaultdict(set)
    for bracket in staff.recurse().getElementsByClass(m21.spanner.RepeatBracket):
        for measure in bracket.getSpannedElements():
            endings[id(measure)].update(bracket.numberRange)
    bars = []
    for measure in measures:
        left, right = measure.leftBarline, measure.rightBarline
        opens = isinstance(left, m21.bar.Repeat) and left.direction == "start"
        closes = isinstance(right, m21.bar.Repeat) and right.direction == "end"
        bars.append(RepeatBar(opens, (right.times or 2) if closes else 1, frozenset(endings[id(measure)])))
    return bars


def _part(staff: Any, line: _Line, losses: Counter[str]) -> Part:
    """The notes of one staff; grace notes, unpitched percussion and what MIDI has no number for are `losses`."""
    notes: list[Note] = []
    tied: dict[int, int] = {}
    for onset, element in _each(line, musicxml_writer.music21().note.NotRest):
        duration = Fraction(element.quarterLength)
        if "ChordSymbol" in element.classes:
            continue
        for single in getattr(element, "notes", (element,)):
            if lost := _loss_reason(single, duration):
                losses[lost] += 1
                continue
            pitch, tie = round(single.pitch.ps), single.tie.type if single.tie is not None else ""
            before = tied.pop(pitch, None)
            if before is not None and tie in ("stop", "continue") and notes[before].end == onset:
                notes[before] = notes[before]._replace(duration=notes[before].duration + duration)
            else:
                before = len(notes)
                velocity = single.volume.velocity or element.volume.velocity or 80
                notes.append(Note(onset, pitch, duration, min(max(velocity, 1), 127)))
            if tie in ("start", "continue"):
                tied[pitch] = before
    instrument = staff.getInstrument(returnDefault=False)
    program = (instrument.midiProgram or 0) if instrument is not None else 0
    return Part(tuple(sorted(set(notes))), staff.partName or "", program)


def _loss_reason(single: Any, duration: Fraction) -> str:
    """Why a note of music21's cannot be had, as a phrase; empty where it can."""
    if duration == 0:
        return "grace notes left out"
    if "Note" not in single.classes:
        return "drum notes left out"
    return "" if 0 <= round(single.pitch.ps) <= 127 else "notes beyond MIDI's pitches left out"


def _pickup(measure: Any) -> Fraction:
    """The length of the first measure where it is an incomplete one, else 0."""
    if measure is None or measure.timeSignature is None:
        return Fraction(0)
    length = Fraction(measure.duration.quarterLength)
    return length if length < Fraction(measure.timeSignature.barDuration.quarterLength) else Fraction(0)


def _with_chords(score: Score, played: list[_Line]) -> Score:
    """`score` with the chord symbols in `played`, each sounding until the next."""
    kind = musicxml_writer.music21().harmony.ChordSymbol
    found = {onset: _spelled(symbol) for line in reversed(played) for onset, symbol in _each(line, kind)}
    onsets = sorted(found)
    ends = [*onsets[1:], max(score.duration, onsets[-1])] if onsets else []
    symbols = (ChordSymbol(onset, end - onset, found[onset]) for onset, end in zip(onsets, ends, strict=True))
    return replace(score, chords=tuple(symbol for symbol in symbols if symbol.duration > 0 and symbol.symbol))


def _spelled(symbol: Any) -> str:
    """music21's chord symbol in the spelling of `composer.music.chords`; "" for one without a root."""
    if "NoChord" in symbol.classes:
        return ""
    root, bass = (pitch.name.replace("-", "b") for pitch in (symbol.root(), symbol.bass()))
    kind = "dominant" if symbol.chordKind == "dominant-seventh" else symbol.chordKind
    return chords.Chord(root, kind, bass).symbol if kind in chords.KINDS else root
