"""A Score as ABC in the dialect: its melody, bar by bar, with its chord symbols."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from composer.api import EncodeError, Note, Score
from composer.formats.abc.dialect import METERS, MOST_TONES
from composer.formats.abc.elements import Sound, Tone
from composer.formats.abc.keys import BEAT, LETTERS, Signature, Time, fifth, key_name, parse_key, pitch
from composer.formats.abc.spelling import Part, Unwritable, spell_tune

__all__ = ["dialect_of", "write"]

GRID = BEAT // 8
"""Onsets and ends that are not parts of triplets are moved to the nearest thirty-second note."""


def write(score: Score) -> str:
    """`score` as a file of one tune. Raises EncodeError."""
    return f"X:1\n{dialect_of(score)}"


def dialect_of(score: Score) -> str:
    """The melody of `score` in the dialect: its first part that sounds, notes that overlap cut short.

    Raises EncodeError, naming what the dialect has no way of writing: nothing that sounds, a meter that it does not
    have, a change of meter, a note out of range.
    """
    time = _meter(score)
    melody = next((part.notes for part in score.parts if part.notes and not part.percussion), ())
    if not melody:
        raise EncodeError("the score has no notes to write as ABC", "give music with a melody")
    key = _key(score, melody)
    sounds = _sounds(melody, _speller(key))
    _chords(sounds, score)
    lines = _bars(sounds, time, round(score.pickup * BEAT))
    try:
        return spell_tune([Part(lines)], key, time, score.title)
    except Unwritable as error:
        raise EncodeError(f"the score cannot be written as ABC: {error.reason}") from error


def _meter(score: Score) -> Time:
    meters = {(meter.numerator, meter.denominator) for meter in score.meters} or {(4, 4)}
    if len(meters) > 1:
        raise EncodeError("the score changes its meter, and a tune in ABC here has one", "cut it at the change")
    time = Time(*meters.pop())
    if str(time) not in METERS:
        raise EncodeError(f"a meter of {time} cannot be written as ABC here", f"these can: {', '.join(METERS)}")
    return time


def _key(score: Score, melody: Sequence[Note]) -> Signature:
    """The score's first key; where it has none, the one that needs the fewest accidentals and ends on its tonic."""
    if score.keys:
        named = parse_key(key_name(score.keys[0].sharps, score.keys[0].mode))
        return named or Signature()
    names = (key_name(sharps, mode) for sharps in range(-4, 5) for mode in ("major", "minor"))
    keys = [key for key in map(parse_key, names) if key is not None]

    def strangeness(key: Signature) -> tuple[int, bool, int]:
        scale = {pitch(step, alter) % 12 for step, alter in enumerate(key.alters)}
        tonic = pitch(LETTERS.index(key.tonic[0]), key.tonic.count("#") - key.tonic.count("b")) % 12
        return sum(note.pitch % 12 not in scale for note in melody), melody[-1].pitch % 12 != tonic, abs(key.sharps)

    return min(keys, key=strangeness)


def _speller(key: Signature) -> dict[int, Tone]:
    """For each pitch class the step of octave 0 or next to it, and the alteration, that the key writes it with."""
    return {pitch_class: _spelt(pitch_class, key) for pitch_class in range(12)}


def _spelt(pitch_class: int, key: Signature) -> Tone:
    """A note of the key, else the one nearest on the line of fifths to where the key's music is.

    That is two fifths above the tonic in major, and half a fifth in minor: the fourth is raised and not the fifth
    lowered, in minor the sixth and seventh are raised, and the second is lowered. Of two that are as near, the one
    that goes with the key's own sharps or flats.
    """
    tonic = fifth(LETTERS.index(key.tonic[0]), key.tonic.count("#") - key.tonic.count("b"))
    centre = 2 * tonic + (1 if key.mode in ("minor", "dorian", "phrygian", "locrian") else 4)
    own = 1 if key.sharps >= 0 else -1

    def strangeness(tone: Tone) -> tuple[bool, int, bool]:
        return tone[1] != key.alters[tone[0] % 7], abs(2 * fifth(*tone) - centre), tone[1] == -own

    tones = ((step, alter) for step in range(-1, 8) for alter in (-1, 0, 1))
    return min((tone for tone in tones if pitch(*tone) == pitch_class), key=strangeness)


def _tone(midi: int, speller: dict[int, Tone]) -> Tone:
    letter, alter = speller[midi % 12]
    return letter + 7 * (midi // 12), alter


def _sounds(melody: Sequence[Note], speller: dict[int, Tone]) -> list[Sound]:
    """The notes one after another, rests between them, from beat 0; notes that begin together are chords."""
    chords: list[tuple[int, int, list[int]]] = []
    for note in melody:
        begin, end = _snapped(note.onset), _snapped(note.end)
        if chords and begin <= chords[-1][0]:
            chords[-1][2].append(note.pitch)
        elif end > begin:
            if chords and chords[-1][1] > begin:
                chords[-1] = (chords[-1][0], begin, chords[-1][2])
            chords.append((begin, end, [note.pitch]))
    sounds: list[Sound] = []
    now = 0
    for begin, end, pitches in chords:
        if begin > now:
            sounds.append(Sound((), begin - now, 0, 0))
        tones = tuple(sorted(_tone(each, speller) for each in sorted(set(pitches))[-MOST_TONES:]))
        sounds.append(Sound(tones, end - begin, 0, 0))
        now = end
    _group(sounds)
    return sounds


def _snapped(beats: Fraction) -> int:
    """Ticks of the grid, or of the third or sixth of a beat that `beats` exactly is."""
    ticks = beats * BEAT
    if ticks.denominator == 1 and int(ticks) % (BEAT // 12) == 0:
        return int(ticks)
    return round(ticks / GRID) * GRID


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
