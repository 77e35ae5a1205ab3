"""Write a Score as a MIDI file."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from composer.api import Meter, Note, Part, Score, Tempo
from composer.formats.midi import quantity
from composer.formats.midi.text import printable_line
from composer.formats.settings import WriteSettings
from composer.music.bars import COMMON_TIME
from composer.music.keys import has_minor_third, key_name
from composer.music.sounding import chord_part
from composer.music.tempo_map import DEFAULT_BPM

NON_COMMERCIAL = b"\x7d"
"""The manufacturer's number that the MIDI standard reserves for programs without one of their own."""

CHORD_SOFTNESS = 0.6
"""The velocity of chord symbols relative to the melody's."""

_DIVISION = 480
_FALLBACK_DIVISION = 10_080
_MAX_DIVISION = 0x7FFF
_CHORD_CHANNEL, _DRUM_CHANNEL = 15, 9
_PART_CHANNELS = tuple(channel for channel in range(15) if channel != _DRUM_CHANNEL)
_KEY_NAMES = {mode: [key_name(sharps, mode) for sharps in range(-7, 8)] for mode in ("major", "minor")}
"""mido's names of the keys from seven flats to seven sharps."""
_END_OF_TRACK = b"\x00\xff\x2f\x00"


def write_midi(score: Score, settings: WriteSettings) -> bytes:
    """Return `score` as a MIDI file of format 1; the bytes are reproducible.

    The first track holds title, tempos, meters and keys; a score without tempo or meter has those that MIDI assumes,
    120 BPM and 4/4. A track for each part follows, and one for the chord symbols, which play softly on their own
    channel. A pickup is a bar with its own meter. A note that is struck again while it sounds ends there. Times too
    fine for any division are rounded, and meters that MIDI has no sign for are left out.
    """
    import mido

    clock = _Clock.of(score)
    midi = mido.MidiFile(type=1, ticks_per_beat=clock.division, charset="utf-8")
    midi.tracks.append(_track(_conductor(score, settings, clock), score.title))
    free = 0
    for part in score.parts:
        channel = _DRUM_CHANNEL if part.percussion else _PART_CHANNELS[free % len(_PART_CHANNELS)]
        free += not part.percussion
        midi.tracks.append(_track(_part_events(part, channel, settings, clock), part.name))
    part = chord_part(score)
    if part.notes:
        midi.tracks.append(_track(_part_events(part, _CHORD_CHANNEL, settings, clock, CHORD_SOFTNESS), part.name))
    stream = io.BytesIO()
    midi.save(file=stream)
    return stream.getvalue()


def mark(data: bytes, text: bytes) -> bytes:
    """Append `text` as a sequencer-specific event, which players do not print, to the first track, without notes."""
    return _with_event(data, b"\xff\x7f", NON_COMMERCIAL + text)


def mark_as_text(data: bytes, text: bytes) -> bytes:
    """Append `text` as a text event, as older versions did."""
    return _with_event(data, b"\xff\x01", text)


def _with_event(data: bytes, kind: bytes, content: bytes) -> bytes:
    """Return a file with a meta event at the end of its first track."""
    start = 8 + int.from_bytes(data[4:8], "big")
    end = start + 8 + int.from_bytes(data[start + 4 : start + 8], "big")
    track = data[start + 8 : end].removesuffix(_END_OF_TRACK)
    track += b"\x00" + kind + quantity.encode(len(content)) + content + _END_OF_TRACK
    return data[: start + 4] + len(track).to_bytes(4, "big") + track + data[end:]


def older_versions(data: bytes) -> Iterator[bytes]:
    """Yield the file as earlier versions wrote it.

    They left out a tempo or meter that the score does not have, and called a voice without a name `1`.
    """
    tempo, meter = b"\x00\xff\x51\x03\x07\xa1\x20", b"\x00\xff\x58\x04\x04\x02\x18\x08"
    start = 8 + int.from_bytes(data[4:8], "big")
    first, rest = _split_track(data[start:])
    second, others = _split_track(rest)
    named = second if second.startswith(b"\x00\xff\x03") else b"\x00\xff\x03\x011" + second
    for left_out in ((), (tempo,), (meter,), (tempo, meter)):
        track = first
        for event in left_out:
            track = track.replace(event, b"", 1)
        for part in (second, named):
            yield data[:start] + _chunk(track) + _chunk(part) + others


def _split_track(data: bytes) -> tuple[bytes, bytes]:
    """Return the events of the first track in `data`, and what follows it."""
    end = 8 + int.from_bytes(data[4:8], "big")
    return data[8:end], data[end:]


def _chunk(events: bytes) -> bytes:
    return b"MTrk" + len(events).to_bytes(4, "big") + events


@dataclass(frozen=True, slots=True)
class _Clock:
    """Converts beats to ticks."""

    division: int

    @classmethod
    def of(cls, score: Score) -> _Clock:
        """Return a clock with a division that makes all times of `score` whole, if MIDI allows one."""
        times = {score.pickup}
        times |= {time for part in score.parts for note in part.notes for time in (note.onset, note.duration)}
        times |= {time for chord in score.chords for time in (chord.onset, chord.duration)}
        times |= {event.onset for events in (score.tempos, score.meters, score.keys) for event in events}
        needed = 1
        for denominator in {time.denominator for time in times}:
            needed = min(math.lcm(needed, denominator), _MAX_DIVISION + 1)
        divisions = (math.lcm(needed, _DIVISION), needed, _FALLBACK_DIVISION)
        return cls(next(division for division in divisions if division <= _MAX_DIVISION))

    def ticks(self, beats: Fraction) -> int:
        return round(beats * self.division)


_Message = tuple[int, int, Any]
"""Tick, order within the tick, and mido's message."""


def _conductor(score: Score, settings: WriteSettings, clock: _Clock) -> list[_Message]:
    """Return the tempos, meters and keys."""
    from mido import MetaMessage

    tempos = [each for each in score.tempos if each.bpm > 0]
    if settings.tempo is not None or all(each.onset > 0 for each in tempos):
        first = Tempo(Fraction(0), settings.tempo or DEFAULT_BPM)
        tempos = [first, *(tempos if settings.tempo is None else ())]
    events: list[_Message] = []
    for tempo in tempos:
        microseconds = min(max(round(60e6 / tempo.bpm), 1), 0xFFFFFF)
        events.append((clock.ticks(tempo.onset), 0, MetaMessage("set_tempo", tempo=microseconds)))
    for meter in filter(_has_sign, _with_pickup(score)):
        message = MetaMessage("time_signature", numerator=meter.numerator, denominator=meter.denominator)
        events.append((clock.ticks(meter.onset), 1, message))
    for key in score.keys:
        name = _KEY_NAMES["minor" if has_minor_third(key.mode) else "major"][min(max(key.sharps, -7), 7) + 7]
        events.append((clock.ticks(key.onset), 2, MetaMessage("key_signature", key=name)))
    return events


def _with_pickup(score: Score) -> tuple[Meter, ...]:
    """Return the meters of `score` from beat 0 on, with one for the pickup if a meter can express it."""
    meters = score.meters
    if all(each.onset > 0 for each in meters):
        meters = (COMMON_TIME, *meters)
    numerator, denominator = (score.pickup / 4).as_integer_ratio()
    while denominator < 4:
        numerator, denominator = 2 * numerator, 2 * denominator
    pickup = Meter(Fraction(0), numerator, denominator)
    if score.pickup <= 0 or not _has_sign(pickup):
        return meters
    first, *others = meters
    return (pickup, first._replace(onset=score.pickup), *others)


def _has_sign(meter: Meter) -> bool:
    """Return whether MIDI can express a meter, and programs read it."""
    return 0 < meter.numerator < 256 and meter.denominator in (1, 2, 4, 8, 16, 32, 64)


def _part_events(
    part: Part, channel: int, settings: WriteSettings, clock: _Clock, softness: float = 1.0
) -> list[_Message]:
    """Return the program and notes of `part`; note-offs come before note-ons of the same tick."""
    from mido import Message

    program = part.program if settings.instrument is None or part.percussion else settings.instrument
    events: list[_Message] = [(0, 0, Message("program_change", channel=channel, program=program))]
    for start, end, pitch, own_velocity in _non_overlapping(part.notes, clock):
        velocity = min(max(round(softness * (settings.velocity or own_velocity)), 1), 127)
        events.append((start, 2, Message("note_on", channel=channel, note=pitch, velocity=velocity)))
        events.append((end, 1, Message("note_off", channel=channel, note=pitch, velocity=0)))
    return events


def _non_overlapping(notes: Iterable[Note], clock: _Clock) -> list[tuple[int, int, int, int]]:
    """Return (start, end, pitch, velocity) in ticks so that no pitch of a channel sounds twice at a time."""
    longest: dict[tuple[int, int], tuple[int, int]] = {}
    for note in notes:
        start = clock.ticks(note.onset)
        key, end = (note.pitch, start), max(clock.ticks(note.end), start + 1)
        longest[key] = max((end, note.velocity), longest.get(key, (0, 0)))
    struck = [(start, end, pitch, velocity) for (pitch, start), (end, velocity) in sorted(longest.items())]
    for at, (this, following) in enumerate(pairwise(struck)):
        if this[2] == following[2] and this[1] > following[0]:
            struck[at] = (this[0], following[0], this[2], this[3])
    return sorted(struck)


def _track(events: list[_Message], name: str) -> Any:
    """Return a mido track: sorted `events` with delta times."""
    import mido

    track = mido.MidiTrack()
    if name := printable_line(name):
        track.append(mido.MetaMessage("track_name", name=name))
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track"))
    return track
