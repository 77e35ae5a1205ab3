"""The kept voice as a part of its own, if it rests: notation would show other voices in its rests."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, groupby
from statistics import fmean

from composer.api import Note, Part, Piece, VoiceNotation
from composer.toolkit.representations.quantize import GridNote, to_notes
from composer_pianoroll.frames import Roll
from composer_pianoroll.kept_voice.constraint import BASS, TOP, most_sounding, notes_of_voice, voice_of

KEPT_VOICE = "kept_voice"
"""The label of pieces that keep a voice of a tune: its name."""
RESTS = {TOP: "top_rests", BASS: "bass_rests"}
"""The labels of a tune that say where its outer voices rest, in steps: `0-8,24-32`."""

MAX_VOICES = 4
"""More are written as chords, beside the kept voice."""
MIDDLE_C = 60


def with_rests(piece: Piece[Roll]) -> Piece[Roll]:
    """Return `piece` with labels for the rests of its outer voices; none for a voice without rests."""
    found = {RESTS[which]: _spans(rests_of(piece.content, which)) for which in RESTS}
    return replace(piece, labels={**piece.labels, **{label: spans for label, spans in found.items() if spans}})


def _spans(rests: Iterable[tuple[int, int]]) -> str:
    return ",".join(f"{start}-{end}" for start, end in rests)


def rests_of(roll: Roll, which: str) -> Iterator[tuple[int, int]]:
    """Yield the rests of a voice with notes, in steps: first and next after the last."""
    end = 0
    for note in voice_of(roll, which):
        if note.start > end:
            yield end, note.start
        end = note.start + note.length
    if end < roll.steps:
        yield end, roll.steps


def parts_of(notes: Sequence[GridNote], labels: Mapping[str, str], per_beat: int) -> tuple[Part, ...]:
    """Return the parts of a piece with `notes` by their starts and `per_beat` steps per beat.

    There are several if the labels say that a kept voice rests: that voice, and the others as far as they are few.
    """
    which = labels.get(KEPT_VOICE, "")
    rests = labels.get(RESTS.get(which, ""), "")
    if not rests:
        return (Part(to_notes(notes, per_beat)),)
    kept = {*_outside(notes_of_voice(notes, which), rests)}
    others = [note for note in notes if note not in kept]
    separated = _voices(others)
    voices, own = separated or [others], [note for note in notes if note in kept]
    voices = [voice for voice in ([own, *voices] if which == TOP else [*voices, own]) if voice]
    scores = [to_notes(voice, per_beat) for voice in voices]
    return _on_staves(scores) if separated else tuple(map(Part, scores))


def _outside(notes: Iterable[GridNote], rests: str) -> Iterator[GridNote]:
    """Yield the notes that do not start in a rest. The kept voice is outermost wherever it sounds: they are its own."""
    spans = [tuple(map(int, span.split("-"))) for span in rests.split(",")]
    starts = [start for start, _ in spans]
    for note in notes:
        before = bisect_right(starts, note.start) - 1
        if before < 0 or note.start >= spans[before][1]:
            yield note


def _voices(notes: Sequence[GridNote]) -> list[list[GridNote]]:
    """Return the voices of `notes`, which are by their starts, from the highest; none if they are many.

    Notes that start together do not cross, and move as little as possible.
    """
    count = most_sounding(notes)
    if not 1 <= count < MAX_VOICES:
        return []
    voices = [list[GridNote]() for _ in range(count)]
    for start, together in groupby(notes, key=lambda note: note.start):
        starting = sorted(together, key=lambda note: -note.pitch)
        free = [voice for voice in voices if not voice or voice[-1].start + voice[-1].length <= start]
        chosen = min(combinations(free, len(starting)), key=lambda voices: _motion(voices, starting))
        for voice, note in zip(chosen, starting, strict=True):
            voice.append(note)
    return voices


def _motion(voices: Iterable[Sequence[GridNote]], notes: Iterable[GridNote]) -> int:
    """Return by how many semitones `voices` move to `notes`."""
    return sum(abs(voice[-1].pitch - note.pitch) for voice, note in zip(voices, notes, strict=True) if voice)


def _on_staves(voices: Sequence[tuple[Note, ...]]) -> tuple[Part, ...]:
    """Return voices, from the highest, as parts on one or two staves, as a pianist reads a chorale."""
    staves = [1 if _clef(voice) == "treble" else 2 for voice in voices]
    if len(voices) == MAX_VOICES:
        staves = [1, 1, 2, 2]
    elif len(voices) > 2:  # too many for one staff
        staves[0], staves[-1] = 1, 2
    placed, first = [*zip(voices, staves, strict=True)], min(staves)
    clefs = {staff: _clef(note for voice, at in placed if at == staff for note in voice) for staff in staves}
    return tuple(Part(voice, notation=VoiceNotation(at - first + 1, 1, clefs[at])) for voice, at in placed)


def _clef(notes: Iterable[Note]) -> str:
    return "treble" if fmean(note.pitch for note in notes) >= MIDDLE_C else "bass"
