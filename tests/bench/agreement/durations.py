"""The notes of MusicXML without any signs of playback order, by its `<duration>` and `<tie>` elements alone."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from fractions import Fraction

from agreement.playing import Notes

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def notes_by_duration(data: bytes, by_majority: bool = False) -> Notes:
    """Return the pitched notes as they sound.

    A measure begins where the longest part ends the one before, or, with `by_majority`, where most parts do.
    """
    parts = [_measures(part) for part in ET.fromstring(data).findall("part")]
    found: Notes = []
    for part in parts:
        start, open_ties = Fraction(0), dict[int, tuple[Fraction, Fraction]]()
        for number, (_, notes) in enumerate(part):
            for at, pitch, length, ties in sorted(notes, key=lambda note: (note[0], "stop" not in note[3])):
                onset, end = start + at, start + at + length
                begun = open_ties.pop(pitch, None) if "stop" in ties else None
                if begun is not None and begun[1] != onset:
                    found.append((begun[0], pitch, begun[1] - begun[0]))
                    begun = None
                onset = onset if begun is None else begun[0]
                if "start" in ties:
                    if pitch in open_ties:
                        found.append((open_ties[pitch][0], pitch, open_ties[pitch][1] - open_ties[pitch][0]))
                    open_ties[pitch] = onset, end
                else:
                    found.append((onset, pitch, end - onset))
            lengths = [each[number][0] for each in parts if number < len(each)]
            start += max(lengths, key=lambda length: (lengths.count(length) if by_majority else 0, length))
        found += [(onset, pitch, end - onset) for pitch, (onset, end) in open_ties.items()]
    return sorted(found)


def _measures(part: ET.Element) -> list[tuple[Fraction, list[tuple[Fraction, int, Fraction, set[str]]]]]:
    """Return the length of each measure, and its notes: place, pitch, length and ties."""
    divisions, interval, measures = Fraction(1), 0, []
    for measure in part.findall("measure"):
        now = before = longest = Fraction(0)
        notes = []
        for element in measure:
            length = Fraction(element.findtext("duration") or 0) / divisions
            if element.tag == "attributes":
                divisions = Fraction(element.findtext("divisions") or divisions)
                if (transpose := element.find("transpose")) is not None:
                    octaves = int(transpose.findtext("octave-change") or 0)
                    interval = int(transpose.findtext("chromatic") or 0) + 12 * octaves
            elif element.tag == "backup":
                now = max(now - length, Fraction(0))
            elif element.tag == "forward":
                now += length
            elif element.tag == "note" and element.find("grace") is None:
                at = before if element.find("chord") is not None else now
                pitch = element.find("pitch")
                if pitch is not None and element.find("cue") is None:
                    number = 12 * (int(pitch.findtext("octave") or 0) + 1) + _STEPS[pitch.findtext("step") or "C"]
                    number += int(float(pitch.findtext("alter") or 0)) + interval
                    notes.append((at, number, length, {tie.get("type", "") for tie in element.findall("tie")}))
                before, now = at, max(now, at + length)
            longest = max(longest, now)
        measures.append((longest, notes))
    return measures
