"""Read a MIDI file as a Score."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from composer.api import Part, Score, Source, Tempo
from composer.formats.midi import parser, ticks
from composer.formats.midi.beats import beats, beats_of_ticks, last_at_each_onset, signs
from composer.formats.midi.tracks import MidiFile, in_order

_MARK = re.compile(rb"\xff(?:\x7f|\x01)([\x80-\xff]{0,3}[\x00-\x7f])(\x7d?)(?=composer \d)")


def read_pieces(source: Source, *, pedal: bool = False) -> Iterator[tuple[str, Score]]:
    """Yield the name and score of the file."""
    yield source.label, read_midi(source.bytes(), source.label, pedal=pedal)


def find_marks(data: bytes) -> Iterator[str]:
    """Yield what `writer.mark` inserted, and older versions as text events."""
    for match in _MARK.finditer(data):
        length = 0
        for byte in match[1]:
            length = length << 7 | byte & 0x7F
        yield data[match.end() : match.start(2) + length].decode("ascii", "replace")


def read_midi(data: bytes, name: str, *, pedal: bool = False) -> Score:
    """Return the score in a MIDI file. Times are exact fractions of ticks; channel 10 is percussion.

    Each channel and program of each track is a part. With `pedal`, a note that ends while the sustain pedal is down
    lasts until it goes up or the pitch is struck again, at most to the end of the part; percussion ignores the pedal.
    Notes without note-off or of zero length, and whatever else is left out, are counted among the losses. Irregular
    files are read as `repair` says. Raises ReadError, naming the file. Time and memory are bounded for any bytes.
    """
    file = parser.parse(data, name)
    for track in file.tracks:
        track.notes[:] = in_order(track.notes)
    ticks.validate(file, name, pedal=pedal)
    parts = (Part(tuple(beats(t.notes, file.division)), t.name, t.program, t.percussion) for t in file.parts)
    return replace(score_without_notes(file), parts=tuple(parts), losses=file.losses)


def score_without_notes(file: MidiFile) -> Score:
    """Return a score with the title, tempos, meters and keys of `file` and no parts."""
    meters, keys, pickup = signs(file.division, file.meters, file.keys)
    beat = beats_of_ticks(file.division)
    tempos = (Tempo(beat[tick], 60e6 / microseconds) for tick, microseconds in file.tempos)
    return Score((), tempos=last_at_each_onset(tempos), meters=meters, keys=keys, pickup=pickup, title=file.title)
