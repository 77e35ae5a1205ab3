"""What a reader makes of a piece: notes, tempos, meters, keys and length, and in which of these two readers differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

import mido

from composer.api import Score

Item = TypeVar("Item")
ASPECTS = ("notes", "tempos", "meters", "keys", "length")
TOLERANCE = Fraction(1, 200)
"""Beats by which times may differ: abc2midi counts whole ticks, 480 in a beat, and begins a tune at tick 1."""

Notes = list[tuple[Fraction, int, Fraction]]
"""Onset in beats, pitch and duration in beats, in order."""


@dataclass(frozen=True)
class Playing:
    """The notes of all parts, and pairs or triples that begin with an onset in beats for what else changes."""

    notes: Notes = field(default_factory=list)
    tempos: Sequence[tuple[Fraction, float]] = ()
    meters: Sequence[tuple[Fraction, int, int]] = ()
    keys: Sequence[tuple[Fraction, int]] = ()

    @property
    def length(self) -> Fraction:
        """The beat at which the last note ends."""
        return max((onset + duration for onset, _, duration in self.notes), default=Fraction(0))


def of_score(score: Score) -> Playing:
    """Return what composer reads."""
    notes = sorted((note.onset, note.pitch, note.duration) for part in score.parts for note in part.notes)
    keys = [(key.onset, key.sharps) for key in score.keys]
    meters = [(meter.onset, meter.numerator, meter.denominator) for meter in score.meters]
    return Playing(notes, _changes(score.tempos), _changes(meters), _changes(keys))


def of_midi(midi: mido.MidiFile) -> Playing:
    """Return what mido reads. Note-offs end the notes of their track, channel and pitch, the first one first."""
    division = midi.ticks_per_beat
    notes: Notes = []
    tempos, meters, keys = [], [], []
    for track in midi.tracks:
        now = 0
        sounding: dict[tuple[int, int], list[int]] = {}
        for message in track:
            now += message.time
            at = Fraction(now, division)
            if message.type == "set_tempo":
                tempos.append((at, 60e6 / message.tempo))
            elif message.type == "time_signature":
                meters.append((at, message.numerator, message.denominator))
            elif message.type == "key_signature":
                keys.append((at, _SHARPS[message.key]))
            elif message.type == "note_on" and message.velocity:
                sounding.setdefault((message.channel, message.note), []).append(now)
            elif message.type in ("note_on", "note_off") and sounding.get((message.channel, message.note)):
                onset = sounding[message.channel, message.note].pop(0)
                if now > onset:
                    notes.append((Fraction(onset, division), message.note, Fraction(now - onset, division)))
    return Playing(sorted(notes), _changes(tempos), _changes(meters), _changes(keys))


_MAJOR = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
_MINOR = ("Abm", "Ebm", "Bbm", "Fm", "Cm", "Gm", "Dm", "Am", "Em", "Bm", "F#m", "C#m", "G#m", "D#m", "A#m")
_SHARPS = {name: sharps for names in (_MAJOR, _MINOR) for sharps, name in enumerate(names, -7)}


def evenly(items: Sequence[Item], limit: int) -> Sequence[Item]:
    """Return at most `limit` of the items, at equal distances; 0 is no limit."""
    return [items[at * len(items) // limit] for at in range(limit)] if 0 < limit < len(items) else items


def _changes(events: Iterable[tuple]) -> list[tuple]:
    """Return the events that change something, in order; of several within TOLERANCE, the last one counts."""
    found: list[tuple] = []
    for event in sorted({event[0]: tuple(event) for event in events}.values()):
        onset = found.pop()[0] if found and event[0] - found[-1][0] <= TOLERANCE else event[0]
        if not found or found[-1][1:] != event[1:]:
            found.append((onset, *event[1:]))
    return found


def differences(ours: Playing, theirs: Playing, aspects: Sequence[str] = ASPECTS) -> frozenset[str]:
    """Return those of `aspects` in which two readings differ."""
    return frozenset(aspect for aspect in aspects if not _AGREE[aspect](ours, theirs))


def same_notes(ours: Notes, theirs: Notes) -> bool:
    """Return whether the notes are the same, within TOLERANCE."""
    if len(ours) != len(theirs):
        return False
    # notes that begin together may be in another order where a tick separates them
    left = sorted((pitch, onset, duration) for onset, pitch, duration in ours)
    right = sorted((pitch, onset, duration) for onset, pitch, duration in theirs)
    return all(
        a[0] == b[0] and abs(a[1] - b[1]) <= TOLERANCE and abs(a[2] - b[2]) <= TOLERANCE
        for a, b in zip(left, right, strict=True)
    )


def _same_events(ours: Sequence[tuple], theirs: Sequence[tuple]) -> bool:
    return len(ours) == len(theirs) and all(
        abs(a[0] - b[0]) <= TOLERANCE and all(abs(x - y) <= abs(y) / 2000 for x, y in zip(a[1:], b[1:], strict=True))
        for a, b in zip(ours, theirs, strict=True)
    )


_AGREE = {
    "notes": lambda ours, theirs: same_notes(ours.notes, theirs.notes),
    "tempos": lambda ours, theirs: _same_events(ours.tempos, theirs.tempos),
    "meters": lambda ours, theirs: _same_events(ours.meters, theirs.meters),
    "keys": lambda ours, theirs: _same_events(ours.keys, theirs.keys),
    "length": lambda ours, theirs: abs(ours.length - theirs.length) <= TOLERANCE,
}
