"""Standard MIDI files before they are music: bytes into tracks of ticks, by symusic, or by mido where symusic refuses.

Both parsers pair the note-offs of a pitch with its note-ons in order; notes that are never ended are counted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from composer.api import ReadError
from composer.formats.midi.hanging_notes import AFTER, SEAL, hanging, sealed
from composer.formats.midi.mido_parser import with_mido
from composer.formats.midi.pedal import CONTROLLER
from composer.formats.midi.tracks import MidiFile, Track, decode_text, printable_line

__all__ = ["MAX_FALLBACK", "MAX_TRACKS", "parse", "with_symusic"]

MAX_FALLBACK = 2 * 1024 * 1024
"""The largest file, in bytes, that mido is asked to read: it takes some 300 bytes of memory for each byte."""
MAX_TRACKS = 1024

_HINT = "open it in a music program and export it again as MIDI"


def parse(data: bytes, name: str) -> MidiFile:
    """The MIDI file in `data`, bare or wrapped in RIFF. Raises ReadError, naming it, where it cannot be used."""
    data = _unwrap_riff(data)
    division = _division(data, name)
    try:
        file = with_symusic(data)
    except Exception as refusal:  # symusic raises RuntimeError, ValueError and others for damaged bytes
        if len(data) > MAX_FALLBACK:
            raise ReadError(f"{name} is a damaged MIDI file", _HINT) from refusal
        try:
            file = with_mido(data)
        except Exception as error:  # and mido whatever its own parsing runs into
            raise ReadError(f"{name} is a damaged MIDI file: {_one_line(error)}", _HINT) from error
    file.division, file.title = division, _title(data)
    return file


def with_symusic(data: bytes) -> MidiFile:
    """What symusic reads, tracks in its order. Raises whatever it raises for damaged bytes."""
    import symusic

    file = _with_sealed(data)
    if file is None:
        score: Any = symusic.Score.from_midi(data)
        file = _file_of(score)
        file.hanging = hanging(data, score.note_num(), _notes_by_symusic)
    return file


def _with_sealed(data: bytes) -> MidiFile | None:
    """What symusic reads where every track is whole and every note ended; None where that cannot be told at once."""
    import symusic

    content, tracks = sealed(data)
    try:
        score: Any = symusic.Score.from_midi(content) if tracks else None
    except Exception:  # what is damaged is read as it is
        return None
    if score is None or [marker.text for marker in _each(score.markers)].count(SEAL) != tracks:
        return None
    file = _file_of(score)
    # where ticks ran over, an end is below zero, and as an unsigned number beyond all others
    return None if (file.notes[:, 1].view("u8") >= AFTER).any() else file


def _file_of(score: Any) -> MidiFile:
    """The content of a score of symusic's."""
    import numpy as np

    count, at = score.note_num(), 0
    matrix = np.empty((4, count), np.int64)
    file = MidiFile(score.ticks_per_quarter, matrix.T)
    for track in _each(score.tracks):
        columns = track.notes.numpy()
        times = columns["time"]
        here = matrix[:, at : at + len(times)]
        at += len(times)
        here[0], here[2], here[3] = times, columns["pitch"], columns["velocity"]
        np.add(here[0], columns["duration"], out=here[1])
        pedal = _pedal(track.controls) if len(track.controls) else ()
        file.tracks.append(Track(printable_line(track.name), track.program, track.is_drum, here.T, pedal))
    file.tempos = [(t.time, t.mspq) for t in _each(score.tempos)]
    file.meters = [(m.time, m.numerator, m.denominator) for m in _each(score.time_signatures)]
    file.keys = [(k.time, k.key, "minor" if k.tonality else "major") for k in _each(score.key_signatures)]
    return file


def _each(items: Any) -> Iterator[Any]:
    """What is in a list of symusic's, whose own iterators end with a C++ exception: 3 us each."""
    return map(items.__getitem__, range(len(items)))


def _pedal(controls: Any) -> list[tuple[int, int]]:
    """The moves of the sustain pedal among all `controls` of a track of symusic's."""
    columns = controls.numpy()
    chosen = columns["number"] == CONTROLLER
    return list(zip(columns["time"][chosen].tolist(), columns["value"][chosen].tolist(), strict=True))


def _notes_by_symusic(data: bytes) -> int:
    import symusic

    score: Any = symusic.Score.from_midi(data)
    return int(score.note_num())


def _unwrap_riff(data: bytes) -> bytes:
    """The MIDI file inside `data` where it is RIFF (.rmi); `data` itself where it is not."""
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
    """Ticks per beat, from a header that makes sense."""
    if not data:
        raise ReadError(f"{name} is empty", "export it again as MIDI")
    if len(data) < 14 or data[:4] != b"MThd":
        raise ReadError(f"{name} is not a MIDI file", "check that its suffix says what it is")
    kind, tracks, division = struct.unpack(">HHH", data[8:14])
    if kind > 2:
        raise ReadError(f"{name} has a damaged MIDI header", _HINT)
    if kind == 2:
        raise ReadError(f"{name} is MIDI of format 2, whose tracks are not one piece", "export it as format 0 or 1")
    if tracks > MAX_TRACKS:
        raise ReadError(f"{name} announces {tracks} tracks, more than {MAX_TRACKS}", _HINT)
    if division & 0x8000:
        raise ReadError(f"{name} counts time in SMPTE frames, not in beats", "export it with ticks per quarter note")
    if division == 0:
        raise ReadError(f"{name} has a division of 0 ticks per beat", _HINT)
    return int(division)


def _title(data: bytes) -> str:
    """The name of the first track, where it stands among the events at its very start: the title of the piece."""
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
    """The variable-length number at `at`, and where the bytes after it begin."""
    value = 0
    for byte in data[at : at + 4]:
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return value, at


def _one_line(error: Exception) -> str:
    return (
        "it ends too early" if isinstance(error, EOFError) else printable_line(str(error))[:100] or type(error).__name__
    )
