"""A Score as ABC: in the dialect where that holds it, its melody alone for who asks for that, else in voices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from composer.api import EncodeError, Note, Score
from composer.formats.abc.dialect.bar_writer import TunePart, Unwritable, write_tune
from composer.formats.abc.dialect.primer import without_end
from composer.formats.abc.dialect.tables import HIGHEST, LOWEST, MAX_TONES, METERS, chord_symbol
from composer.formats.abc.elements import Sound
from composer.formats.abc.note_names import key_signature, plainest_key, tone
from composer.formats.abc.reader.score import read_score
from composer.formats.abc.reader.structure import MOST_BARS
from composer.formats.abc.writer.melody import GRID, melody_of, snap
from composer.formats.abc.writer.multivoice import tempo, write_voices
from composer.music.keys import BEAT, Signature, Time, pitch

__all__ = ["dialect_of", "dialect_with_losses", "write"]

MOVED_TO_GRID, CUT_SHORT, UNDER_MELODY = (
    "notes moved to the grid",
    "notes cut short by the next",
    "notes under the melody left out",
)

_SLIGHT_OVERLAP = GRID // 8
"""So far notes are moved without a word: many MIDI files end a note a little before the next begins."""


def write(score: Score) -> str:
    """`score` as a file of one tune, which reads back note for note: a single melody in the dialect where that has all
    of its notes, and whatever else in voices. Percussion is left out.

    Raises EncodeError for what neither can hold: see `voices.write_voices`.
    """  # fmt: skip
    return _melody_alone(score) or write_voices(score)


def _melody_alone(score: Score) -> str:
    """`score` in the dialect, with its tempo; empty where that does not hold its notes exactly."""
    parts = [part for part in score.parts if part.notes and not part.percussion]
    if len(parts) != 1:
        return ""
    notes = sorted(parts[0].notes)
    try:
        text = "X:1\n" + _write_melody(score, notes, Counter())
    except EncodeError:
        return ""
    if _onsets_and_lengths(read_score(text).notes) != _onsets_and_lengths(notes):
        return ""
    return text.replace("\nK:", f"\nQ:{tempo(score.tempos[0].bpm)}\nK:", 1) if score.tempos else text


def _onsets_and_lengths(notes: Sequence[Note]) -> list[tuple[Fraction, int, Fraction]]:
    return [(note.onset, note.pitch, note.duration) for note in notes]


def dialect_of(score: Score) -> str:
    """The text of `dialect_with_losses`."""
    return dialect_with_losses(score)[0]


def dialect_with_losses(score: Score, *, opening: bool = False) -> tuple[str, dict[str, int]]:
    """The melody of `score` (see `melody.melody_of`) in the dialect, notes that overlap cut short.

    An `opening` ends with its last note, or with the bar line after that, so that it can be gone on from.
    With it goes what of the score it does not hold, counted by phrases as in `Piece.losses`. Raises EncodeError, naming
    what the dialect has no way of writing: nothing that sounds, a meter that it does not have, a change of meter.
    """
    melody = melody_of(score)
    losses = Counter(score.losses)
    losses.update(melody.losses)
    losses["drum notes left out"] = sum(len(part.notes) for part in score.parts if part.percussion)
    losses["changes of key left out"] = max(len(score.keys) - 1, 0)
    losses["chord symbols left out"] = sum(not chord_symbol(chord.symbol) for chord in score.chords)
    within = [note._replace(pitch=_in_range(note.pitch)) for note in melody.notes]
    losses["notes moved by octaves"] = sum(
        note.pitch != moved.pitch for note, moved in zip(melody.notes, within, strict=True)
    )
    text = _write_melody(score, within, losses, opening=opening)
    return text, {phrase: count for phrase, count in losses.items() if count}


def _in_range(midi: int) -> int:
    """A pitch, or the nearest of its name that the dialect has in every spelling."""
    low, high = pitch(LOWEST, 1), pitch(HIGHEST, -1)
    return midi + 12 * max(-((midi - low) // 12), 0) - 12 * max(-((high - midi) // 12), 0)


def _write_melody(score: Score, melody: Sequence[Note], losses: Counter[str], *, opening: bool = False) -> str:
    """`melody`, in ascending order, in the dialect; what is done to its notes is counted in `losses`."""
    time = _meter(score)
    if not melody:
        raise EncodeError("the score has no notes to write as ABC", "give music with a melody")
    if score.duration * BEAT > MOST_BARS * time.bar:
        raise EncodeError(f"the score has more than {MOST_BARS} bars, which is too long for ABC", "write MIDI")
    key = key_signature(score.keys[0]) if score.keys else plainest_key(melody)
    sounds = _sounds(melody, key, losses)
    if not sounds:
        raise EncodeError(
            "the score has only notes that are too short to write as ABC here", "give music with a melody"
        )
    _chords(sounds, score)
    pickup = round(score.pickup * BEAT)
    try:
        text = write_tune([TunePart(_bars(sounds, time, pickup))], key, time, score.title)
    except Unwritable as error:
        raise EncodeError(f"the score cannot be written as ABC: {error.reason}") from error
    if not opening:
        return text
    return without_end(text, whole=(sum(sound.ticks for sound in sounds) - pickup) % time.bar == 0)


def _meter(score: Score) -> Time:
    meters = {(meter.numerator, meter.denominator) for meter in score.meters} or {(4, 4)}
    if len(meters) > 1:
        raise EncodeError("the score changes its meter, and a tune in ABC here has one", "cut it at the change")
    time = Time(*meters.pop())
    if str(time) not in METERS:
        raise EncodeError(f"a meter of {time} cannot be written as ABC here", f"these can: {', '.join(METERS)}")
    return time


def _sounds(melody: Sequence[Note], key: Signature, losses: Counter[str]) -> list[Sound]:
    """The notes one after another, rests between them, from beat 0; what begins together ends as its highest note."""
    chords: list[tuple[int, int, list[int]]] = []
    for note in melody:
        begin, end = snap(note.onset), snap(note.end)
        losses[MOVED_TO_GRID] += max(abs(begin - note.onset * BEAT), abs(end - note.end * BEAT)) > _SLIGHT_OVERLAP
        if chords and begin <= chords[-1][0]:
            losses[CUT_SHORT] += end != chords[-1][1]
            chords[-1] = (chords[-1][0], max(end, begin + GRID), [*chords[-1][2], note.pitch])
        elif end > begin:
            if chords and chords[-1][1] > begin:
                losses[CUT_SHORT] += len(chords[-1][2])
                chords[-1] = (chords[-1][0], begin, chords[-1][2])
            chords.append((begin, end, [note.pitch]))
        else:
            losses["notes too short left out"] += 1
    sounds: list[Sound] = []
    now = 0
    for begin, end, pitches in chords:
        if begin > now:
            sounds.append(Sound((), begin - now, 0, 0))
        highest = sorted(set(pitches))[-MAX_TONES:]
        losses[UNDER_MELODY] += len(pitches) - len(highest)
        sounds.append(Sound(tuple(sorted(tone(each, key) for each in highest)), end - begin, 0, 0))
        now = end
    _group(sounds)
    return sounds


def _group(sounds: list[Sound]) -> None:
    """Three equal notes that no length string can tell are a triplet."""
    index, number = 0, 0
    while index < len(sounds):
        three = sounds[index : index + 3]
        if three[0].ticks % GRID:
            if len(three) < 3 or any(each.ticks != three[0].ticks or not each.tones for each in three):
                raise EncodeError("the score has rhythms that cannot be written as ABC here", "simplify its tuplets")
            number += 1
            for each in three:
                each.group = number
            index += 2
        index += 1


def _chords(sounds: Sequence[Sound], score: Score) -> None:
    """Chord symbols stand over the first sound that begins with or after them."""
    waiting = [(round(chord.onset * BEAT), chord.symbol) for chord in score.chords]
    now = 0
    for sound in sounds:
        while waiting and waiting[0][0] <= now:
            sound.chord = waiting.pop(0)[1]
        now += sound.ticks


def _bars(sounds: Sequence[Sound], time: Time, pickup: int) -> list[list[Sound]]:
    """Cut at the bar lines, what goes over them tied, and the last bar filled with a rest."""
    lines: list[list[Sound]] = [[]]
    room = pickup % time.bar or time.bar
    for sound in sounds:
        left, tones = sound.ticks, sound.tones
        chord = sound.chord
        if left > room and sound.group:
            raise EncodeError("the score has a triplet over a bar line, which cannot be written as ABC here")
        while left > room:
            lines[-1].append(Sound(tones, room, 0, 0, chord, ties=tones))
            left, room, chord = left - room, time.bar, ""
            lines.append([])
        lines[-1].append(Sound(tones, left, 0, 0, chord, ties=sound.ties, group=sound.group))
        room -= left
        if not room:
            lines.append([])
            room = time.bar
    if not lines[-1]:
        lines.pop()
    elif room != pickup:
        lines[-1].append(Sound((), room, 0, 0))
    return lines
