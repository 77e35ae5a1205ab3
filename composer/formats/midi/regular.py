"""Tell quickly whether a MIDI file is regular, that is, whether symusic reads it as the standard defines.

symusic accepts most irregular files too, but drops or misreads events without a word.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple


class RegularFile(NamedTuple):
    """The events of each track but the end of track, of which the delta time remains.

    `modes` is whether there are mode messages, which end notes; those in running status may be overlooked.
    """

    tracks: list[bytes]
    modes: bool


def regular_file(data: bytes) -> RegularFile | None:
    """Return the tracks of `data` if it is regular, else None.

    In a regular file, header and chunks agree, and each track ends with its only end of track. Tempos, meters and keys
    have their standard lengths and valid values, and no data byte is above 127. The only system messages are system
    exclusive. Running status follows channel messages of two data bytes only; it is rare elsewhere, and often wrong.
    """
    announced, tracks, modes, at = int.from_bytes(data[10:12], "big"), [], False, 14
    if data[4:8] != b"\0\0\0\6":
        return None
    while data[at : at + 4] == b"MTrk":
        start, at = at + 8, at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        has_modes = _has_modes(data, start, at) if at <= len(data) else None
        if has_modes is None:
            return None
        modes = modes or has_modes
        tracks.append(data[start : at - 3])
    return RegularFile(tracks, modes) if at == len(data) and len(tracks) == announced else None


def _has_modes(data: bytes, at: int, end: int) -> bool | None:
    """Return whether there are mode messages among the events from `at` to `end`; None if these are irregular."""
    status, events, special_event = _patterns()
    modes = False
    if not status.match(data, at, end):
        return None
    while True:
        usual: re.Match[bytes] = events.match(data, at, end)  # type: ignore[assignment]  # it also matches no events
        if usual["last"]:
            return modes if usual.end() == end else None
        found = special_event.match(data, usual.end(), end)
        if found is None:
            return None
        at = found.end()
        if found["mode"]:
            modes = True
            continue
        size = 0
        for byte in found["size"]:
            size = size << 7 | byte & 0x7F
        at += size
        if not status.match(data, at, end):
            return None


_SHORT = 32
"""Meta and system exclusive events with fewer bytes are matched by one pattern, which is fast but long."""
_TIME = rb"[\x80-\xff]{0,3}+[\0-\x7f]"
_STATUS = _TIME + rb"[\x80-\xff]"
_UNFIXED_META = rb"[\0-\x2e\x30-\x50\x52-\x57\x5a-\x7f]"
"""The types of meta events but end of track, tempo, meter and key."""
_MODES = rb"[\x78\x7b-\x7f]"
"""The controllers that end all notes of a channel."""


@cache
def _patterns() -> tuple[re.Pattern[bytes], re.Pattern[bytes], re.Pattern[bytes]]:
    """Return the patterns of an event with a status byte, of any number of usual events, and of a special event.

    An end of track may follow the usual events. Special are mode messages with a status byte, and meta and system
    exclusive events with many bytes.
    """
    content = rb"(?:%s)" % b"|".join(re.escape(bytes([n])) + rb".{%d}" % n for n in range(_SHORT))
    note, running = rb"%s[\x80-\xaf\xe0-\xef][\0-\x7f][\0-\x7f]" % _TIME, rb"%s[\0-\x7f][\0-\x7f]" % _TIME
    control = rb"[\xb0-\xbf](?!%s)[\0-\x7f][\0-\x7f]" % _MODES
    tempo, meter = rb"\x51\x03(?!\0\0\0)...", rb"\x58\x04[^\0][\0-\x06].."
    key = rb"\x59\x02[\0-\x07\xf9-\xff][\0\x01]"
    meta = rb"\xff(?:%s|%s|%s|%s%s)" % (tempo, meter, key, _UNFIXED_META, content)
    others = rb"(?:[\xc0-\xdf][\0-\x7f]|%s|\xf0%s)(?=%s)" % (meta, content, _STATUS)
    last = _TIME + rb"\xff\x2f\0"
    # loops over notes alone are the fastest
    events = rb"(?:(?:%s)++|(?:%s)++|%s(?:%s|%s))*+(?P<last>%s)?" % (note, running, _TIME, control, others, last)
    mode = rb"(?P<mode>[\xb0-\xbf]%s[\0-\x7f])" % _MODES
    special_event = rb"%s(?:%s|(?:\xf0|\xff%s)(?P<size>%s))" % (_TIME, mode, _UNFIXED_META, _TIME)
    return re.compile(_STATUS), re.compile(events, re.DOTALL), re.compile(special_event, re.DOTALL)
