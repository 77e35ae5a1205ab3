"""Write a Score as MusicXML, by way of music21's measures, voices, ties and rests."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from composer.api import ComposerError, Part, Score
from composer.formats.musicxml.bar_lines import add_bar_lines
from composer.formats.musicxml.library import MARK_FIELD, music21, quiet, without_garbage_collection
from composer.formats.musicxml.measures import measures_by_staff
from composer.formats.musicxml.percussion import to_unpitched
from composer.formats.settings import WriteSettings
from composer.music import chords
from composer.music.as_written import AsWritten, as_written
from composer.music.bars import COMMON_TIME, Bar, bars, with_short_end
from composer.music.keys import MODE_FIFTHS
from composer.music.voices.staves import StaffGroup, name_of, staff_groups

_GRIDS: tuple[tuple[int, ...], ...] = ((), (8, 6), (4,))
"""Times are exact, or rounded to the nearest of these fractions of a beat if no note values fit."""

_NOTE_VALUES = (1, 2, 4, 8, 16, 32, 64)
"""Denominators of meters."""

_MUSIC21_METADATA = (
    (rb"\s*<encoding-date>.*?</encoding-date>", b""),
    (rb"<software>.*?</software>", b"<software>composer</software>"),
    (rb'\s*<creator type="composer">Music21</creator>', b""),
)
"""What music21 adds that does not come from the score."""


def write(score: Score, settings: WriteSettings) -> bytes:
    """Return `score` as MusicXML; the bytes are reproducible.

    Voices are on the staves that their notation names. Without one, those of a polyphonic part, such as a chorale, are
    on one or two staves. A score with a notation is written as
    it says, with repeats and endings, else as it is played. Chord symbols without a part are above rests. Times that no
    note value fits are rounded to eighths or sixths of a beat. Raises ComposerError if that fails too.
    """
    data = _export(score, settings)
    for pattern, replacement in _MUSIC21_METADATA:
        data = re.sub(pattern, replacement, data)
    drums = [_part_id(number) for number, group in enumerate(_groups(score), 1) if group[0][0].percussion]
    return to_unpitched(data, drums) if drums else data


def _groups(score: Score) -> list[StaffGroup]:
    return staff_groups(score.parts or [Part()])


def _part_id(number: int) -> str:
    return f"P{number}"


def mark(data: bytes, text: bytes) -> bytes:
    """Insert `text` as the last part of the identification."""
    field = b"  <miscellaneous>\n      " + MARK_FIELD + text + b"</miscellaneous-field>\n    </miscellaneous>\n  "
    return data.replace(b"</identification>", field + b"</identification>", 1)


def _export(score: Score, settings: WriteSettings) -> bytes:
    m21 = music21()
    for grid in _GRIDS:
        try:
            with quiet(), without_garbage_collection():
                return _to_xml(_stream(score, settings, _snapper(grid)))
        except m21.exceptions21.Music21Exception:
            continue
    raise ComposerError("this piece cannot be written as MusicXML", "write it as MIDI: --format midi")


def _to_xml(whole: Any) -> bytes:
    """Return a stream as MusicXML, and change it: `GeneralObjectExporter.parse` would copy it first, at some cost."""
    exporter = music21().musicxml.m21ToXml.GeneralObjectExporter()
    span = [0.0, whole.highestTime]
    whole.makeRests(
        refStreamOrTimeRange=span, fillGaps=True, inPlace=True, hideRests=True, timeRangeFromBarDuration=True
    )
    return bytes(exporter.parseWellformedObject(exporter.fromScore(whole)))


Snap = Callable[[Fraction], Fraction]


def _snapper(grid: tuple[int, ...]) -> Snap:
    """Return a function that rounds a time to the nearest of the `grid`'s fractions of a beat."""

    def snap(time: Fraction) -> Fraction:
        nearest = (Fraction(round(time * steps), steps) for steps in grid)
        return min(nearest, key=lambda candidate: abs(candidate - time), default=time)

    return snap


def _stream(score: Score, settings: WriteSettings, snap: Snap) -> Any:
    m21 = music21()
    whole = m21.stream.Score()
    whole.metadata = m21.metadata.Metadata()
    whole.metadata.title, whole.metadata.composers = score.title, score.composers
    notation, written = score.notation, as_written(score)
    if written is None:
        played = with_short_end(list(bars(score, as_notated=True)), score)
        played = played or [Bar(1, Fraction(0), COMMON_TIME.bar, COMMON_TIME, 1)]
        notation, written = None, AsWritten(score, played)
    score = written.score
    for number, group in enumerate(_groups(score), 1):
        part, name = group[0][0], name_of(group)
        program = part.program if settings.instrument is None else settings.instrument
        staves = []
        for measures in measures_by_staff(group, written, snap, by_hand=settings.by_hand and len(score.parts) == 1):
            staff = m21.stream.PartStaff()
            player = _player(program)
            player.partId, player.instrumentId = _part_id(number), f"{_part_id(number)}-I1"
            player.partName = name or ("Percussion" if part.percussion else None)
            staff.insert(0, player)
            staff.partName = name
            if name and not name.casefold().startswith(str(player.instrumentName).casefold()):
                staff.partAbbreviation = name  # a `Violin` that a piano plays would be abbreviated as `Pno`
            for measure in measures:
                staff.append(measure)
            add_bar_lines(staff, notation)
            whole.insert(0, staff)
            staves.append(staff)
        if len(staves) > 1:
            whole.insert(0, m21.layout.StaffGroup(staves, symbol="brace"))
    _add_signs(whole, written, settings, is_written=notation is not None)
    return whole


def _player(program: int) -> Any:
    """Return music21's instrument of a program, which sounds as written."""
    m21 = music21()
    found = m21.instrument.instrumentFromMidiProgram(program)
    if "UnpitchedPercussion" in found.classes:  # music21 would write an agogo or a woodblock as drums
        pitched = m21.instrument.Instrument(found.instrumentName)
        pitched.instrumentAbbreviation, pitched.midiProgram = found.instrumentAbbreviation, program
        return pitched
    found.transposition = None
    return found


def _add_signs(whole: Any, written: AsWritten, settings: WriteSettings, *, is_written: bool) -> None:
    """Add meters and keys to every part, tempo and chord symbols to the first.

    If the bars are those `is_written` with, a short one does not change the meter.
    """
    m21, score, layout = music21(), written.score, written.bars
    starts = [bar.start for bar in layout]

    def place(staff: Any, onset: Fraction, sign: Any) -> None:
        index = max(bisect_right(starts, onset) - 1, 0)
        if onset < layout[index].end:
            staff.getElementsByClass("Measure")[index].insert(onset - starts[index], sign)

    for staff in whole.parts:
        shown = ""
        for bar in layout:
            full = bar.meter if is_written else bar.own_meter
            meter = full if full.denominator in _NOTE_VALUES else bar.meter
            sign = f"{meter.numerator}/{meter.denominator}"
            if sign != shown:
                shown = sign
                place(staff, bar.start, m21.meter.TimeSignature(sign))
        for signature in score.keys:
            sign = m21.key.KeySignature(signature.sharps)
            place(staff, signature.onset, sign.asKey(signature.mode) if signature.mode in MODE_FIFTHS else sign)
    first = whole.parts[0]
    own = [(tempo.onset, tempo.bpm) for tempo in score.tempos if tempo.bpm > 0]
    units = dict(score.tempo_units)
    for onset, bpm in own if settings.tempo is None else [(Fraction(0), settings.tempo)]:
        pulse = layout[max(bisect_right(starts, onset) - 1, 0)].pulse
        number, beat = _metronome(bpm, units.get(onset, Fraction(0)), pulse)
        place(first, onset, m21.tempo.MetronomeMark(number=number, referent=beat))
    for symbol in score.chords:
        chord = chords.parse(symbol.symbol)
        place(first, symbol.onset, _harmony(chord) if chord else m21.expressions.TextExpression(symbol.symbol))
    for onset in chords.ends_of_chords(score.chords, written.end):
        place(first, onset, _chord_symbol("C", "C", "none", chords.NO_CHORD))


def _harmony(chord: chords.Chord) -> Any:
    """Return music21's symbol of a chord."""
    kind, degrees = chords.written_kind(chord)
    sign = _chord_symbol(chord.root, chord.bass, kind)
    for degree in degrees:
        step = music21().harmony.ChordStepModification(degree.type, degree.value, degree.alter)
        sign.addChordStepModification(step, updatePitches=False)
    return sign


def _chord_symbol(root: str, bass: str, kind: str, text: str = "") -> Any:
    """Return music21's symbol without notes, which it would take for notes before those that may need an accidental.

    An inversion of 0, which is not written, keeps music21 from writing -1 for a chord without notes.
    """
    names = (name.replace("b", "-") for name in (root, bass))
    sign = music21().harmony.ChordSymbol(
        root=next(names), bass=next(names), kind=kind, kindStr=text, updatePitches=False
    )
    sign.inversion(0, transposeOnSet=False)
    return sign


def _metronome(bpm: float, unit: Fraction, pulse: Fraction) -> tuple[float, float]:
    """Return the number of a metronome mark and its note in beats.

    The note is `unit` if it is one, else the pulse of dotted notes if the number is whole.
    """
    if not _is_note(unit):
        unit = pulse if pulse == Fraction(3, 2) and round(bpm / 1.5, 3).is_integer() else Fraction(1)
    number = round(bpm / float(unit), 3)
    return int(number) if number.is_integer() else number, float(unit)


def _is_note(length: Fraction) -> bool:
    """Return whether a length in beats is that of a note with up to two dots."""
    odd = length.numerator // (length.numerator & -length.numerator or 1)
    return odd in (1, 3, 7) and Fraction(1, 16) <= length <= 14 and length.denominator.bit_count() == 1
