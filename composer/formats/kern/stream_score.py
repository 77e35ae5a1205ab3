"""Turn a music21 stream, as converter21 makes it of kern and MEI, into written music."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from composer.api import Key, Meter, Tempo
from composer.formats.kern.written_music import Staff, WrittenMusic, WrittenNote
from composer.formats.musicxml.attributes import CLEF_CHANGES, clef_name, clef_of_notes
from composer.music import chords

_TIES_BEFORE, _TIES_AFTER = ("stop", "continue"), ("start", "continue")


class _Placed(NamedTuple):
    onset: Fraction
    voice: str
    element: Any


def written_music(stream: Any) -> WrittenMusic:
    """Return the music of a stream at sounding pitch, with repeats as they are written."""
    staves = list(stream.parts)
    braces = _braces(stream, staves)
    shifts = [_octaves(staff) for staff in staves]
    transposed = [_is_transposed(staff) for staff in staves]
    for staff in staves:
        if staff.atSoundingPitch is False:
            staff.toSoundingPitch(inPlace=True)
    content = [sorted(_elements(staff), key=lambda placed: placed.onset) for staff in staves]
    measures = [list(staff.getElementsByClass("Measure")) for staff in staves]
    starts = [Fraction(measure.offset) for measure in measures[0]] if measures else []
    return WrittenMusic(
        [_staff(*each) for each in zip(staves, content, shifts, braces, strict=True)],
        _tempos(content),
        _meters(content),
        _keys([content[at] for at in sorted(range(len(staves)), key=lambda at: transposed[at])]),
        _chords(content),
        _fermatas(content),
        starts,
        max((Fraction(each[-1].offset + each[-1].quarterLength) for each in measures if each), default=Fraction(0)),
        (stream.metadata.bestTitle or "") if stream.metadata is not None else "",
        +Counter({CLEF_CHANGES: sum(max(len(_clefs(placed, 0)) - 1, 0) for placed in content)}),
    )


def _braces(stream: Any, staves: Sequence[Any]) -> list[int]:
    """Return the number of the brace of each staff of a keyboard; 0 for other staves."""
    found = [0] * len(staves)
    for number, group in enumerate(stream.getElementsByClass("StaffGroup"), 1):
        inside = [
            at for at, staff in enumerate(staves) if "PartStaff" in staff.classes and group.hasSpannedElement(staff)
        ]
        if group.symbol == "brace" and len(inside) > 1 and inside[-1] - inside[0] < len(inside):
            for at in inside:
                found[at] = found[at] or number
    return found


def _octaves(staff: Any) -> int:
    """Return by how many octaves a staff sounds above what is written; the rest of its transposition is no octave."""
    if staff.atSoundingPitch is not False:
        return 0
    instrument = staff.getInstrument(returnDefault=False)
    interval = instrument.transposition if instrument is not None else None
    return int(interval.semitones / 12) if interval is not None else 0


def _clefs(content: Sequence[_Placed], octaves: int) -> list[str]:
    """Return the clefs of a staff, each other than the one before."""
    found = list[str]()
    for _, _, element in content:
        if "Clef" in element.classes:
            line = element.line if isinstance(element.line, int) else 0
            clef = clef_name(element.sign or "", line, (element.octaveChange or 0) + octaves)
            found += [clef] if found[-1:] != [clef] else []
    return found


def _elements(staff: Any) -> Iterator[_Placed]:
    """Yield all elements of the measures and voices of a staff with their onsets in beats."""
    pending = [(staff, Fraction(0), "")]
    while pending:
        container, begin, voice = pending.pop()
        number = 0
        for element in container.elements:
            onset = begin + Fraction(container.elementOffset(element))
            if "Voice" in element.classes:
                number += 1
                pending.append((element, onset, f"{number}"))
            elif element.isStream:
                pending.append((element, onset, voice))
            else:
                yield _Placed(onset, voice, element)


def _each(content: list[list[_Placed]], kind: str) -> Iterator[tuple[Fraction, Any]]:
    """Yield the elements of music21's class `kind` in the first staff that has any."""
    for placed in content:
        found = [(each.onset, each.element) for each in placed if kind in each.element.classes]
        if found:
            yield from found
            return


def _staff(staff: Any, content: list[_Placed], octaves: int, brace: int) -> Staff:
    notes: list[WrittenNote] = []
    dropped: list[tuple[Fraction, str]] = []
    for onset, voice, element in content:
        if "NotRest" not in element.classes or "Harmony" in element.classes:
            continue
        for single in getattr(element, "notes", (element,)):
            if reason := _loss_reason(single, element):
                dropped.append((onset, reason))
                continue
            tie = single.tie.type if single.tie is not None else ""
            ties = tie in _TIES_BEFORE, tie in _TIES_AFTER
            duration = Fraction(element.quarterLength)
            notes.append(WrittenNote(onset, round(single.pitch.ps), duration, voice, *ties, _velocity(single, element)))
    instrument = staff.getInstrument(returnDefault=False)
    program = (instrument.midiProgram or 0) if instrument is not None else 0
    clef = clef_of_notes(_clefs(content, octaves), percussion=False)
    return Staff(notes, staff.partName or "", program, dropped=dropped, clef=clef, brace=brace)


def _loss_reason(single: Any, element: Any) -> str:
    """Return why a note is skipped, as a phrase; empty if it is not."""
    if element.quarterLength == 0:
        return "grace notes left out"
    if "Note" not in single.classes:
        return "drum notes left out"
    if element.hasStyleInformation and getattr(element.style, "noteSize", None) == "cue":
        return "cue notes left out"
    return "" if 0 <= round(single.pitch.ps) <= 127 else "notes outside the MIDI range left out"


def _velocity(single: Any, element: Any) -> int:
    for each in (single, element):
        if each.hasVolumeInformation() and each.volume.velocity:
            return min(max(int(each.volume.velocity), 1), 127)
    return 80


def _is_transposed(staff: Any) -> bool:
    """Return whether the staff of a transposing instrument has keys of its own."""
    instruments = staff.getElementsByClass("Instrument")
    return staff.atSoundingPitch is False and any(each.transposition is not None for each in instruments)


def _tempos(content: list[list[_Placed]]) -> list[Tempo]:
    """Return the tempos, those of the first staves first."""
    found: dict[Fraction, float] = {}
    for placed in reversed(content):
        for onset, _, element in placed:
            if "MetronomeMark" in element.classes and element.number is not None:
                found[onset] = float(element.getQuarterBPM())
    return [Tempo(onset, bpm) for onset, bpm in sorted(found.items()) if bpm > 0]


def _meters(content: list[list[_Placed]]) -> list[Meter]:
    return [Meter(onset, each.numerator, each.denominator) for onset, each in _each(content, "TimeSignature")]


def _keys(content: list[list[_Placed]]) -> list[Key]:
    signatures = _each(content, "KeySignature")
    return [Key(onset, key.sharps or 0, getattr(key, "mode", None) or "major") for onset, key in signatures]


def _fermatas(content: list[list[_Placed]]) -> list[Fraction]:
    """Return the beats at which notes with a fermata begin, in any staff."""
    found = {
        onset
        for placed in content
        for onset, _, element in placed
        if "NotRest" in element.classes and element.quarterLength
        if any("Fermata" in each.classes for each in element.expressions)
    }
    return sorted(found)


def _chords(content: list[list[_Placed]]) -> list[tuple[Fraction, str]]:
    found = {}
    for placed in reversed(content):
        for onset, _, element in placed:
            if "ChordSymbol" in element.classes:
                found[onset] = spelled(element)
    return sorted(found.items())


def spelled(symbol: Any) -> str:
    """Return the symbol of a music21 chord as `composer.music.chords` spells it; "" without a root."""
    if "NoChord" in symbol.classes:
        return ""
    root, bass = (pitch.name.replace("-", "b") for pitch in (symbol.root(), symbol.bass()))
    kind = "dominant" if symbol.chordKind == "dominant-seventh" else symbol.chordKind
    return chords.Chord(root, kind, bass).symbol if kind in chords.KINDS else root
