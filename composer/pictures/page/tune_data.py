"""A score as plain data for the player of the page: times in beats, rounded to a few thousandths."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from composer.api import Part, Score
from composer.formats.midi.writer import CHORD_SOFTNESS
from composer.music.sounding import chord_part, sounding_parts, with_drum_rows
from composer.music.tempo_map import DEFAULT_BPM, TempoMap
from composer.pictures.bar_lines import drawn_bars

_MIN_ROWS = 10


def tune_data(score: Score, title: str) -> dict[str, Any]:
    """Return what the player needs to know of `score`, which is audible, except for its sheet music.

    All parts are played, and softly the chord symbols. Drawn are those of `sounding_parts`: in a score of percussion
    alone, pitches are indices of `rows["sounds"]`.
    """
    drawn = sounding_parts(score)
    rows, sounds = with_drum_rows(drawn)
    return {
        "title": title,
        "beats": _rounded(score.duration),
        "bpm": float(next((tempo.bpm for tempo in score.tempos if tempo.bpm > 0), DEFAULT_BPM)),
        "tempo": list(_tempo_points(score)),
        "bars": list(_bar_lines(score)),
        "chords": [[_rounded(chord.onset), chord.symbol] for chord in sorted(score.chords)],
        "rows": {**_range(rows, is_percussion=bool(sounds)), "sounds": sounds},
        "parts": [*_drawn(rows, score.title), *_only_played(score, drawn)],
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
    """Yield the start, end, number and pulse of each bar."""
    for bar in drawn_bars(score):
        yield [_rounded(bar.start), _rounded(bar.end), bar.written, _rounded(bar.pulse)]


def _range(parts: tuple[Part, ...], *, is_percussion: bool) -> dict[str, int]:
    """Return the lowest and the highest row: all sounds of percussion, else the pitches and some room around them."""
    pitches = {note.pitch for part in parts for note in part.notes}
    low, high = min(pitches), max(pitches)
    spare = 0 if is_percussion else max(_MIN_ROWS - (high - low), 2) // 2
    return {"low": low - spare, "high": high + spare}


def _drawn(parts: tuple[Part, ...], title: str) -> Iterator[dict[str, Any]]:
    for number, part in enumerate(parts):
        usual = "melody" if len(parts) == 1 else f"part {number + 1}"
        # voices of ABC are often called 1 and 2, and tracks of MIDI as the piece
        is_named = part.name.strip() not in {"", title} and not part.name.isdecimal()
        yield _part(part, part.name if is_named else usual, drawn=True)


def _only_played(score: Score, drawn: tuple[Part, ...]) -> Iterator[dict[str, Any]]:
    for part in score.parts:
        if part.notes and part not in drawn:
            yield _part(part, part.name or "drums", drawn=False)
    chords = chord_part(score)
    if chords.notes and chords not in drawn:
        yield _part(chords, "chords", drawn=False, softness=CHORD_SOFTNESS)


def _part(part: Part, name: str, *, drawn: bool, softness: float = 1.0) -> dict[str, Any]:
    notes = [
        [_rounded(note.onset), _rounded(note.duration), note.pitch, round(note.velocity * softness)]
        for note in part.notes
    ]
    return {"name": name, "program": part.program, "percussion": part.percussion, "drawn": drawn, "notes": notes}
