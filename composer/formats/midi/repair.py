"""Rewrite an irregular MIDI file as a regular one with the same music, event by event, and count what is left out.

As Standard MIDI Files 1.0 says, unknown chunks and surplus bytes of meta events are ignored. As MIDI 1.0 says, the mode
messages 120 and 123 to 127 end all notes of their channel. Wrong counts and lengths, system messages, and running
status after an event that ends it are in no standard, but in many files.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from composer.api import ReadError
from composer.formats.limits import MAX_NOTES, check_count
from composer.formats.midi import quantity
from composer.formats.midi.smpte import Clock
from composer.formats.midi.text import decode_text, detect_encoding

HINT = "open it in a music program and export it again as MIDI"
MAX_TICKS = 2**31 - 2**29
"""The latest event, in ticks, with which all computations stay below 32 bits."""

INVALID_META = "tempo, meter or key events without a valid value left out"
AFTER_END = "bytes after the end of a track left out"
CLIPPED = "data bytes above 127 read as 127"

WRONG_LENGTH = "tracks with a wrong length"
NO_END = "tracks without an end"
SYSTEM_MESSAGE = "system messages other than system exclusive"
SURPLUS = "tempo, meter or key events with surplus bytes"
JUNK = "bytes outside of chunks"

_SIZES = {0x51: (3, 3), 0x58: (2, 4), 0x59: (2, 2)}
"""For tempo, meter and key: the bytes that are needed, and those that the standard defines."""
_METER_DEFAULTS = b"\x18\x08"
"""MIDI clocks per click and 32nd notes per quarter note, where a meter lacks them; neither changes how it sounds."""
_NOTES_OFF = frozenset([120, *range(123, 128)])
_SYSTEM_DATA = {0xF1: 1, 0xF2: 2, 0xF3: 1}
"""The number of data bytes of those system messages that have any."""
_REAL_TIME = 0xF8
_MAX_DELTA = 0x0FFFFFFF


@dataclass(slots=True)
class Repaired:
    """A regular file, and what was done to make it so.

    `hanging` is the number of notes without note-off in `data`. `losses` counts what was left out, by phrase, and
    `faults` what was irregular but cost no music. `tempos` are (tick, microseconds per beat) in the time of the
    original; `texts` are its text events. `tracks` is the number of its tracks, and `notes` that of its notes.
    """

    data: bytes = b""
    hanging: int = 0
    tracks: int = 0
    notes: int = 0
    losses: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    tempos: list[tuple[int, int]] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)


def repair(data: bytes, name: str, offset: int = 0) -> Repaired:
    """Return the MIDI file `data`, which has a valid header and begins at byte `offset` of the file `name`, repaired.

    SMPTE time becomes beats, and text becomes UTF-8. Raises ReadError with the offset of what cannot be read.
    """
    division = int.from_bytes(data[12:14], "big")
    result = _Rewriter(data, name, offset).rewritten()
    clock = Clock(division, result.tempos) if division & 0x8000 else None
    encoding = detect_encoding(result.texts)
    if clock is not None or encoding != "utf-8":
        result = _Rewriter(data, name, offset, encoding, clock).rewritten()
    header = (1, result.tracks, clock.division if clock is not None else division)
    result.data = b"MThd\0\0\0\6" + b"".join(number.to_bytes(2, "big") for number in header) + result.data
    return result


def track_count(data: bytes) -> int:
    """Return how many track chunks follow one another in `data`, by their lengths."""
    count, at = 0, 8 + int.from_bytes(data[4:8], "big")
    while _is_chunk(data, at):
        count += data[at : at + 4] == b"MTrk"
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "big")
    return count


def _is_chunk(data: bytes, at: int) -> bool:
    """Return whether a chunk may begin at `at`: a type of four letters and a length."""
    return data[at : at + 4].isalpha() and at + 8 <= len(data)


class _Rewriter:
    """Rewrites the chunks of a file."""

    def __init__(
        self, data: bytes, name: str, offset: int, encoding: str = "utf-8", clock: Clock | None = None
    ) -> None:
        self.data, self.encoding, self.clock = data, encoding, clock
        self.found = Repaired()
        self.name, self._offset = name, offset

    def rewritten(self) -> Repaired:
        """Return the chunks of the tracks, without a header."""
        data, chunks = self.data, []
        at = 8 + int.from_bytes(data[4:8], "big")
        at = at if _is_chunk(data, at) else 14
        while at < len(data):
            if data[at : at + 4] == b"MTrk" and _is_chunk(data, at):
                track = _TrackRewriter(self, at + 8)
                at = self._walk(track)
                chunks += [b"MTrk", len(track.out).to_bytes(4, "big"), bytes(track.out)]
                self.found.tracks += 1
                self.found.hanging += sum(notes.total() for notes in track.sounding.values())
            elif _is_chunk(data, at) and at + 8 + int.from_bytes(data[at + 4 : at + 8], "big") <= len(data):
                at += 8 + int.from_bytes(data[at + 4 : at + 8], "big")
            else:
                following = data.find(b"MTrk", at + 1)
                following = following if following > 0 else len(data)
                self.found.faults[JUNK] += following - at
                at = following
        if len(data) > 14 and not chunks:
            raise self._error("no track", 14)
        self.found.data = b"".join(chunks)
        return self.found

    def _walk(self, track: _TrackRewriter) -> int:
        """Rewrite a track, and return where the next chunk begins."""
        number = self.found.tracks + 1
        try:
            return track.rewrite()
        except IndexError:
            raise self._error(f"it ends within track {number}", len(self.data)) from None
        except ValueError as error:
            raise self._error(f"{error} in track {number}", track.at) from None

    def _error(self, reason: str, at: int) -> ReadError:
        return ReadError(f"{self.name} is a damaged MIDI file: {reason}, at offset {self._offset + at:,}", HINT)


class _TrackRewriter:
    """Rewrites the events of one track to `out`; `sounding` counts its open notes by channel and pitch.

    `at` is where the latest event begins, for messages.
    """

    def __init__(self, file: _Rewriter, start: int) -> None:
        self.data, self.file, self.found = file.data, file, file.found
        self.out = bytearray()
        self.sounding: dict[int, Counter[int]] = {}
        self.at = start
        self._stated_end = start + int.from_bytes(self.data[start - 4 : start], "big")
        self._framed = self._stated_end == len(self.data) or _is_chunk(self.data, self._stated_end)
        self._now = self._written = self._running = 0
        self._converted = (0, 0)
        """The latest time in the file, and that time in ticks of a beat."""

    def rewrite(self) -> int:
        """Rewrite all events, and return where the next chunk begins.

        The stated length counts if a chunk or the end of the file follows there, else the end of track.
        """
        data, limit = self.data, self._stated_end if self._framed else len(self.data)
        at, ended = self.at, False
        while not ended:
            self.at = at
            if at == limit if self._framed else data[at : at + 4] == b"MTrk":
                self.found.faults[NO_END] += 1
                break
            delta, at = quantity.decode(data, at)
            self._now += delta
            status = data[at]
            if status >= 0x80:
                at += 1
            elif not (status := self._running):
                raise ValueError(f"data byte {data[at]} without a status byte")
            if status < 0xF0:
                at = self._channel_message(status, at)
            elif status == 0xFF:
                at, ended = self._meta(at)
            else:
                at = self._system_message(status, at)
            if at > limit:
                raise ValueError("an event that extends past the end")
        self._write(b"\xff\x2f\0")
        return self._next_chunk(at)

    def _next_chunk(self, at: int) -> int:
        """Return where the next chunk begins if the track ended before `at`."""
        if at == self._stated_end:
            return at
        if self._framed and not _is_chunk(self.data, at):
            self.found.losses[AFTER_END] += self._stated_end - at
            return self._stated_end
        self.found.faults[WRONG_LENGTH] += 1
        return at

    def _channel_message(self, status: int, at: int) -> int:
        self._running, kind, channel = status, status & 0xF0, status & 0x0F
        first, at = self._data_byte(at)
        if kind in (0xC0, 0xD0):
            self._write(bytes((status, first)))
            return at
        second, at = self._data_byte(at)
        if kind == 0xB0 and first in _NOTES_OFF:
            self._end_notes(channel)
            return at
        if kind == 0x90 and second:
            self._count_note()
            self.sounding.setdefault(channel, Counter())[first] += 1
        elif kind in (0x80, 0x90) and channel in self.sounding and self.sounding[channel][first]:
            self.sounding[channel][first] -= 1
        self._write(bytes((status, first, second)))
        return at

    def _count_note(self) -> None:
        """Raise ReadError at once if the file has more notes than are read."""
        self.found.notes += 1
        if self.found.notes > MAX_NOTES:
            check_count(self.found.notes, MAX_NOTES, "notes", self.file.name)

    def _data_byte(self, at: int) -> tuple[int, int]:
        """Return the data byte at `at`, skipping real-time messages, which may come anywhere, and the place after."""
        byte = self.data[at]
        while _REAL_TIME <= byte < 0xFF:
            self.found.faults[SYSTEM_MESSAGE] += 1
            at += 1
            byte = self.data[at]
        if byte > 127:
            self.found.losses[CLIPPED] += 1
        return min(byte, 127), at + 1

    def _end_notes(self, channel: int) -> None:
        for pitch in self.sounding.pop(channel, Counter()).elements():
            self._write(bytes((0x80 | channel, pitch, 0)))

    def _system_message(self, status: int, at: int) -> int:
        """Skip a system message, which holds no music."""
        if status in (0xF0, 0xF7):
            size, at = quantity.decode(self.data, at)
            return at + size
        self.found.faults[SYSTEM_MESSAGE] += 1
        for _ in range(_SYSTEM_DATA.get(status, 0)):
            at += self.data[at] < 0x80
        return at

    def _meta(self, at: int) -> tuple[int, bool]:
        """Rewrite a meta event; return the place after it, and whether it ends the track."""
        kind = self.data[at]
        if kind > 127:
            raise ValueError(f"unknown meta event {kind}")
        size, at = quantity.decode(self.data, at + 1)
        content = self.data[at : at + size]
        if len(content) < size:
            raise ValueError(f"a meta event of {size:,} bytes, beyond the end of the file,")
        at += size
        if kind in _SIZES:
            self._signature(kind, content)
        elif 0x01 <= kind <= 0x07:
            self.found.texts.append(content)
            text = decode_text(content, self.file.encoding).encode() if self.file.encoding != "utf-8" else content
            self._write(b"\xff" + bytes([kind]) + quantity.encode(len(text)) + text)
        return at, kind == 0x2F

    def _signature(self, kind: int, content: bytes) -> None:
        """Rewrite a tempo, meter or key with its standard size."""
        needed, standard = _SIZES[kind]
        if len(content) < needed or not _is_valid(kind, content):
            self.found.losses[INVALID_META] += 1
            return
        if len(content) > standard:
            self.found.faults[SURPLUS] += 1
        if kind == 0x51:
            self.found.tempos.append((self._now, int.from_bytes(content[:3], "big")))
        elif kind == 0x58:
            content += _METER_DEFAULTS[len(content) - needed :]
        self._write(bytes([0xFF, kind, standard]) + content[:standard])

    def _write(self, event: bytes) -> None:
        if self._now != self._converted[0]:
            self._converted = self._now, self._now if self.file.clock is None else self.file.clock(self._now)
        tick = self._converted[1]
        if tick > MAX_TICKS:
            raise ValueError(f"an event later than {MAX_TICKS:,} ticks")
        self.out += quantity.encode(min(tick - self._written, _MAX_DELTA)) + event
        self._written = tick


def _is_valid(kind: int, content: bytes) -> bool:
    """Return whether a tempo is above 0, a meter has a bar, or a key has at most seven signs."""
    if kind == 0x51:
        return any(content[:3])
    if kind == 0x58:
        return content[0] > 0 and content[1] <= 6
    return (content[0] + 7) % 256 <= 14 and content[1] <= 1
