"""Transpose scores, keys and chord symbols by semitones."""

from __future__ import annotations

from dataclasses import replace

from composer.api import EncodeError, Note, Part, Score
from composer.music import chords
from composer.music.keys import name_of_fifth, pitch_class, spell_in_key

__all__ = ["transposed", "transposed_chord", "transposed_sharps"]


_FLATTEST, _SHARPEST = -8, 12
"""Fb and B# on the line of fifths: chord symbols have no double accidentals."""


def transposed(score: Score, semitones: int) -> Score:
    """Return `score` with its notes, keys and chord symbols moved up by `semitones`; percussion stays as it is.

    Raises EncodeError if a note leaves the range of MIDI, 0 to 127.
    """
    keys = tuple(key._replace(sharps=transposed_sharps(key.sharps, semitones)) for key in score.keys)
    sharps = keys[0].sharps if keys else 0
    symbols = (each._replace(symbol=transposed_chord(each.symbol, semitones, sharps)) for each in score.chords)
    parts = tuple(part if part.percussion else _transposed_part(part, semitones) for part in score.parts)
    return replace(score, parts=parts, chords=tuple(symbols), keys=keys)


def transposed_sharps(sharps: int, semitones: int) -> int:
    """Return the sharps (negative: flats) of a key transposed by `semitones`: from -6 to 5."""
    return (sharps + 7 * semitones + 6) % 12 - 6


def transposed_chord(symbol: str, semitones: int, sharps: int = 0) -> str:
    """Return a chord symbol moved up by `semitones`, spelled for a new key of `sharps`; other text stays as it is."""
    chord = chords.parse(symbol)
    if chord is None or semitones % 12 == 0:
        return symbol

    def moved(name: str) -> str:
        fifth, _ = spell_in_key(pitch_class(name) + semitones, sharps)
        return name_of_fifth(fifth - 12 if fifth > _SHARPEST else fifth + 12 if fifth < _FLATTEST else fifth)

    return replace(chord, root=moved(chord.root), bass=moved(chord.bass)).symbol


def _transposed_part(part: Part, semitones: int) -> Part:
    return replace(part, notes=tuple(_transposed_note(note, semitones) for note in part.notes))


def _transposed_note(note: Note, semitones: int) -> Note:
    pitch = note.pitch + semitones
    if not 0 <= pitch <= 127:
        raise EncodeError(f"a transposition by {semitones} semitones moves note {note.pitch} out of the MIDI range")
    return note._replace(pitch=pitch)
