"""A score as plain data for the player of the page: times in beats, rounded to a few thousandths."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from composer.api import Note, Part, Score
from composer.formats.midi.writer import CHORD_SOFTNESS
from composer.music.bars import bars
from composer.music.sounding import chord_part, sounding_parts
from composer.music.tempo_map import DEFAULT_BPM, TempoMap

_MIN_ROWS = 10


def tune_data(score: Score, title: str) -> dict[str, Any]:
    """Return what the player needs to know of `score`, which is audible, except for its sheet music.

    All parts are played, and softly the chord symbols. Drawn are those of `sounding_parts`: in a score of percussion
    alone, pitches are indices of `rows["sounds"]`.
    """
    drawn = sounding_parts(score)
    sounds = sorted({note.pitch for part in drawn for note in part.notes}) if drawn[0].percussion else []
    return {
        "title": title,
        "beats": _rounded(score.duration),
        "bpm": float(next((tempo.bpm for tempo in score.tempos if tempo.bpm > 0), DEFAULT_BPM)),
        "tempo": list(_tempo_points(score)),
        "bars": list(_bar_lines(score)),
        "chords": [[_rounded(chord.onset), chord.symbol] for chord in sorted(score.chords)],
        "rows": {**_range(drawn, sounds), "sounds": sounds},
        "parts": list(_parts(score, drawn, sounds)),
    }


def _rounded(value: Fraction | float) -> float:
    return round(float(value), 4)


def _tempo_points(score: Score) -> Iterator[list[float]]:
    """Yield beats and their seconds, between which the tempo does not change; the last is after the end."""
    tempo_map, end = TempoMap(score.tempos), score.duration
    changes = {max(tempo.onset, Fraction(0)) for tempo in score.tempos if tempo.onset < end}
    for beat in sorted({Fraction(0), *changes, end + 1}):
        yield [float(beat), float(tempo_map.seconds(beat))]


def _bar_lines(score: Score) -> Iterator[list[float]]:
    """Yield the start, end, number and beat of each bar; the beat is a dotted note in compound meters."""
    for bar in bars(score):
        compound = bar.meter.denominator >= 8 and bar.meter.numerator % 3 == 0
        beat = Fraction(4, bar.meter.denominator) * (3 if compound else 1)
        yield [_rounded(bar.start), _rounded(bar.end), bar.number, _rounded(beat)]


def _range(parts: tuple[Part, ...], sounds: list[int]) -> dict[str, int]:
    """Return the lowest and the highest row: all sounds of percussion, else the pitches and some room around them."""
    if sounds:
        return {"low": 0, "high": len(sounds) - 1}
    pitches = {note.pitch for part in parts for note in part.notes}
    spare = max(_MIN_ROWS - (max(pitches) - min(pitches)), 2) // 2
    return {"low": min(pitches) - spare, "high": max(pitches) + spare}


def _parts(score: Score, drawn: tuple[Part, ...], sounds: list[int]) -> Iterator[dict[str, Any]]:
    """Yield the parts as they are drawn, then those that are only played."""
    rows = {sound: row for row, sound in enumerate(sounds)}
    for number, part in enumerate(drawn):
        usual = "melody" if len(drawn) == 1 else f"part {number + 1}"
        # voices of ABC are often called 1 and 2, and tracks of MIDI as the piece
        is_named = part.name.strip() not in {"", score.title} and not part.name.isdecimal()
        yield _part(part, part.name if is_named else usual, True, rows)
    for part in score.parts:
        if part.notes and part not in drawn:
            yield _part(part, part.name or "drums", False)
    chords = chord_part(score)
    if chords.notes and chords not in drawn:
        yield _part(chords, "chords", False, softness=CHORD_SOFTNESS)


def _part(
    part: Part, name: str, drawn: bool, rows: dict[int, int] | None = None, softness: float = 1.0
) -> dict[str, Any]:
    def data(note: Note) -> list[float]:
        row = rows[note.pitch] if rows else note.pitch
        return [_rounded(note.onset), _rounded(note.duration), row, round(note.velocity * softness)]

    notes = [data(note) for note in part.notes]
    return {"name": name, "program": part.program, "percussion": part.percussion, "drawn": drawn, "notes": notes}
