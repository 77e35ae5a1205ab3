"""Percussion in MusicXML, of which music21 writes only the position on the staff: convert from pitched notes.

A percussion part has an instrument for each sound, with its MIDI number, and each note names its instrument.
"""

from __future__ import annotations

from collections.abc import Collection
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from composer.music.instruments import PERCUSSION

DRUM_CHANNEL = 10

_POSITIONS = {
    35: "E4", 36: "F4", 37: "C5x", 38: "C5", 39: "C5x", 40: "C5", 41: "A4", 42: "G5x", 43: "A4", 44: "D4x", 45: "B4",
    46: "G5x", 47: "D5", 48: "D5", 49: "A5x", 50: "E5", 51: "F5x", 52: "A5x", 53: "F5x", 54: "B4x", 55: "B5x",
    56: "E5x", 57: "A5x", 59: "F5x",
}  # fmt: skip
"""Where a sound is written, `x` for a cross as notehead (Weinberg 1998, "Guidelines for Drumset Notation")."""

_ELSEWHERE = "B4"
"""The middle line, for other sounds."""

_BEFORE_INSTRUMENT = {"grace", "cue", "chord", "pitch", "unpitched", "rest", "duration", "tie"}
_BEFORE_NOTEHEAD = _BEFORE_INSTRUMENT | {
    "instrument", "footnote", "level", "voice", "type", "dot", "accidental", "time-modification", "stem",
}  # fmt: skip
"""What comes before these elements in a note."""

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def to_unpitched(data: bytes, parts: Collection[str]) -> bytes:
    """Return MusicXML in which the notes of `parts`, by id, are percussion with the MIDI numbers of their pitches."""
    head, start, body = data.partition(b"<score-partwise")
    root = ElementTree.fromstring(start + body)
    for part in root.iter("part"):
        if part.get("id") not in parts:
            continue
        used = set()
        for note in part.iter("note"):
            pitch = note.find("pitch")
            if pitch is not None:
                number = _number(pitch)
                used.add(number)
                _write_note(note, pitch, number, f"{part.get('id')}-I{number + 1}")
        declaration = next(each for each in root.iter("score-part") if each.get("id") == part.get("id"))
        _declare(declaration, sorted(used))
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, "utf-8")
    return head + written + b"\n"


def _number(pitch: Element) -> int:
    """Return the MIDI number of a `pitch` element."""
    step, octave, alter = (pitch.findtext(name) or "0" for name in ("step", "octave", "alter"))
    return 12 * (int(octave) + 1) + _SEMITONES[step] + int(float(alter))


def _write_note(note: Element, pitch: Element, number: int, instrument: str) -> None:
    """Turn a note of the given pitch into percussion."""
    position = _POSITIONS.get(number, _ELSEWHERE)
    pitch.clear()
    pitch.tag = "unpitched"
    SubElement(pitch, "display-step").text = position[0]
    SubElement(pitch, "display-octave").text = position[1]
    for accidental in note.findall("accidental"):
        note.remove(accidental)
    _insert(note, Element("instrument", {"id": instrument}), _BEFORE_INSTRUMENT)
    if position.endswith("x"):
        head = Element("notehead")
        head.text = "x"
        _insert(note, head, _BEFORE_NOTEHEAD)


def _insert(note: Element, child: Element, before: Collection[str]) -> None:
    """Insert `child` after those children of a note that come before it."""
    note.insert(sum(each.tag in before for each in note), child)


def _declare(part: Element, numbers: Collection[int]) -> None:
    """Replace the instruments of a part by one for each number."""
    for child in list(part):
        if child.tag in {"part-abbreviation", "score-instrument", "midi-device", "midi-instrument"}:
            part.remove(child)
    for number in numbers:
        instrument = SubElement(part, "score-instrument", {"id": f"{part.get('id')}-I{number + 1}"})
        SubElement(instrument, "instrument-name").text = PERCUSSION.get(number, f"sound {number}")
    for number in numbers:
        midi = SubElement(part, "midi-instrument", {"id": f"{part.get('id')}-I{number + 1}"})
        SubElement(midi, "midi-channel").text = str(DRUM_CHANNEL)
        SubElement(midi, "midi-unpitched").text = str(number + 1)
