"""Parse MIDI bytes into tracks in ticks, with symusic; irregular files are repaired first.

The note-offs of a pitch are paired with its note-ons in order; notes without note-off are dropped and counted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any

from composer.api import ReadError
from composer.api.limits import limit_hint, raised
from composer.formats.limits import check_count, check_size
from composer.formats.midi import quantity
from composer.formats.midi.pedal import CONTROLLER
from composer.formats.midi.regular import RegularFile, regular_file
from composer.formats.midi.repair import HINT, repair, track_count
from composer.formats.midi.smpte import FRAME_RATES
from composer.formats.midi.text import printable_line
from composer.formats.midi.tracks import MidiFile, Track

MAX_REPAIRED = 8 * 1024 * 1024
"""The largest irregular file, in bytes, to read: a megabyte takes a second or two."""
MAX_TRACKS = 1024
MAX_BYTES = 32 * 1024 * 1024
"""The largest file: the notes that are read take a tenth, but long performances have much else."""


def parse(data: bytes, name: str) -> MidiFile:
    """Parse a MIDI file, bare or in RIFF. Raises ReadError, naming it, with the offset of damage."""
    content, offset = unwrap_riff(data)
    check_header(content, name, offset)
    file = _parse_regular(content)
    if file is not None:
        return file
    if len(content) > raised(MAX_REPAIRED):
        size, hint = f"{raised(MAX_REPAIRED) // 2**20} MB", limit_hint(HINT, len(content), MAX_REPAIRED)
        raise ReadError(f"{name} is an irregular MIDI file of more than {size}, too large to repair", hint)
    repaired = repair(content, name, offset)
    try:
        file = _file_of(_parse(repaired.data))
    except Exception as error:
        raise ReadError(f"{name} is a damaged MIDI file: {printable_line(str(error))[:100]}", HINT) from error
    file.title = printable_line(_title(repaired.data[_FIRST_TRACK:]).decode("utf-8", "replace"))
    file.hanging, file.losses = repaired.hanging, repaired.losses
    return file


def unwrap_riff(data: bytes) -> tuple[bytes, int]:
    """Return the MIDI file inside RIFF (.rmi), or `data` itself, and where it begins."""
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return data, 0
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"data":
            return data[at + 8 : at + 8 + size], at + 8
        at += 8 + size + size % 2
    return data, 0


def check_header(data: bytes, name: str, offset: int = 0) -> None:
    """Raise ReadError if the header, `offset` bytes into the file `name`, is none of a MIDI file that can be read."""
    if not data:
        raise ReadError(f"{name} is empty", "export it again as MIDI")
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        hint = "use the notes of the music: a MIDI, ABC or MusicXML file"
        raise ReadError(f"{name} is a WAV recording; music cannot be read from WAV", hint)
    if data[:4] != b"MThd":
        raise ReadError(f"{name} is not a MIDI file", "check that its suffix is right")
    check_size(data, name, MAX_BYTES)
    if len(data) < 14:
        raise ReadError(f"{name} is a truncated MIDI file: it ends at offset {offset + len(data)}", HINT)
    kind, tracks, division = struct.unpack(">HHH", data[8:14])
    if kind > 2:
        raise ReadError(f"{name} is a damaged MIDI file: unknown format {kind}, at offset {offset + 8}", HINT)
    if (kind == 2 or tracks > MAX_TRACKS) and (tracks := track_count(data)) > 1:
        if kind == 2:
            raise ReadError(f"{name} is MIDI format 2, whose tracks are separate pieces", "export it as format 0 or 1")
        check_count(tracks, MAX_TRACKS, "tracks", name)
    if division & 0x8000 and (256 - (division >> 8) not in FRAME_RATES or not division & 0xFF):
        reason = f"unknown SMPTE time {division:04X}, at offset {offset + 12}"
        raise ReadError(f"{name} is a damaged MIDI file: {reason}", HINT)
    if division == 0:
        raise ReadError(f"{name} has 0 ticks per beat", HINT)


def _parse_regular(data: bytes) -> MidiFile | None:
    """Return the content of `data` if it is regular, its text is UTF-8 and all notes have note-offs, else None."""
    found = None if data[12] & 0x80 else regular_file(data)
    if found is None:
        return None
    try:
        title = _title(found.tracks[0]).decode("utf-8") if found.tracks else ""
        score = _parse_with_all_notes(data, found)
        if score is None:
            return None
        file = _file_of(score)
    except Exception:  # not UTF-8, or what symusic raises: RuntimeError, ValueError and others
        return None
    names = "".join([track.name for track in file.tracks])
    if "\N{REPLACEMENT CHARACTER}" in names or _may_end_notes(file, found.modes):
        return None
    file.title = printable_line(title)
    return file


def _parse_with_all_notes(data: bytes, found: RegularFile) -> Any | None:
    """Return what symusic reads in `data`, whose content was `found`, or None if it drops notes without note-off."""
    if found.note_events is not None and found.note_events == 2 * (score := _parse(data)).note_num():
        return score  # each note-on has its note-off
    score = _parse(_with_all_released(data, found.tracks))
    return score if score.end() < _PAUSE else None


def _may_end_notes(file: MidiFile, modes: bool) -> bool:
    """Return whether mode messages, which `modes` says that the file has, may end notes."""
    if not modes and not [True for track in file.tracks if track.notes_off]:
        return False
    starts, ends = file.notes[:, 0], file.notes[:, 1]
    ticks = {tick for track in file.tracks for tick in track.notes_off}
    return any(((starts < tick) & (tick < ends)).any() for tick in ticks) if ticks else modes


_PAUSE = 0x0FFFFFFF
"""Ticks from the end of a track to the release of all pitches: the longest time between two events.

symusic drops notes without note-off. After the release of all pitches, it reads them as notes that last so long.
"""
_FIRST_TRACK = 14 + 8
_END = b"\xff\x2f\x00"
_RELEASES = b"".join(bytes([pitch, 0, 0]) for pitch in range(128))
_RELEASED = [(bytes([0x90 | channel]), bytes([0x80 | channel]) + _RELEASES) for channel in range(16)]
"""The status byte of note-ons of each channel, and note-offs of all pitches, each followed by a delta time of 0."""
_BEFORE_RELEASES = b"\xff\x01\x00" + quantity.encode(_PAUSE)


def _with_all_released(data: bytes, tracks: Iterable[bytes]) -> bytes:
    """Return `data`, of `tracks` without their last event, with note-offs for all pitches _PAUSE ticks after each."""
    channels = [channel for channel in _RELEASED if channel[0] in data]
    content = [data[:14]]
    for track in tracks:
        released = [note_offs for note_on, note_offs in channels if note_on in track]
        size = len(track) + len(_BEFORE_RELEASES) + len(released) * (1 + len(_RELEASES)) + len(_END)
        content += [b"MTrk", size.to_bytes(4, "big"), track, _BEFORE_RELEASES, *released, _END]
    return b"".join(content)


def _parse(data: bytes) -> Any:
    """Return what symusic reads in a regular file."""
    import symusic

    return symusic.Score.from_midi(data)


def _file_of(score: Any) -> MidiFile:
    """Return the content of symusic's `score`, tracks in its order."""
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
        pedal, notes_off = _controls(track.controls) if len(track.controls) else ((), ())
        file.tracks.append(Track(printable_line(track.name), track.program, track.is_drum, rows.T, pedal, notes_off))
    file.tempos = [(t.time, t.mspq) for t in _each(score.tempos)]
    file.meters = [(m.time, m.numerator, m.denominator) for m in _each(score.time_signatures)]
    file.keys = [(k.time, k.key, "minor" if k.tonality else "major") for k in _each(score.key_signatures)]
    return file


def _each(items: Any) -> Iterator[Any]:
    """Iterate over symusic's list by index, since its own iterators end with a C++ exception, which takes 3 us."""
    return map(items.__getitem__, range(len(items)))


def _controls(controls: Any) -> tuple[list[tuple[int, int]], list[int]]:
    """Return the (tick, value) of the sustain pedal, and the ticks of mode messages that end notes."""
    columns = controls.numpy()
    numbers, ticks = columns["number"], columns["time"]
    chosen = numbers == CONTROLLER
    pedal = list(zip(ticks[chosen].tolist(), columns["value"][chosen].tolist(), strict=True))
    return pedal, ticks[(numbers == 120) | (numbers >= 123)].tolist()


def _title(track: bytes) -> bytes:
    """Return the title: the name of the first track, if it is among the events at its very start."""
    at = 0
    while track[at : at + 2] == b"\0\xff" and at + 3 < len(track):
        size, start = (track[at + 3], at + 4) if track[at + 3] < 0x80 else quantity.decode(track, at + 3)
        if track[at + 2] == 0x03:
            return track[start : start + size]
        at = start + size
    return b""
