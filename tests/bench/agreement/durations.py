"""The notes of MusicXML without signs of playback order, by its `<duration>`, `<tie>` and `<tied>` elements alone."""

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
        start, held = Fraction(0), dict[tuple[int, str], tuple[Fraction, Fraction]]()
        for number, (_, notes) in enumerate(part):
            for at, pitch, length, ties, voice in sorted(notes, key=lambda note: (note[0], "stop" not in note[3])):
                onset, end = start + at, start + at + length
                if "stop" in ties:
                    ending = [key for key, (_, until) in held.items() if key[0] == pitch and until == onset]
                    if ending:  # rather that of the same voice
                        onset = held.pop(max(ending, key=lambda key: key[1] == voice))[0]
                if "start" in ties:
                    found += _notes_of({(pitch, voice): held.pop((pitch, voice), (onset, onset))})
                    held[pitch, voice] = onset, end
                else:
                    found.append((onset, pitch, end - onset))
            lengths = [each[number][0] for each in parts if number < len(each)]
            start += max(lengths, key=lambda length: (lengths.count(length) if by_majority else 0, length))
        found += _notes_of(held)
    return sorted(found)


_Written = tuple[Fraction, int, Fraction, set[str], str]


def _notes_of(held: dict[tuple[int, str], tuple[Fraction, Fraction]]) -> Notes:
    return [(onset, pitch, end - onset) for (pitch, _), (onset, end) in held.items() if end > onset]


def _ties(note: ET.Element) -> set[str]:
    return {tie.get("type", "") for path in ("tie", "notations/tied") for tie in note.findall(path)}


def _measures(part: ET.Element) -> list[tuple[Fraction, list[_Written]]]:
    """Return the length of each measure, and its notes: place, pitch, length, ties and voice."""
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
                    notes.append((at, number, length, _ties(element), element.findtext("voice") or ""))
                before, now = at, max(now, at + length)
            longest = max(longest, now)
        measures.append((longest, notes))
    return measures
