"""A second parser of MIDI, with mido, to compare with."""

from __future__ import annotations

import io
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

from composer.formats.midi.pedal import CONTROLLER
from composer.formats.midi.tracks import MidiFile, Track
from composer.music.keys import key_name

KEY_NAMES = {mode: [key_name(sharps, mode) for sharps in range(-7, 8)] for mode in ("major", "minor")}
"""mido's names of the keys from seven flats to seven sharps."""

_SIGNATURES = {key: (at - 7, mode) for mode, keys in KEY_NAMES.items() for at, key in enumerate(keys)}


def with_mido(data: bytes) -> MidiFile:
    """Return what mido reads, with data bytes above 127 clipped. Raises what it raises for damaged bytes."""
    import mido
    import numpy as np

    midi = mido.MidiFile(file=io.BytesIO(data), clip=True)
    file = MidiFile(midi.ticks_per_beat, np.empty((0, 4), np.int64))
    for messages in midi.tracks:
        reader = _TrackReader(file)
        for message in messages:
            reader.take(message)
        file.tracks += reader.tracks()
    if file.tracks:
        file.notes = np.concatenate([track.notes for track in file.tracks])
        ends = np.cumsum([len(track.notes) for track in file.tracks])
        for track, notes in zip(file.tracks, np.split(file.notes, ends[:-1]), strict=True):
            track.notes = notes
    for events in (file.tempos, file.meters, file.keys):
        events.sort(key=lambda event: event[0])
    return file


class _TrackReader:
    """Collects the messages of a mido track into a Track for each channel and program with notes.

    Pedal moves belong to the channel's current program; those before its first note, to the channel's next program
    with notes.
    """

    def __init__(self, file: MidiFile) -> None:
        self.file, self.name, self.now = file, "", 0
        self.programs = [0] * 16
        self.found: dict[tuple[int, int], tuple[list[tuple[int, ...]], list[tuple[int, int]]]] = {}
        self.early_pedal: dict[int, list[tuple[int, int]]] = {}
        self.open_notes: dict[tuple[int, int], deque[tuple[int, int, int]]] = defaultdict(deque)

    def take(self, message: Any) -> None:
        self.now += message.time
        match message.type:
            case "note_on" if message.velocity > 0:
                program = self.programs[message.channel]
                self.open_notes[message.channel, message.note].append((self.now, message.velocity, program))
                self.file.hanging += 1
                if (message.channel, program) not in self.found:
                    self.found[message.channel, program] = ([], self.early_pedal.pop(message.channel, []))
            case "note_on" | "note_off":
                if started := self.open_notes[message.channel, message.note]:
                    start, velocity, program = started.popleft()
                    note = (start, self.now, message.note, velocity)
                    self.found[message.channel, program][0].append(note)
                    self.file.hanging -= 1
            case "control_change" if message.control == CONTROLLER:
                known = self.found.get((message.channel, self.programs[message.channel]))
                moves = known[1] if known else self.early_pedal.setdefault(message.channel, [])
                moves.append((self.now, message.value))
            case "program_change":
                self.programs[message.channel] = message.program
            case "track_name":
                self.name = self.name or message.name
            case _:
                _add_event(self.file, self.now, message)

    def tracks(self) -> Iterator[Track]:
        """Yield the tracks by channel and program."""
        import numpy as np

        for (channel, program), (notes, pedal) in sorted(self.found.items(), key=lambda item: item[0]):
            if notes:
                yield Track(self.name, program, channel == 9, np.array(notes, np.int64, order="F"), pedal)


def _add_event(file: MidiFile, tick: int, message: Any) -> None:
    """Add the tempo, meter or key that mido's `message` sets, if any."""
    match message.type:
        case "set_tempo":
            file.tempos.append((tick, message.tempo))
        case "time_signature":
            file.meters.append((tick, message.numerator, message.denominator))
        case "key_signature":
            file.keys.append((tick, *_SIGNATURES[message.key]))
