"""MIDI files: bytes into a Score, and a Score into bytes."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise, repeat
from operator import sub
from typing import TYPE_CHECKING, Any, TypeVar

from composer.api import ChordSymbol, Key, Meter, Note, Part, Score, Tempo
from composer.formats.midi import mido_parser, ticks
from composer.formats.midi import parser as midi_parser
from composer.formats.midi.tracks import MidiFile, printable_line
from composer.music import chords

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from composer.formats import WriteSettings

CHORD_SOFTNESS = 0.6
"""The velocity of sounding chord symbols, as a part of the melody's."""

_DIVISION = 480
_FALLBACK_DIVISION = 10_080
_MAX_DIVISION = 0x7FFF
_CHORD_CHANNEL, _DRUM_CHANNEL = 15, 9
_PART_CHANNELS = tuple(channel for channel in range(15) if channel != _DRUM_CHANNEL)
_MINOR_MODES = frozenset({"minor", "aeolian", "dorian", "phrygian", "locrian"})


def read(data: bytes, name: str, *, pedal: bool = False) -> Score:
    """The score in the MIDI file `data`; times are exact fractions of its ticks, channel 10 is percussion.

    Each channel and program of each track is a part. With `pedal`, a note of a part but percussion that ends while
    the part's sustain pedal is down sounds until it goes up or the pitch is struck again, at most to the end of the
    part. Notes that are never ended or have no length are left out and counted among the score's losses, and so are
    meters and keys that mean nothing, uncounted. Raises ReadError, naming the file, where it cannot be used; takes
    bounded time and memory for any bytes.
    """
    file = midi_parser.parse(data, name)
    for track in file.tracks:
        track.notes[:] = ticks.in_order(track.notes)
    ticks.finish(file, name, pedal=pedal)
    parts = (Part(tuple(beats(t.notes, file.division)), t.name, t.program, t.percussion) for t in file.parts)
    return replace(score_without_notes(file), parts=tuple(parts), losses=file.losses)


def score_without_notes(file: MidiFile) -> Score:
    """`file` as a score without its notes: its title, tempos, meters and keys."""
    meters, keys, pickup = signs(file.division, file.meters, file.keys)
    tempos = (Tempo(_beat(tick, file.division), 60e6 / microseconds) for tick, microseconds in file.tempos)
    return Score((), tempos=_last_at_each_onset(tempos), meters=meters, keys=keys, pickup=pickup, title=file.title)


def signs(
    division: int, meters: Iterable[tuple[int, int, int]], keys: Iterable[tuple[int, int, str]]
) -> tuple[tuple[Meter, ...], tuple[Key, ...], Fraction]:
    """The meters and keys of a file, in beats, as far as they mean something, and the length of its pickup."""
    found = [
        Meter(_beat(tick, division), numerator, denominator)
        for tick, numerator, denominator in meters
        if numerator > 0 and denominator in (1, 2, 4, 8, 16, 32, 64)
    ]
    pickup = Fraction(0)
    if len(found) > 1 and found[0].onset == 0 and found[0].bar == found[1].onset < found[1].bar:
        pickup = found[0].bar
        found[:2] = [Meter(Fraction(0), found[1].numerator, found[1].denominator)]
    signatures = (Key(_beat(tick, division), sharps, mode) for tick, sharps, mode in keys if -7 <= sharps <= 7)
    return _last_at_each_onset(found), _last_at_each_onset(signatures), pickup


def beats(notes: NDArray[Any], division: int) -> Iterator[Note]:
    """The notes (n, 4) of a track in beats, in the same order, each made when it is asked for."""
    starts, ends, pitches, velocities = notes.T.tolist()
    onsets, durations = map(_beat, starts, repeat(division)), map(sub, ends, starts)
    return map(Note, onsets, pitches, map(_beat, durations, repeat(division)), velocities)


def write(score: Score, settings: WriteSettings) -> bytes:
    """`score` as a MIDI file of format 1, the same bytes every time.

    The first track holds title, tempo, meter and key; then comes a track for each part, and one for the chord symbols,
    which sound softly on a channel of their own. A pickup is a first bar in a meter of its own. A note that is
    struck again while it sounds ends there; times too fine for any division of ticks are rounded.
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
    if any(chords.pitches(chord.symbol) for chord in score.chords):
        part = _accompaniment(score.chords, score.parts)
        midi.tracks.append(_track(_part_events(part, _CHORD_CHANNEL, settings, clock, CHORD_SOFTNESS), part.name))
    stream = io.BytesIO()
    midi.save(file=stream)
    return stream.getvalue()


@lru_cache(2**16)
def _beat(tick: int, division: int) -> Fraction:
    """`tick` in beats. The same few ticks come again and again, and fractions are slow to make."""
    return Fraction(tick, division)


_Sign = TypeVar("_Sign", bound="Tempo | Meter | Key")


def _last_at_each_onset(events: Iterable[_Sign]) -> tuple[_Sign, ...]:
    """The last of `events` at each onset."""
    latest: dict[Fraction, _Sign] = {event.onset: event for event in events}
    return tuple(latest.values())


@dataclass(frozen=True, slots=True)
class _Clock:
    """Beats into ticks."""

    division: int

    @classmethod
    def of(cls, score: Score) -> _Clock:
        """A clock on which every time of `score` is whole, if there is one that MIDI allows."""
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
"""A tick, an order among the events of that tick, and mido's message."""


def _conductor(score: Score, settings: WriteSettings, clock: _Clock) -> list[_Message]:
    """Tempo, meter and key of the whole score."""
    from mido import MetaMessage

    tempos = score.tempos if settings.tempo is None else (Tempo(Fraction(0), settings.tempo),)
    events: list[_Message] = []
    for tempo in (tempo for tempo in tempos if tempo.bpm > 0):
        microseconds = min(max(round(60e6 / tempo.bpm), 1), 0xFFFFFF)
        events.append((clock.ticks(tempo.onset), 0, MetaMessage("set_tempo", tempo=microseconds)))
    for meter in _with_pickup(score):
        message = MetaMessage("time_signature", numerator=meter.numerator, denominator=meter.denominator)
        events.append((clock.ticks(meter.onset), 1, message))
    for key in score.keys:
        name = mido_parser.KEY_NAMES["minor" if key.mode in _MINOR_MODES else "major"][min(max(key.sharps, -7), 7) + 7]
        events.append((clock.ticks(key.onset), 2, MetaMessage("key_signature", key=name)))
    return events


def _with_pickup(score: Score) -> tuple[Meter, ...]:
    """The meters of `score`; a pickup that a meter can express is a bar of its own."""
    numerator, denominator = (score.pickup / 4).as_integer_ratio()
    while denominator < 4:
        numerator, denominator = 2 * numerator, 2 * denominator
    if score.pickup <= 0 or numerator > 255 or denominator not in (4, 8, 16, 32, 64):
        return score.meters
    first, *others = score.meters or (Meter(Fraction(0), 4, 4),)
    return (Meter(Fraction(0), numerator, denominator), first._replace(onset=score.pickup), *others)


def _accompaniment(symbols: Iterable[ChordSymbol], parts: Iterable[Part]) -> Part:
    """The chord symbols as a part that plays along with `parts`, as loud as they are on the whole."""
    velocities = [note.velocity for part in parts if not part.percussion for note in part.notes]
    velocity = round(sum(velocities) / len(velocities)) if velocities else 80
    notes = (
        Note(chord.onset, pitch, chord.duration, velocity)
        for chord in symbols
        for pitch in chords.pitches(chord.symbol)
        if chord.duration > 0
    )
    return Part(tuple(notes), "Chords", next((part.program for part in parts if not part.percussion), 0))


def _part_events(
    part: Part, channel: int, settings: WriteSettings, clock: _Clock, softness: float = 1.0
) -> list[_Message]:
    """The program and notes of `part` on `channel`; note-offs come before the note-ons of the same tick."""
    from mido import Message

    program = part.program if settings.instrument is None or part.percussion else settings.instrument
    events: list[_Message] = [(0, 0, Message("program_change", channel=channel, program=program))]
    for start, end, pitch, own_velocity in _non_overlapping(part.notes, clock):
        velocity = min(max(round(softness * (settings.velocity or own_velocity)), 1), 127)
        events.append((start, 2, Message("note_on", channel=channel, note=pitch, velocity=velocity)))
        events.append((end, 1, Message("note_off", channel=channel, note=pitch, velocity=0)))
    return events


def _non_overlapping(notes: Iterable[Note], clock: _Clock) -> list[tuple[int, int, int, int]]:
    """(start, end, pitch, velocity) in ticks of notes that one channel can play: no pitch sounds twice at a time."""
    longest: dict[tuple[int, int], tuple[int, int]] = {}
    for note in notes:
        start = clock.ticks(note.onset)
        end = max(clock.ticks(note.end), start + 1)
        key = (note.pitch, start)
        longest[key] = max((end, note.velocity), longest.get(key, (0, 0)))
    struck = [(start, end, pitch, velocity) for (pitch, start), (end, velocity) in sorted(longest.items())]
    for at, (this, following) in enumerate(pairwise(struck)):
        if this[2] == following[2] and this[1] > following[0]:
            struck[at] = (this[0], following[0], this[2], this[3])
    return sorted(struck)


def _track(events: list[_Message], name: str) -> Any:
    """A track of mido's: `events` in order, with times since the event before."""
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
