"""The messages of a MIDI file at their times in seconds, and the notes that they play."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from composer.api import ReadError

SUSTAIN, VOLUME, EXPRESSION = 64, 7, 11
"""Numbers of controllers."""
DRUM_CHANNEL = 9
_DEFAULT_TEMPO = 500_000
_DEFAULT_VOLUME, _DEFAULT_EXPRESSION = 100, 127


class TimedMessage(NamedTuple):
    """A message for a MIDI port (mido's), `seconds` after the start."""

    seconds: float
    message: Any


class SoundingNote(NamedTuple):
    """A note as it sounds, from `start` to `end` in seconds; `gain` is the volume of its channel, 0 to 1."""

    start: float
    end: float
    pitch: int
    velocity: int
    program: int
    percussion: bool
    gain: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """All messages of a MIDI file except meta events, by time; `duration` is that of the whole file in seconds."""

    messages: Sequence[TimedMessage]
    duration: float

    @classmethod
    def of(cls, data: bytes, name: str) -> Timeline:
        """Return the timeline of a MIDI file called `name`. Raises ReadError if mido cannot read it."""
        import mido

        try:
            file = mido.MidiFile(file=io.BytesIO(data), clip=True)
            if file.ticks_per_beat <= 0 or file.type == 2:
                raise ValueError("no common time in beats")
            merged = list(mido.merge_tracks(file.tracks, skip_checks=True))  # reading has checked the messages
        except Exception as error:  # mido raises whatever goes wrong
            raise ReadError(f"cannot play {name}: {error}", f"to find the problem: composer check {name}") from error
        messages, tick, base_tick, base, tempo = list[TimedMessage](), 0, 0, 0.0, _DEFAULT_TEMPO
        for message in merged:
            tick += message.time
            now = base + (tick - base_tick) * tempo / 1e6 / file.ticks_per_beat
            if message.type == "set_tempo":
                base_tick, base, tempo = tick, now, message.tempo
            elif not message.is_meta:
                messages.append(TimedMessage(now, message))
        return cls(messages, max((each.seconds for each in messages), default=0.0))

    def notes(self) -> list[SoundingNote]:
        """Return the notes by start; while the sustain pedal is down, they last until it goes up."""
        return sorted(_Channels().notes(self))


class _Channels:
    """The state of 16 channels while a timeline is followed."""

    def __init__(self) -> None:
        self.programs, self.pedals = [0] * 16, [False] * 16
        self.volumes, self.expressions = [_DEFAULT_VOLUME] * 16, [_DEFAULT_EXPRESSION] * 16
        self.down: dict[tuple[int, int], SoundingNote] = {}
        """Notes by channel and pitch; their ends are not known yet."""
        self.held: dict[int, set[int]] = defaultdict(set)
        """Pitches whose keys are up, but which the pedal sustains, by channel."""

    def notes(self, timeline: Timeline) -> Iterator[SoundingNote]:
        for now, message in timeline.messages:
            if message.type in {"note_on", "note_off"}:
                yield from self._key(now, message)
            elif message.type == "program_change":
                self.programs[message.channel] = message.program
            elif message.type == "control_change":
                yield from self._control(now, message.channel, message.control, message.value)
        yield from (note._replace(end=timeline.duration) for note in self.down.values())

    def _key(self, now: float, message: Any) -> Iterator[SoundingNote]:
        channel, pitch = message.channel, message.note
        struck = message.type == "note_on" and message.velocity > 0
        if not struck and self.pedals[channel] and channel != DRUM_CHANNEL:
            self.held[channel].add(pitch)
            return
        yield from self._end(now, channel, pitch)
        if struck:
            gain = self.volumes[channel] * self.expressions[channel] / 127**2
            program = self.programs[channel]
            self.down[channel, pitch] = SoundingNote(
                now, now, pitch, message.velocity, program, channel == DRUM_CHANNEL, gain
            )

    def _control(self, now: float, channel: int, control: int, value: int) -> Iterator[SoundingNote]:
        if control == VOLUME:
            self.volumes[channel] = value
        elif control == EXPRESSION:
            self.expressions[channel] = value
        elif control == SUSTAIN:
            self.pedals[channel] = value >= 64
            if not self.pedals[channel]:
                for pitch in self.held.pop(channel, ()):
                    yield from self._end(now, channel, pitch)
        elif control >= 120:  # sound off, and the modes that imply it
            for key in [key for key in self.down if key[0] == channel]:
                yield from self._end(now, *key)

    def _end(self, now: float, channel: int, pitch: int) -> Iterator[SoundingNote]:
        self.held[channel].discard(pitch)
        if note := self.down.pop((channel, pitch), None):
            yield note._replace(end=now)
