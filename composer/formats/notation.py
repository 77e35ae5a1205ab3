"""Staff notation through music21: a Score into MusicXML, and MusicXML, mxl and kern into a Score.

music21 takes half a second to load, and some 100 ms for a file; it is imported when a file is read or written.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from composer.api import ChordSymbol, Key, Meter, Note, Part, ReadError, Score, Tempo
from composer.formats import chords, engraving, envelope, score_cache

if TYPE_CHECKING:
    from composer.formats import WriteSettings

MAX_BYTES = 32 * 1024 * 1024
"""The most that a file may hold, packed or unpacked."""

VERSION = 1
"""To be raised whenever the same bytes give another score: scores are kept by it."""

_HINT = "open it in a notation program and export it again as MusicXML"


def write(score: Score, settings: WriteSettings) -> bytes:
    """`score` as MusicXML, the same bytes every time; percussion is left out.

    Times that no note value fits are moved to the nearest eighth or sixth of a beat.
    """
    data = engraving.export(score, settings)
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
    return score_cache.through_cache(data, _reader(), lambda: _read(data, name))


@cache
def _reader() -> str:
    """The version of all that makes a score of bytes."""
    return f"notation {VERSION}, music21 {metadata.version('music21')}"


def _read(data: bytes, name: str) -> Score:
    if data[:4] == b"PK\x03\x04":
        data = envelope.unpacked(data, name, MAX_BYTES)
    if data.lstrip()[:2] in (b"**", b"!!"):
        score = _parsed(data.decode("utf-8", "replace"), "humdrum", name)
    else:
        score = _parsed(envelope.checked(data, name), "musicxml", name)
    if not any(part.notes for part in score.parts):
        raise ReadError(f"{name} has no notes", "choose a file with music in it")
    return score


def _parsed(text: str, language: str, name: str) -> Score:
    """`text` read by music21. Whatever it trips over is the file's fault, and becomes a ReadError."""
    m21 = engraving.music21()
    try:
        with engraving.quiet():
            return _score(m21.converter.parseData(text, format=language))
    except Exception as error:  # its own errors, which say something, and any of Python's, which do not
        told = isinstance(error, m21.exceptions21.Music21Exception) and " ".join(str(error).split())[:100]
        raise ReadError(f"{name} cannot be understood" + (f": {told}" if told else ""), _HINT) from error


def _score(stream: Any) -> Score:
    """music21's `stream` as plain data."""
    m21 = engraving.music21()
    opus = stream.scores[0] if isinstance(stream, m21.stream.Opus) else stream
    staves = list(opus.parts)
    if not staves:
        return Score(())
    first = staves[0].getElementsByClass("Measure").first()
    played = [_played(staff) for staff in staves]
    head = played[0]
    losses: Counter[str] = Counter()
    parts = tuple(_part(staff, flat, losses) for staff, flat in zip(staves, played, strict=True))
    tempos = {Fraction(m.offset): m.getQuarterBPM() for flat in reversed(played) for m in flat[m21.tempo.MetronomeMark]}
    score = Score(
        tuple(part for part in parts if part.notes),
        tempos=tuple(Tempo(onset, float(bpm)) for onset, bpm in sorted(tempos.items()) if bpm),
        meters=tuple(Meter(Fraction(m.offset), m.numerator, m.denominator) for m in head[m21.meter.TimeSignature]),
        keys=tuple(
            Key(Fraction(k.offset), k.sharps or 0, getattr(k, "mode", None) or "major")
            for k in head[m21.key.KeySignature]
        ),
        pickup=_pickup(first),
        title=(opus.metadata.bestTitle or "") if opus.metadata is not None else "",
        losses=dict(losses),
    )
    return _with_chords(score, played)


def _played(staff: Any) -> Any:
    """`staff` in one line, its repeats played out; those that contradict each other are played through once."""
    m21 = engraving.music21()
    if not staff.recurse().getElementsByClass((m21.repeat.RepeatMark, m21.spanner.RepeatBracket)):
        return staff.flatten()
    with contextlib.suppress(m21.repeat.ExpanderException):
        staff = staff.expandRepeats()
    return staff.flatten()


def _part(staff: Any, flat: Any, losses: Counter[str]) -> Part:
    """The notes of one staff; grace notes, unpitched percussion and what MIDI has no number for are `losses`."""
    notes: list[Note] = []
    tied: dict[int, int] = {}
    for element in flat.notes:
        onset, duration = Fraction(element.offset), Fraction(element.quarterLength)
        if "ChordSymbol" in element.classes:
            continue
        for single in getattr(element, "notes", (element,)):
            if lost := _lost(single, duration):
                losses[lost] += 1
                continue
            pitch, tie = single.pitch.midi, single.tie.type if single.tie is not None else ""
            before = tied.pop(pitch, None)
            if before is not None and tie in ("stop", "continue") and notes[before].end == onset:
                notes[before] = replace(notes[before], duration=notes[before].duration + duration)
            else:
                before = len(notes)
                velocity = single.volume.velocity or element.volume.velocity or 80
                notes.append(Note(onset, pitch, duration, min(max(velocity, 1), 127)))
            if tie in ("start", "continue"):
                tied[pitch] = before
    instrument = staff.getInstrument(returnDefault=False)
    program = (instrument.midiProgram or 0) if instrument is not None else 0
    return Part(tuple(sorted(set(notes))), staff.partName or "", program)


def _lost(single: Any, duration: Fraction) -> str:
    """Why a note of music21's cannot be had, as a phrase; empty where it can."""
    if duration == 0:
        return "grace notes left out"
    if "Note" not in single.classes:
        return "drum notes left out"
    return "" if 0 <= single.pitch.midi <= 127 else "notes beyond MIDI's pitches left out"


def _pickup(measure: Any) -> Fraction:
    """The length of the first measure where it is an incomplete one, else 0."""
    if measure is None or measure.timeSignature is None:
        return Fraction(0)
    length = Fraction(measure.duration.quarterLength)
    return length if length < Fraction(measure.timeSignature.barDuration.quarterLength) else Fraction(0)


def _with_chords(score: Score, played: list[Any]) -> Score:
    """`score` with the chord symbols in `played`, each sounding until the next."""
    kind = engraving.music21().harmony.ChordSymbol
    found = {Fraction(symbol.offset): _spelled(symbol) for flat in reversed(played) for symbol in flat[kind]}
    onsets = sorted(found)
    ends = [*onsets[1:], max(score.duration, onsets[-1])] if onsets else []
    symbols = (ChordSymbol(onset, end - onset, found[onset]) for onset, end in zip(onsets, ends, strict=True))
    return replace(score, chords=tuple(symbol for symbol in symbols if symbol.duration > 0 and symbol.symbol))


def _spelled(symbol: Any) -> str:
    """music21's chord symbol in the spelling of `composer.formats.chords`; "" for one without a root."""
    if "NoChord" in symbol.classes:
        return ""
    root, bass = (pitch.name.replace("-", "b") for pitch in (symbol.root(), symbol.bass()))
    kind = "dominant" if symbol.chordKind == "dominant-seventh" else symbol.chordKind
    return chords.Chord(root, kind, bass).symbol if kind in chords.KINDS else root
