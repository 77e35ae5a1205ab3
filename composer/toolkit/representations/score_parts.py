"""Reading and quantizing the parts of scores and MIDI files, and counting what is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

from composer.api import Key, Note, RejectedPiece, Score, Source
from composer.formats.midi import is_midi
from composer.formats.midi.beats import beats, signs
from composer.formats.midi.tracks import MidiFile, Track, in_order
from composer.formats.read import read_scores
from composer.toolkit.representations.quantize import NotEncodable, quantize_voices
from composer.toolkit.representations.steps import OutOfRange

if TYPE_CHECKING:
    from composer.toolkit.representations.note_arrays import NoteArrays

__all__ = [
    "TRANSPOSITIONS",
    "Music",
    "NoteSource",
    "keys_of",
    "losses_of",
    "notes_of",
    "offgrid_mode",
    "pitched_parts",
    "quantize_parts",
    "read",
]

Music = Score | MidiFile
"""Music to quantize. MIDI stays in ticks, since converting notes to beats is a hundred times slower."""


class NoteSource(Protocol):
    """A part of a score or a track of a file; `notes` are a tuple, or an array (n, 4)."""

    @property
    def notes(self) -> Any: ...
    @property
    def name(self) -> str: ...
    @property
    def program(self) -> int: ...
    @property
    def percussion(self) -> bool: ...


TRANSPOSITIONS = tuple(shift for shift in range(-5, 7) if shift)
"""Transpositions in semitones to all other keys."""


def read(source: Source, *, pedal: bool = False) -> Iterator[tuple[str, Music | RejectedPiece]]:
    """Yield the music in `source`, as `read_scores` does, but MIDI in ticks."""
    data = source.bytes()
    if is_midi(data):
        from composer.formats.midi import ticks  # the parser, which few commands need

        yield source.label, ticks.read(data, source.label, pedal=pedal)
    else:
        yield from read_scores(replace(source, data=data), pedal=pedal)


def pitched_parts(music: Music) -> list[NoteSource]:
    """Return the parts with pitched notes. Raises NotEncodable if there is none."""
    parts: Sequence[NoteSource] = music.parts
    pitched = [part for part in parts if len(part.notes) and not part.percussion]
    if not pitched:
        raise NotEncodable("only drums" if any(len(part.notes) for part in parts) else "no notes")
    return pitched


def quantize_parts(
    music: Music, parts: Sequence[NoteSource], steps: int | Fraction, offgrid: str, lowest: int = 0, highest: int = 127
) -> tuple[NoteArrays, Mapping[str, int], int]:
    """Quantize the notes of `parts` from pitch `lowest` to `highest`.

    Returns the notes, losses by phrase, and the number of notes in the range. Raises OutOfRange, OffGrid and
    NotEncodable.
    """
    from composer.toolkit.representations import note_arrays

    if isinstance(music, MidiFile):
        tracks = [part for part in parts if isinstance(part, Track)]
        quantized, losses, in_range = note_arrays.quantize_tracks(music, tracks, steps, offgrid, lowest, highest)
    else:
        quantized, losses, in_range = _quantize_voices(parts, steps, offgrid, lowest, highest)
    if not in_range:
        raise _out_of_range(music, parts, lowest, highest)
    return quantized, losses, in_range


def _quantize_voices(
    parts: Sequence[NoteSource], steps: int | Fraction, offgrid: str, lowest: int, highest: int
) -> tuple[NoteArrays, dict[str, int], int]:
    from composer.toolkit.representations import note_arrays

    voices = [[note for note in part.notes if lowest <= note.pitch <= highest] for part in parts]
    quantized, losses = quantize_voices(voices, steps, offgrid)
    return note_arrays.NoteArrays.from_notes(quantized), losses, sum(map(len, voices))


def _out_of_range(music: Music, parts: Sequence[NoteSource], lowest: int, highest: int) -> OutOfRange:
    """Return the error for `parts` with no note from pitch `lowest` to `highest`."""
    pitches = [note.pitch for part in parts for note in notes_of(music, part)]
    return OutOfRange(min(pitches), max(pitches), lowest, highest)


def notes_of(music: Music, part: NoteSource) -> Sequence[Note]:
    """Return the notes of a part of `music` in beats."""
    if isinstance(music, MidiFile):
        return tuple(beats(in_order(part.notes), music.division))
    notes: Sequence[Note] = part.notes
    return notes


def keys_of(music: Music) -> Sequence[Key]:
    """Return the keys of `music`."""
    return signs(music.division, (), music.keys)[1] if isinstance(music, MidiFile) else music.keys


def offgrid_mode(option: str, *, is_primer: bool) -> str:
    """Return how to treat notes off the grid: as `option` says, but round those of a primer rather than refuse it."""
    return "round" if is_primer and option == "refuse" else option


def losses_of(music: Music, used_parts: Iterable[NoteSource], *others: Mapping[str, int]) -> dict[str, int]:
    """Count what a piece made from the parts `used_parts` lacks of `music`, including the losses in `others`."""
    counts = [(len(part.notes), part.percussion) for part in music.parts]
    pitched = sum(count for count, percussion in counts if not percussion)
    losses: dict[str, int] = {}
    for counted in (music.losses, *others):
        for phrase, count in counted.items():
            losses[phrase] = losses.get(phrase, 0) + count
    losses |= {
        "notes of other parts left out": pitched - sum(len(part.notes) for part in used_parts),
        "drum notes left out": sum(count for count, percussion in counts if percussion),
        "chord symbols left out": len(music.chords),
    }
    return {phrase: count for phrase, count in losses.items() if count}
