"""Read the bars of one part of MusicXML: follow its cursor, and take notes, chord symbols and signs as they sound."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from xml.etree.ElementTree import Element

from composer.api import ReadError
from composer.formats.musicxml.attributes import (
    CONCERT,
    PERCUSSION,
    Transposition,
    bar_length,
    number,
    read_clef,
    read_key,
    read_meter,
    read_transposition,
    ticks,
    to_number,
)
from composer.formats.musicxml.elements import Bar, Line, WrittenNote
from composer.formats.musicxml.harmony import read_harmony
from composer.formats.musicxml.marks import marks_of_bar_line, marks_of_direction, marks_of_sound
from composer.formats.musicxml.measure_repeats import MeasureRepeats, NoteCount
from composer.formats.musicxml.part_list import PartInfo
from composer.formats.musicxml.tempo import NOTE_TYPES, dotted, metronome_bpm, metronome_unit, sound_bpm
from composer.music.keys import LETTERS, MAJOR_SCALE

GRACE_NOTES, DRUM_NOTES = "grace notes left out", "drum notes left out"
NO_LENGTH = "notes of no length left out"
OUT_OF_RANGE = "notes outside the MIDI range left out"
MICROTONES = "notes rounded to semitones"
OTHER_KEYS = "nonstandard key signatures left out"
PROGRAM_CHANGES = "changes of instrument left out"
INVALID_TEMPOS = "tempos without a valid value left out"

MAX_DIVISIONS = 100
"""Bar lines with signs of repeats inside a bar."""
_VELOCITY, _FORTE = 80, Fraction(90, 100)
"""The usual velocity, and that of one percent of `dynamics`, which are relative to forte."""
_EVERY: frozenset[int] = frozenset()
_SEMITONES = dict(zip(LETTERS, MAJOR_SCALE, strict=True))


def read_part(measures: Iterable[Iterable[Element]], info: PartInfo, copied: NoteCount) -> list[Bar]:
    """Return the bars of a part, of which `measures` holds the elements.

    `copied` counts the notes of measure repeats, for all parts together. Raises ReadError for too many of them, and for
    a bar with more than MAX_DIVISIONS bar lines inside it.
    """
    reader = _PartReader(info, copied)
    return [reader.read(elements) for elements in measures]


class _PartReader:
    """Follows the elements of the bars.

    `cursor`, `furthest` and `last_note`, the end of the last note, are places in the bar in divisions. Staff 0 holds
    what applies to all staves of the part.
    """

    def __init__(self, info: PartInfo, copied: NoteCount) -> None:
        self.info = info
        self.divisions = Fraction(1)
        self.quotients: dict[int | Fraction, Fraction] = {}
        self.meter: tuple[int, int] | None = None
        self.key: tuple[int, str] | None = None
        self.transpositions: dict[int, Transposition] = {}
        self.drum_clefs: dict[int, bool] = {}
        self.repeats = MeasureRepeats(copied)
        self.lines: dict[tuple[int, str | None, bool], tuple[Line, int | None] | None] = {}
        self.actions: dict[str, Callable[[Element], None]] = {
            "note": self._note, "backup": self._backup, "forward": self._forward, "attributes": self._attributes,
            "direction": self._direction, "sound": self._sound, "harmony": self._harmony, "barline": self._bar_line,
        }  # fmt: skip
        self.cursor: int | Fraction
        self.onset: int | Fraction
        self.furthest: int | Fraction
        self.last_note: int | Fraction
        self._begin()

    def _begin(self) -> None:
        self.bar = Bar()
        self.cursor = self.onset = self.furthest = self.last_note = 0
        self.chord_dynamics: str | None = None
        self.chord_voice = "1"
        self.beats: dict[int | Fraction, Fraction] = {}
        """Places in the bar, in divisions, whose exact beat is another one, since divisions cannot hold the tuplet."""

    def read(self, elements: Iterable[Element]) -> Bar:
        """Return a bar."""
        self._begin()
        for element in elements:
            action = self.actions.get(element.tag)
            if action is not None:
                action(element)
        bar = self.bar
        bar.length, bar.last_note = self._length(), self._beat(self.last_note)
        bar.marks = [each._replace(at_end=each.at_end or 0 < bar.length <= each.at) for each in bar.marks]
        for changes in (bar.tempos, bar.meters, bar.keys, bar.chords, bar.fermatas):
            changes.sort(key=lambda change: change[0])
        return self.repeats.finish(bar)

    def _length(self) -> Fraction:
        """Return the length of the bar: that of the meter if it differs only by rounded divisions or by rests."""
        length = self._beat(self.furthest)
        if self.meter is None:
            return length
        full = bar_length(self.meter)
        only_rests = length > full >= self._beat(self.last_note)
        return full if only_rests or abs(length - full) < Fraction(1, 16) else length

    # Time

    def _beat(self, place: int | Fraction) -> Fraction:
        found = self.beats.get(place) if self.beats else None
        return self._quotient(place) if found is None else found

    def _quotient(self, place: int | Fraction) -> Fraction:
        """Return `place` in beats by the divisions. Those found before are kept, since bars have the same places."""
        found = self.quotients.get(place)
        if found is None:
            found = self.quotients[place] = place / self.divisions
        return found

    def _move(self, place: int | Fraction) -> None:
        self.cursor = max(place, 0)
        self.furthest = max(self.furthest, self.cursor)

    def _backup(self, element: Element) -> None:
        self._move(self.cursor - ticks(element))

    def _forward(self, element: Element) -> None:
        self._move(self.cursor + ticks(element))

    def _offset(self, element: Element, *, always: bool) -> Fraction:
        """Return the beat of an element, moved by its `offset` if that is to be heard."""
        offset = element.find("offset")
        beat = self._beat(self.cursor)
        if offset is not None and (always or offset.get("sound") == "yes"):
            beat += to_number(offset.text or "") / self.divisions
        return max(beat, Fraction(0))

    # Notes

    def _note(self, element: Element) -> None:
        grace, rest = element.find("grace") is not None, element.find("rest") is not None
        if element.find("chord") is None:
            self.onset, self.chord_dynamics = self.cursor, element.get("dynamics")
            self.chord_voice = (element.findtext("voice") or "1").strip()
        start = self.onset
        onset = self._beat(start)
        duration = Fraction(0)
        if not grace:
            length = ticks(element)
            duration = self._duration(element, start, length)
            self.last_note = max(self.last_note, start + length * (not rest))
            if element.find("chord") is None:
                self._move(self.cursor + length)
        if not rest and element.find("cue") is None:
            self._sounding_note(element, onset, duration, grace=grace)
            if duration and element.find("notations/fermata") is not None:
                self.bar.fermatas.append((onset,))

    def _duration(self, element: Element, start: int | Fraction, length: int | Fraction) -> Fraction:
        """Return a length in beats: for tuplets that the divisions cannot hold, the exact one that is notated."""
        onset, end = self._beat(start), start + length
        tuplet, kind = element.find("time-modification"), (element.findtext("type") or "").strip()
        if tuplet is not None and kind in NOTE_TYPES and length:
            notated = dotted(NOTE_TYPES[kind], len(element.findall("dot")))
            notated *= number(tuplet, "normal-notes") / (number(tuplet, "actual-notes") or 1)
            if 0 < abs(notated - length / self.divisions) < 1 / self.divisions:
                self.beats.setdefault(end, onset + notated)
        elif start in self.beats:
            self.beats.setdefault(end, onset + self._quotient(length))
        return self._beat(end) - onset if self.beats else self._quotient(length)

    def _sounding_note(self, element: Element, onset: Fraction, duration: Fraction, *, grace: bool) -> None:
        losses = self.bar.losses
        if not duration:
            losses[GRACE_NOTES if grace else NO_LENGTH] += 1
            return
        instrument = element.find("instrument")
        staff = _whole(element.findtext("staff"), 1)
        named = None if instrument is None else instrument.get("id")
        unpitched = element.find("unpitched") is not None
        found = self._line(staff, named, unpitched)
        if found is None:
            losses[DRUM_NOTES] += 1
            return
        line, sound = found
        pitches = (sound,) if sound is not None else self._pitches(element, staff, percussion=line.percussion)
        ties = {each.get("type") for each in element.iterfind("tie")}
        ties = ties or {each.get("type") for each in element.iterfind("notations/tied")}
        passes = _EVERY
        if only := element.get("time-only"):
            passes = frozenset(map(int, re.findall(r"\d{1,4}", only)))
        voice, velocity = (element.findtext("voice") or self.chord_voice).strip(), self._velocity(element)
        for pitch in pitches:
            if 0 <= pitch <= 127:
                tied = bool(ties & {"stop", "continue"}), bool(ties & {"start", "continue"})
                self.bar.notes.append(WrittenNote(onset, pitch, duration, velocity, line, voice, *tied, passes))
            else:
                losses[OUT_OF_RANGE] += 1

    def _line(self, staff: int, named: str | None, unpitched: bool) -> tuple[Line, int | None] | None:
        """Return where a note belongs, and its percussion sound; None for percussion without a MIDI number."""
        key = staff, named, unpitched
        if key not in self.lines:
            self.lines[key] = self._new_line(staff, named, unpitched)
        return self.lines[key]

    def _new_line(self, staff: int, named: str | None, unpitched: bool) -> tuple[Line, int | None] | None:
        instrument = self.info.instrument(named)
        name = self.info.name
        percussion = unpitched or self.drum_clefs.get(staff, False)
        if instrument is None:
            return None if percussion else (Line(staff, False, 0, name), None)
        percussion = percussion or instrument.percussion
        if unpitched and (instrument.sound is None or (named is None and len(self.info.sounds) > 1)):
            return None
        if not percussion and instrument != self.info.instrument(None):
            name = instrument.name or name
        return Line(staff, percussion, 0 if percussion else instrument.program, name), (
            instrument.sound if percussion else None
        )

    def _pitches(self, element: Element, staff: int, *, percussion: bool) -> list[int]:
        """Return the sounding MIDI numbers of a note: one, or two if the part is doubled at the octave."""
        pitch = element.find("pitch")
        if pitch is None:
            return []
        octave, step = int(pitch.findtext("octave") or 4), (pitch.findtext("step") or "C").strip()
        sounding: int | Fraction = 12 * (octave + 1) + _SEMITONES[step]
        transposition = CONCERT if percussion else self._transposition(staff)
        for semitones in (number(pitch, "alter"), transposition.semitones):
            if semitones:  # sums of fractions are slow
                sounding += semitones
        if sounding.denominator > 1:
            self.bar.losses[MICROTONES] += 1
        return [round(sounding), *([round(sounding) + transposition.doubled] if transposition.doubled else [])]

    def _transposition(self, staff: int) -> Transposition:
        return self.transpositions.get(staff) or self.transpositions.get(0, CONCERT)

    def _velocity(self, element: Element) -> int:
        text = element.get("dynamics") or self.chord_dynamics or ""
        if not text or not re.fullmatch(r"\d{1,4}(\.\d{1,9})?", text, re.ASCII):
            return _VELOCITY
        return min(max(round(to_number(text) * _FORTE), 1), 127)

    # Signs

    def _attributes(self, element: Element) -> None:
        at = self._beat(self.cursor)
        if element.find("divisions") is not None:
            self._change_divisions(number(element, "divisions"))
        time = element.find("time")
        if time is not None:
            self.meter = read_meter(time)
            self.bar.meters += [(at, self.meter)] if self.meter else []
        for each in element.iterfind("transpose"):
            self.transpositions[_staff(each)] = read_transposition(each)
        key = next((each for each in element.iterfind("key") if _staff(each) <= 1), None)
        if key is not None:
            self.key = read_key(key)
            self.bar.losses[OTHER_KEYS] += self.key is None
        if self.key is not None and (key is not None or element.find("transpose") is not None):
            sharps, mode = self.key
            self.bar.keys.append((at, (self._transposition(1).key(sharps), mode)))
        for each in element.iterfind("clef"):
            staff = _staff(each) or 1
            clef = read_clef(each, self._transposition(staff))
            self.drum_clefs[staff] = clef == PERCUSSION
            self.bar.clefs.append((staff, clef))
            self.lines.clear()
        for each in element.iterfind("measure-style"):
            self.repeats.read_style(each, self.bar)

    def _change_divisions(self, divisions: Fraction) -> None:
        """Go on with other divisions; places in the bar keep their beats."""
        ratio = divisions / self.divisions
        self.beats = {place * ratio: beat for place, beat in self.beats.items()}
        self.cursor, self.onset = self.cursor * ratio, self.onset * ratio
        self.furthest, self.last_note = self.furthest * ratio, self.last_note * ratio
        self.divisions = divisions
        self.quotients.clear()

    def _direction(self, element: Element) -> None:
        self.bar.marks += marks_of_direction(element, self._beat(self.cursor))
        at = self._offset(element, always=False)
        tempos = [bpm for sound in element.iterfind("sound") if (bpm := self._tempo(sound)) is not None]
        metronomes = element.findall("direction-type/metronome")
        units = [*filter(None, map(metronome_unit, metronomes))]
        if not tempos:
            for metronome in metronomes:
                bpm = metronome_bpm(metronome)
                self.bar.losses[INVALID_TEMPOS] += bpm is None
                tempos += [bpm] if bpm is not None else []
        for sound in element.iterfind("sound"):
            self._instrument_changes(sound)
        self.bar.tempos += [(at, (bpm, units[-1] if units else Fraction(0))) for bpm in tempos[-1:]]

    def _sound(self, element: Element) -> None:
        self.bar.marks += marks_of_sound(element, self._beat(self.cursor))
        self._instrument_changes(element)
        if (bpm := self._tempo(element)) is not None:
            self.bar.tempos.append((self._offset(element, always=True), (bpm, Fraction(0))))

    def _tempo(self, sound: Element) -> float | None:
        if "tempo" not in sound.attrib:
            return None
        bpm = sound_bpm(sound)
        self.bar.losses[INVALID_TEMPOS] += bpm is None
        return bpm

    def _instrument_changes(self, sound: Element) -> None:
        changes = {"midi-instrument/midi-program", "instrument-change"}
        self.bar.losses[PROGRAM_CHANGES] += any(sound.find(each) is not None for each in changes)

    def _harmony(self, element: Element) -> None:
        found = read_harmony(element, self._transposition(_whole(element.findtext("staff"), 1)))
        if found.loss:
            self.bar.losses[found.loss] += 1
        self.bar.chords.append((self._offset(element, always=True), found.symbol))

    def _bar_line(self, element: Element) -> None:
        at = self._beat(self.cursor)
        marks = list(marks_of_bar_line(element, at))
        if element.get("location") == "middle" and any(mark.kind != "double bar line" for mark in marks):
            self.bar.divisions.append(at)
            if len(self.bar.divisions) > MAX_DIVISIONS:
                place = f"inside bar {len(self.repeats.bars) + 1:,}"
                fault = f"{self.repeats.copied.name} has more than {MAX_DIVISIONS} bar lines with repeats {place}"
                raise ReadError(fault, "split the bar into shorter ones")
        self.bar.marks += marks


def _staff(element: Element) -> int:
    """Return the staff that an element names; 0 for all."""
    return _whole(element.get("number"), 0)


def _whole(text: str | None, default: int) -> int:
    return int(text) if text is not None and re.fullmatch(r"\s*\d{1,3}\s*", text, re.ASCII) else default
