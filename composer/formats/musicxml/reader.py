"""Read MusicXML and mxl with music21, which takes some 100 ms per file."""

from __future__ import annotations

import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from importlib import metadata
from typing import Any

from composer.api import ChordSymbol, Key, Meter, Note, Part, ReadError, Score, Source, Tempo
from composer.formats.limits import exceeded_limit
from composer.formats.musicxml.cache import through_cache
from composer.formats.musicxml.input_limits import check_musicxml, unpack_archive
from composer.formats.musicxml.library import MARK_FIELD, music21, quiet
from composer.formats.musicxml.percussion import to_pitched
from composer.music import chords
from composer.music.repeats import RepeatBar, playing_order

MAX_BYTES = 32 * 1024 * 1024
"""The largest file, packed or unpacked."""

_MAX_JUMPING_BARS = 500
"""Jumps such as Da Capo are ignored in longer pieces, for which music21 takes too long."""

VERSION = 4
"""Part of the cache key; increase it whenever the same bytes give another score."""

_HINT = "open it in a notation program and export it again as MusicXML"
_MARK = re.compile(re.escape(MARK_FIELD) + rb"([^<]*)<")


def read_pieces(source: Source, *, pedal: bool = False) -> Iterator[tuple[str, Score]]:
    """Yield the name and score of the file. Raises ReadError as `read_notation` does, and for a piece beyond limits."""
    score = read_notation(source.bytes(), source.label)
    if fault := exceeded_limit(score):
        raise ReadError(f"{source.label} {fault}", "shorten it, or split it into smaller files")
    yield source.label, score


def find_marks(data: bytes) -> Iterator[str]:
    """Yield what `writer.mark` inserted."""
    from xml.sax.saxutils import unescape

    for match in _MARK.finditer(data):
        yield unescape(match[1].decode("ascii", "replace"), {"&quot;": '"', "&apos;": "'"})


def read_notation(data: bytes, name: str) -> Score:
    """Return the score in MusicXML, packed (mxl) or not, with repeats played out and ties joined.

    Scores read before come from the cache. Raises ReadError, naming the file, also for input that is refused for
    safety: entity declarations, document types with content, and archives that unpack to more than MAX_BYTES.
    """
    if len(data) > MAX_BYTES:
        raise ReadError(f"{name} is larger than {MAX_BYTES // 2**20} MB", "split it into smaller files")
    if not data.strip():
        raise ReadError(f"{name} is empty", _HINT)
    return through_cache(data, f"notation {VERSION}, music21 {_music21_version()}", lambda: _read(data, name))


@cache
def _music21_version() -> str:
    return metadata.version("music21")


def _read(data: bytes, name: str) -> Score:
    if data[:4] == b"PK\x03\x04":
        data = unpack_archive(data, name, MAX_BYTES)
    score = _parsed(*to_pitched(check_musicxml(data, name)), name)
    if not score.is_audible:
        raise ReadError(f"{name} has no notes", "choose a file with music in it")
    return score


def _parsed(text: str, drums: Collection[str], name: str) -> Score:
    """Parse `text`, in which the parts `drums` are percussion, with music21; any exception becomes a ReadError."""
    m21 = music21()
    try:
        with quiet():
            return _score(m21.converter.parseData(text, format="musicxml"), drums)
    except Exception as error:  # music21's own errors are worth showing, those of Python are not
        reason = isinstance(error, m21.exceptions21.Music21Exception) and " ".join(str(error).split())[:100]
        raise ReadError(f"music21 cannot read {name}" + (f": {reason}" if reason else ""), _HINT) from error


def _score(stream: Any, drums: Collection[str]) -> Score:
    m21 = music21()
    opus = stream.scores[0] if isinstance(stream, m21.stream.Opus) else stream
    staves = list(opus.parts)
    if not staves:
        return Score(())
    first = staves[0].getElementsByClass("Measure").first()
    played = [list(_played(staff)) for staff in staves]
    losses: Counter[str] = Counter()
    parts = tuple(
        _part(staff, line, losses, percussion=_id(staff) in drums) for staff, line in zip(staves, played, strict=True)
    )
    tempos = {at: m.getQuarterBPM() for line in reversed(played) for at, m in _each(line, m21.tempo.MetronomeMark)}
    signatures = _each(played[0], m21.key.KeySignature)
    score = Score(
        tuple(part for part in parts if part.notes),
        tempos=tuple(Tempo(at, float(bpm)) for at, bpm in sorted(tempos.items()) if bpm),
        meters=tuple(Meter(at, m.numerator, m.denominator) for at, m in _each(played[0], m21.meter.TimeSignature)),
        keys=tuple(Key(at, key.sharps or 0, getattr(key, "mode", None) or "major") for at, key in signatures),
        pickup=_pickup(first),
        title=(opus.metadata.bestTitle or "") if opus.metadata is not None else "",
        losses=dict(losses),
    )
    return _with_chords(score, played)


_Line = list[tuple[Fraction, Any]]
"""music21's elements of one staff in playing order, with onsets in beats."""


def _each(line: _Line, kind: Any) -> Iterator[tuple[Fraction, Any]]:
    """Yield the elements of `line` of music21's class `kind`."""
    return ((onset, element) for onset, element in line if isinstance(element, kind))


def _played(staff: Any) -> Iterator[tuple[Fraction, Any]]:
    """Yield the elements of `staff` with repeats played out; contradictory jumps are ignored."""
    m21 = music21()
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
    m21 = music21()
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


def _part(staff: Any, line: _Line, losses: Counter[str], *, percussion: bool) -> Part:
    """Return the notes of one staff; count grace notes, drums and pitches outside the MIDI range as `losses`."""
    notes: list[Note] = []
    tied: dict[int, int] = {}
    for onset, element in _each(line, music21().note.NotRest):
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
    return Part(tuple(sorted(set(notes))), staff.partName or "", 0 if percussion else program, percussion)


def _loss_reason(single: Any, duration: Fraction) -> str:
    """Return why a note is skipped, as a phrase; empty if it is not."""
    if duration == 0:
        return "grace notes left out"
    if "Note" not in single.classes:
        return "drum notes left out"
    return "" if 0 <= round(single.pitch.ps) <= 127 else "notes outside the MIDI range left out"


def _pickup(measure: Any) -> Fraction:
    """Return the length of the first measure if it is incomplete, else 0."""
    if measure is None or measure.timeSignature is None:
        return Fraction(0)
    length = Fraction(measure.duration.quarterLength)
    return length if length < Fraction(measure.timeSignature.barDuration.quarterLength) else Fraction(0)


def _with_chords(score: Score, played: list[_Line]) -> Score:
    """Add the chord symbols in `played`, each lasting until the next, the last to the end of the notes or its bar."""
    kind = music21().harmony.ChordSymbol
    found = {onset: _spelled(symbol) for line in reversed(played) for onset, symbol in _each(line, kind)}
    onsets = sorted(found)
    end = score.duration if not onsets or score.duration > onsets[-1] else _end(played[0])
    ends = [*onsets[1:], end] if onsets else []
    symbols = (ChordSymbol(onset, end - onset, found[onset]) for onset, end in zip(onsets, ends, strict=True))
    return replace(score, chords=tuple(symbol for symbol in symbols if symbol.duration > 0 and symbol.symbol))


def _id(staff: Any) -> str:
    """Return the id of a staff's part; music21's own ids are made from names."""
    instrument = staff.getInstrument(returnDefault=False)
    return str(instrument.partId) if instrument is not None else ""


def _end(line: _Line) -> Fraction:
    """Return the beat at which the last note or rest of a staff ends."""
    ends = (onset + Fraction(element.quarterLength) for onset, element in _each(line, music21().note.GeneralNote))
    return max(ends, default=Fraction(0))


def _spelled(symbol: Any) -> str:
    """Return the symbol of a music21 chord as `composer.music.chords` spells it; "" without a root."""
    if "NoChord" in symbol.classes:
        return ""
    root, bass = (pitch.name.replace("-", "b") for pitch in (symbol.root(), symbol.bass()))
    kind = "dominant" if symbol.chordKind == "dominant-seventh" else symbol.chordKind
    return chords.Chord(root, kind, bass).symbol if kind in chords.KINDS else root
