"""Write a Score as ABC: a single melody in the dialect, other music in several voices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from composer.api import EncodeError, Note, Part, Score, Tempo, VoiceNotation
from composer.formats.abc.dialect.bar_writer import TunePart, Unwritable, write_tune
from composer.formats.abc.dialect.primer import without_end
from composer.formats.abc.dialect.tables import HIGHEST, LOWEST, MAX_TONES, METERS, chord_symbol
from composer.formats.abc.elements import Sound
from composer.formats.abc.header import heading
from composer.formats.abc.note_names import key_signature, plainest_key, tone
from composer.formats.abc.reader.score import read_score
from composer.formats.abc.reader.structure import MAX_BARS
from composer.formats.abc.writer.melody import GRID, UNDER_MELODY, melody_of, snap
from composer.formats.abc.writer.multivoice import counted_notes, tempo_field, write_voices
from composer.formats.abc.writer.triplets import with_writable_tuplets
from composer.music.bars import SILENT_BARS, bars, count_silent_bars, notated_end
from composer.music.chords import ends_of_chords
from composer.music.keys import BEAT, Signature, Time, pitch
from composer.music.tempo_map import DEFAULT_BPM, first_tempo
from composer.music.voices.polyphony import polyphonic_voices

__all__ = ["dialect_with_losses"]

MOVED_TO_GRID, CUT_SHORT = "notes moved to the grid", "notes cut short by the next"
TOO_SHORT = "notes too short left out"
KEY_CHANGES, UNWRITTEN_CHORDS = "changes of key left out", "chord symbols left out"
MOVED_KEYS = "changes of key within bars moved to bar lines or left out"

MAX_LOST_TIME = Fraction(1, 10)
"""The largest share of the melody's sounding time that the notes too short may take, as they are mere ornaments."""

_SLIGHT_OVERLAP = GRID // 8
"""Smaller moves are not reported: many MIDI files end a note a little before the next one starts."""

_SOON = Fraction(1, 8)
"""The beats after the start of the music at which a tempo still is that of the start."""


def write(score: Score) -> str:
    """Return `score` as a file with one tune that reads back note for note: in the dialect if that can hold it, else in
    several voices. Voices on two staves are not written as chords.

    Raises EncodeError for scores that neither can hold (see `write_voices`).
    """  # fmt: skip
    score = replace(score, tempos=_from_the_first_note(score))
    return ("" if score.fermatas or _needs_staves(score) else _melody_alone(score)) or write_voices(score)


def _needs_staves(score: Score) -> bool:
    return any(
        voice.staff > 0 for part in score.parts if part.notation is None for voice in polyphonic_voices(part)
    ) or any(part.notation.hidden or part.notation.clef not in ("", "treble") for part in score.parts if part.notation)


def _from_the_first_note(score: Score) -> tuple[Tempo, ...]:
    """Return the tempos, with the default first if the first note has begun long before there is any."""
    tempos = tuple(sorted(each for each in score.tempos if each.bpm > 0))
    begin = min((note.onset for part in score.parts for note in part.notes), default=Fraction(0)) + _SOON
    return (Tempo(Fraction(0), DEFAULT_BPM), *tempos) if tempos and tempos[0].onset > begin else tempos


def _melody_alone(score: Score) -> str:
    """Return `score` in the dialect, with its title, tempo and program; empty if the dialect cannot hold it exactly."""
    parts = [part for part in score.parts if part.notes]
    if len(parts) != 1 or parts[0].percussion or len(score.tempos) > 1 or len(score.keys) > 1:
        return ""
    if not all(chord_symbol(chord.symbol) for chord in score.chords) or ends_of_chords(
        score.chords, notated_end(score)
    ):
        return ""
    notes = sorted(parts[0].notes)
    try:
        text = "X:1\n" + _write_melody(replace(score, title=""), notes, Counter(), end=notated_end(score))
    except EncodeError:
        return ""
    again = read_score(text)
    if _onsets_and_lengths(again.notes) != _onsets_and_lengths(notes):
        return ""
    if [chord.onset for chord in again.chords] != [chord.onset for chord in score.chords]:
        return ""
    return _with_header(text, score, score.tempos[:1], parts[0].program)


def _with_header(text: str, score: Score, tempos: Sequence[Tempo], program: int = 0) -> str:
    """Return a tune of the dialect, without a title, with the title and composers of `score`, a tempo and a program."""
    text = text.replace("\n", "".join(f"\n{field}" for field in heading(score)) + "\n", 1)
    more = "".join(f"Q:{tempo_field(each, counted_notes(score))}\n" for each in tempos)
    more += f"%%MIDI program {program}\n" if program else ""
    return text.replace("\nK:", f"\n{more}K:", 1)


def melody_with_losses(score: Score) -> tuple[str, dict[str, int]]:
    """Return the melody of `score` as a file with one tune: in the dialect, with composers, first tempo and program.

    If the dialect cannot write its meters, or its key changes, changes of meter, key and tempo are kept, as `write`
    does. The losses and errors are otherwise those of `dialect_with_losses`.
    """
    if not _has_dialect_meter(score):
        return _melody_in_any_meters(score)
    text, losses = dialect_with_losses(replace(score, title=""))
    if any((one.sharps, one.mode) != (other.sharps, other.mode) for one, other in pairwise(sorted(score.keys))):
        melody = read_score(f"X:1\n{text}").notes  # at times that ABC can write
        kept = (KEY_CHANGES, UNWRITTEN_CHORDS, SILENT_BARS)
        losses = {phrase: n for phrase, n in losses.items() if phrase not in kept} | _moved_keys(score)
        return _with_all_changes(score, melody), losses
    changes = sum(one.bpm != other.bpm for one, other in pairwise(sorted(score.tempos)))
    tempos = [first_tempo(score)] if score.tempos else []
    more = {"tempos left out": changes} if changes else {}
    return _with_header(f"X:1\n{text}", score, tempos, melody_of(score).program), losses | more


def _has_dialect_meter(score: Score) -> bool:
    try:
        _meter(score)
    except EncodeError:
        return False
    return True


def _melody_in_any_meters(score: Score) -> tuple[str, dict[str, int]]:
    melody = melody_of(score)
    if not melody.notes:
        raise _no_notes_error()
    losses = Counter(score.losses)
    losses.update(melody.losses)
    losses["drum notes left out"] = _count_drums(score)
    losses["keys estimated from the notes"] += not score.keys
    notes = tuple(
        Note(Fraction(begin, BEAT), each, Fraction(end - begin, BEAT))
        for begin, end, pitches in _one_after_another(melody.notes, losses)
        for each in sorted(set(pitches))
    )
    losses |= _moved_keys(score)
    return _with_all_changes(score, notes), {phrase: count for phrase, count in losses.items() if count}


def _moved_keys(score: Score) -> dict[str, int]:
    """Return how many changes of key are not at bar lines, where ABC has them."""
    starts = {bar.start for bar in bars(score)}
    moved = sum(key.onset not in starts for key in score.keys)
    return {MOVED_KEYS: moved} if moved else {}


def _with_all_changes(score: Score, notes: Sequence[Note]) -> str:
    """Return a tune of one voice with `notes`, and with the changes of meter, key and tempo of `score`."""
    program = melody_of(score).program
    part = Part(tuple(notes), program=program, notation=VoiceNotation(0))  # a single voice, even with chords
    return write_voices(replace(score, parts=(part,), tempos=_from_the_first_note(score)))


def _count_drums(score: Score) -> int:
    return sum(len(part.notes) for part in score.parts if part.percussion)


def _no_notes_error() -> EncodeError:
    return EncodeError("the score has no notes to write as ABC", "use music with a melody")


def _onsets_and_lengths(notes: Sequence[Note]) -> list[tuple[Fraction, int, Fraction]]:
    return [(note.onset, note.pitch, note.duration) for note in notes]


def dialect_with_losses(score: Score, *, as_primer: bool = False) -> tuple[str, dict[str, int]]:
    """Return the melody of `score` (see `melody_of`) in the dialect, and what it leaves out or changes.

    Overlapping notes are cut short. If the score has no key, it is estimated. With `as_primer`, the text ends with the
    last note or the bar line after it, to be continued. The losses are counted by phrase, as in `Piece.losses`. Raises
    EncodeError if there are no notes, or the dialect cannot write the meter or a change of it, or would lose the
    rhythm.
    """
    melody = melody_of(score)
    losses = Counter(score.losses)
    losses.update(melody.losses)
    losses["drum notes left out"] = _count_drums(score)
    losses[KEY_CHANGES] = max(len(score.keys) - 1, 0)
    losses[UNWRITTEN_CHORDS] = sum(not chord_symbol(chord.symbol) for chord in score.chords)
    within = [note._replace(pitch=_in_range(note.pitch)) for note in melody.notes]
    losses["notes moved by octaves"] = sum(a.pitch != b.pitch for a, b in zip(melody.notes, within, strict=True))
    losses[SILENT_BARS] = 0 if as_primer else count_silent_bars(score)
    text = _write_melody(score, within, losses, as_primer=as_primer)
    return text, {phrase: count for phrase, count in losses.items() if count}


def _in_range(midi: int) -> int:
    """Return a pitch, moved by octaves into the range that the dialect has in every spelling."""
    low, high = pitch(LOWEST, 1), pitch(HIGHEST, -1)
    return midi + 12 * max(-((midi - low) // 12), 0) - 12 * max(-((high - midi) // 12), 0)


def _write_melody(
    score: Score, melody: Sequence[Note], losses: Counter[str], *, as_primer: bool = False, end: Fraction = Fraction(0)
) -> str:
    """Return `melody`, in ascending order, in the dialect, and count changes to its notes in `losses`.

    Rests follow it up to beat `end`, if its last bar ends before.
    """
    time = _meter(score)
    if not melody:
        raise _no_notes_error()
    if max(score.duration, end) * BEAT > MAX_BARS * time.bar:
        raise EncodeError(f"the score has more than {MAX_BARS} bars, which is too long for ABC", "write MIDI")
    key = key_signature(score.keys[0]) if score.keys else plainest_key(melody)
    losses["keys estimated from the notes"] += not score.keys
    pickup = round(score.pickup * BEAT)
    sounds, moved, lost = with_writable_tuplets(_sounds(melody, key, losses), time.bar, pickup)
    losses[MOVED_TO_GRID] += moved
    losses[TOO_SHORT] += lost
    if not sounds:
        raise EncodeError("the notes of the score are too short for ABC", "use music with notes of 1/32 or longer")
    _chords(sounds, score)
    if (silence := round(end * BEAT) - sum(sound.ticks for sound in sounds)) > 0:
        sounds.append(Sound((), silence, 0, 0))
    try:
        text = write_tune([TunePart(_bars(sounds, time, pickup))], key, time, score.title)
    except Unwritable as error:
        raise EncodeError(f"the score cannot be written as ABC: {error.reason}") from error
    if not as_primer:
        return text
    return without_end(text, whole=(sum(sound.ticks for sound in sounds) - pickup) % time.bar == 0)


def _meter(score: Score) -> Time:
    meters = {(meter.numerator, meter.denominator) for meter in score.meters} or {(4, 4)}
    if len(meters) > 1:
        raise EncodeError("the score changes meter, but only one meter per tune is supported", "split it at the change")
    time = Time(*meters.pop())
    if str(time) not in METERS:
        raise EncodeError(f"unsupported meter {time}", f"use one of {', '.join(METERS)}")
    return time


def _sounds(melody: Sequence[Note], key: Signature, losses: Counter[str]) -> list[Sound]:
    """Return the notes in a row from beat 0, with rests between; notes that start together form a chord."""
    sounds: list[Sound] = []
    now = 0
    for begin, end, pitches in _one_after_another(melody, losses):
        if begin > now:
            sounds.append(Sound((), begin - now, 0, 0))
        highest = sorted(set(pitches))[-MAX_TONES:]
        losses[UNDER_MELODY] += len(pitches) - len(highest)
        sounds.append(Sound(tuple(sorted(tone(each, key) for each in highest)), end - begin, 0, 0))
        now = end
    return sounds


def _one_after_another(melody: Sequence[Note], losses: Counter[str]) -> list[tuple[int, int, list[int]]]:
    """Return the start, end and pitches of all notes and chords, in ticks on the grid; none overlaps the next."""
    chords: list[tuple[int, int, list[int]]] = []
    lost_time = Fraction(0)
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
            losses[TOO_SHORT] += 1
            lost_time += note.duration
    if chords and lost_time > MAX_LOST_TIME * sum(note.duration for note in melody):
        raise EncodeError("the rhythm of the score would be lost in ABC", "use music with notes of 1/32 or longer")
    return chords


def _chords(sounds: Sequence[Sound], score: Score) -> None:
    """Put each chord symbol over the first sound that starts with or after it."""
    waiting = [(round(chord.onset * BEAT), chord.symbol) for chord in score.chords]
    now = 0
    for sound in sounds:
        while waiting and waiting[0][0] <= now:
            sound.chord = waiting.pop(0)[1]
        now += sound.ticks


def _bars(sounds: Sequence[Sound], time: Time, pickup: int) -> list[list[Sound]]:
    """Split sounds at bar lines, with ties, and fill the last bar with a rest."""
    lines: list[list[Sound]] = [[]]
    room = pickup % time.bar or time.bar
    for sound in sounds:
        left, tones, chord = sound.ticks, sound.tones, sound.chord
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
