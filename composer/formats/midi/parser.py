"""Parse MIDI bytes into tracks in ticks, with symusic, or with mido if symusic fails.

Both pair the note-offs of a pitch with its note-ons in order; notes without note-off are dropped and counted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from composer.api import ReadError
from composer.formats.midi.mido_parser import with_mido
from composer.formats.midi.pedal import CONTROLLER
from composer.formats.midi.tracks import MidiFile, Track, decode_text, printable_line

MAX_FALLBACK = 2 * 1024 * 1024
"""The largest file, in bytes, to parse with mido, which takes some 300 bytes of memory per byte."""
MAX_TRACKS = 1024
MAX_RELEASED = 16 * 1024 * 1024
"""The largest file, in bytes, to make for counting notes without note-off."""

_HINT = "open it in a music program and export it again as MIDI"


def parse(data: bytes, name: str) -> MidiFile:
    """Parse a MIDI file, bare or in RIFF. Raises ReadError, naming it."""
    data = _unwrap_riff(data)
    division = _division(data, name)
    try:
        file = with_symusic(data)
    except Exception as refusal:  # symusic raises RuntimeError, ValueError and others
        if len(data) > MAX_FALLBACK:
            raise ReadError(f"{name} is a damaged MIDI file", _HINT) from refusal
        try:
            file = with_mido(data)
        except Exception as error:  # mido raises whatever its parsing runs into
            short = isinstance(error, EOFError)
            reason = "it ends too early" if short else printable_line(str(error))[:100] or type(error).__name__
            raise ReadError(f"{name} is a damaged MIDI file: {reason}", _HINT) from error
    file.division, file.title = division, _title(data)
    return file


def with_symusic(data: bytes) -> MidiFile:
    """Return what symusic reads, tracks in its order. Raises what it raises for damaged bytes."""
    import symusic

    score: Any = symusic.Score.from_midi(data)
    file = _file_of(score)
    file.hanging = _count_hanging(data, score.note_num())
    return file


def _count_hanging(data: bytes, notes: int) -> int:
    """Return how many notes of `data` have no note-off, where symusic, which drops them, finds `notes` others.

    Released at the end of their track, they are found too. One note-off ends one note, so release every pitch more
    often until no further notes are found.
    """
    import symusic

    hanging, times = 0, 1
    while True:
        released = _with_all_released(data, times)
        score: Any = symusic.Score.from_midi(released)
        more = score.note_num() - notes
        if more <= hanging or len(released) > MAX_RELEASED:
            return int(max(more, hanging))
        hanging, times = more, 4 * times


def _with_all_released(data: bytes, times: int) -> bytes:
    """Return `data` with `times` note-offs for every pitch of every channel with notes, at the end of each track."""
    at = 8 + int.from_bytes(data[4:8], "big")
    content = [data[:at]]
    while data[at : at + 4] == b"MTrk":
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        track = data[at + 8 : at + 8 + size]
        at += 8 + size
        before = track[: -len(_END)] if track.endswith(_END) else track + b"\0"
        released = [times * note_offs for note_on, note_offs in _CHANNELS if note_on in track]
        track = b"".join([before, *released, _END])
        content += [b"MTrk", len(track).to_bytes(4, "big"), track]
    return b"".join([*content, data[at:]])


_END = b"\xff\x2f\x00"
_RELEASES = b"".join(bytes([pitch, 0, 0]) for pitch in range(128))
_CHANNELS = [(bytes([0x90 | channel]), bytes([0x80 | channel]) + _RELEASES) for channel in range(16)]
"""For each channel, the status byte of note-ons, and note-offs of all pitches, each followed by a delta time of 0."""


def _file_of(score: Any) -> MidiFile:
    import numpy as np

    matrix, at = np.empty((4, score.note_num()), np.int64), 0
    file = MidiFile(score.ticks_per_quarter, matrix.T)
    for track in _each(score.tracks):
        columns = track.notes.numpy()
        times = columns["time"]
        rows = matrix[:, at : at + len(times)]
        at += len(times)
        rows[0], rows[2], rows[3] = times, columns["pitch"], columns["velocity"]
        np.add(rows[0], columns["duration"], out=rows[1])
        pedal = _pedal(track.controls) if len(track.controls) else ()
        file.tracks.append(Track(printable_line(track.name), track.program, track.is_drum, rows.T, pedal))
    file.tempos = [(t.time, t.mspq) for t in _each(score.tempos)]
    file.meters = [(m.time, m.numerator, m.denominator) for m in _each(score.time_signatures)]
    file.keys = [(k.time, k.key, "minor" if k.tonality else "major") for k in _each(score.key_signatures)]
    return file


def _each(items: Any) -> Iterator[Any]:
    """Iterate over symusic's list by index, since its own iterators end with a C++ exception, which takes 3 us."""
    return map(items.__getitem__, range(len(items)))


def _pedal(controls: Any) -> list[tuple[int, int]]:
    """Return the (tick, value) of the sustain pedal among symusic's `controls`."""
    columns = controls.numpy()
    chosen = columns["number"] == CONTROLLER
    return list(zip(columns["time"][chosen].tolist(), columns["value"][chosen].tolist(), strict=True))


def _unwrap_riff(data: bytes) -> bytes:
    """Return the MIDI file inside RIFF (.rmi), or `data` itself."""
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return data
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"data":
            return data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return data


def _division(data: bytes, name: str) -> int:
    """Check the header and return the ticks per beat."""
    if not data:
        raise ReadError(f"{name} is empty", "export it again as MIDI")
    if data[:4] != b"MThd":
        raise ReadError(f"{name} is not a MIDI file", "check that its suffix is right")
    if len(data) < 14:
        raise ReadError(f"{name} is a truncated MIDI file", "export or copy it again")
    kind, tracks, division = struct.unpack(">HHH", data[8:14])
    if kind > 2:
        raise ReadError(f"{name} has a damaged MIDI header", _HINT)
    if kind == 2:
        raise ReadError(f"{name} is MIDI format 2, whose tracks are separate pieces", "export it as format 0 or 1")
    if tracks > MAX_TRACKS:
        raise ReadError(f"{name} announces {tracks:,} tracks, more than {MAX_TRACKS:,}", _HINT)
    if division & 0x8000:
        raise ReadError(f"{name} counts time in SMPTE frames, not beats", "export it with ticks per quarter note")
    if division == 0:
        raise ReadError(f"{name} has 0 ticks per beat", _HINT)
    return int(division)


def _title(data: bytes) -> str:
    """Return the title: the name of the first track, if it is among the events at its very start."""
    at = 8 + int.from_bytes(data[4:8], "big")
    if data[at : at + 4] != b"MTrk":
        return ""
    at += 8
    while data[at : at + 2] == b"\0\xff" and at + 3 < len(data):
        size, start = (data[at + 3], at + 4) if data[at + 3] < 0x80 else _quantity(data, at + 3)
        if data[at + 2] == 0x03:
            return decode_text(data[start : start + size])
        at = start + size
    return ""


def _quantity(data: bytes, at: int) -> tuple[int, int]:
    """Return the variable-length quantity at `at` and the position after it."""
    value = 0
    for byte in data[at : at + 4]:
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return value, at
