"""What representations of notes on a grid have in common: the parts that sound, the keys to learn in, what is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

from composer.api import Key, Note, RejectedPiece, Score, Source
from composer.formats.midi import is_midi, ticks
from composer.formats.midi.reader import beats, signs
from composer.formats.midi.tracks import MidiFile, Track
from composer.formats.read import read_scores
from composer.toolkit.representations.quantize import NotEncodable, quantize

if TYPE_CHECKING:
    from composer.toolkit.representations.note_arrays import NoteArrays

Music = Score | MidiFile
"""What is put on a grid. MIDI stays in its ticks, since notes in beats take a hundred times as long to make."""


class NoteSource(Protocol):
    """What the parts of a score and the tracks of a file have in common; `notes` are a tuple, or an array (n, 4)."""

    @property
    def notes(self) -> Any: ...
    @property
    def name(self) -> str: ...
    @property
    def program(self) -> int: ...
    @property
    def percussion(self) -> bool: ...


TRANSPOSITIONS = tuple(shift for shift in range(-5, 7) if shift)
"""The semitones by which a piece comes into each of the other keys."""

CONDITIONS = "labels that the model is told, such as meter,mode; there are meter, key and mode"
"""What the option `conditions` is for."""


def read(source: Source, *, pedal: bool = False) -> Iterator[tuple[str, Music | RejectedPiece]]:
    """The music in `source`, as `read_scores` reads it."""
    data = source.bytes()
    if is_midi(data):
        yield source.label, ticks.read(data, source.label, pedal=pedal)
    else:
        yield from read_scores(replace(source, data=data), pedal=pedal)


def pitched_parts(music: Music) -> list[NoteSource]:
    """The parts with notes that have a pitch. Raises NotEncodable where there is none."""
    parts: Sequence[NoteSource] = music.parts
    sounding = [part for part in parts if len(part.notes) and not part.percussion]
    if not sounding:
        raise NotEncodable("only drums" if any(len(part.notes) for part in parts) else "no notes")
    return sounding


def quantize_parts(
    music: Music, parts: Sequence[NoteSource], steps: int | Fraction, offgrid: str, lowest: int = 0, highest: int = 127
) -> tuple[NoteArrays, Mapping[str, int], int]:
    """The notes of `parts` from pitch `lowest` to `highest`, as `quantize` moves them, and what was lost by phrase.

    The last of the three is how many notes are in that range. Raises OffGrid and NotEncodable.
    """
    from composer.toolkit.representations import note_arrays

    if isinstance(music, MidiFile):
        tracks = [part for part in parts if isinstance(part, Track)]
        return note_arrays.quantize_tracks(music, tracks, steps, offgrid, lowest, highest)
    within = [note for part in parts for note in part.notes if lowest <= note.pitch <= highest]
    placed, losses = quantize(within, steps, offgrid)
    return note_arrays.NoteArrays.from_notes(placed), losses, len(within)


def notes_of(music: Music, part: NoteSource) -> Sequence[Note]:
    """The notes of a part of `music` in beats."""
    if isinstance(music, MidiFile):
        return tuple(beats(ticks.in_order(part.notes), music.division))
    notes: Sequence[Note] = part.notes
    return notes


def keys_of(music: Music) -> Sequence[Key]:
    """The keys of `music`."""
    return signs(music.division, (), music.keys)[1] if isinstance(music, MidiFile) else music.keys


def offgrid_mode(chosen: str, *, opening: bool) -> str:
    """What becomes of notes off the grid: as the option says, but that an opening is never refused for them."""
    return "round" if opening and chosen == "refuse" else chosen


def losses_of(music: Music, kept: Iterable[NoteSource], *others: Mapping[str, int]) -> dict[str, int]:
    """All that a piece made of the parts `kept` does not hold of `music`, with what was counted on the way."""
    counts = [(len(part.notes), part.percussion) for part in music.parts]
    pitched = sum(count for count, percussion in counts if not percussion)
    losses: dict[str, int] = {}
    for counted in (music.losses, *others):
        for phrase, count in counted.items():
            losses[phrase] = losses.get(phrase, 0) + count
    losses |= {
        "notes of other parts left out": pitched - sum(len(part.notes) for part in kept),
        "drum notes left out": sum(count for count, percussion in counts if percussion),
        "chord symbols left out": len(music.chords),
    }
    return {phrase: count for phrase, count in losses.items() if count}
