"""Tell quickly whether a MIDI file is regular, that is, whether symusic reads it as the standard defines.

symusic accepts most irregular files too, but drops or misreads events without a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple


class RegularFile(NamedTuple):
    """The events of each track but the end of track, of which the delta time remains.

    `modes` is whether there are mode messages, which end notes; those in running status may be overlooked.
    `note_events` counts the note-ons, note-offs and other events of their kind; None if that would take longer.
    """

    tracks: list[bytes]
    modes: bool
    note_events: int | None


@cache
def patterns_work() -> bool:
    """Whether possessive repetitions match as documented; before Python 3.11.5 they do not, so no file is regular."""
    return re.fullmatch(rb"(?:ab?c)++", b"aca") is None


def regular_file(data: bytes) -> RegularFile | None:
    """Return the tracks of `data` if it is regular, else None.

    In a regular file, header and chunks agree, and each track ends with its only end of track. Tempos, meters and keys
    have their standard lengths and valid values, and no data byte is above 127. The only system messages are system
    exclusive. Running status follows channel messages of two data bytes only; it is rare elsewhere, and often wrong.
    """
    announced, at = int.from_bytes(data[10:12], "big"), 14
    if data[4:8] != b"\0\0\0\6" or not patterns_work():
        return None
    kinds, modes = data.translate(_KINDS), False
    tracks: list[bytes] = []
    counts: list[int | None] = []
    while data.startswith(b"MTrk", at):
        start, at = at + 8, at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        walked = _walk(data, kinds, start, at) if at <= len(data) else None
        if walked is None:
            return None
        modes = modes or walked[0]
        counts.append(walked[1])
        tracks.append(data[start : at - 3])
    if at != len(data) or len(tracks) != announced:
        return None
    return RegularFile(tracks, modes, None if None in counts else sum(counts))  # type: ignore[arg-type]


def _walk(data: bytes, kinds: bytes, at: int, end: int) -> tuple[bool, int | None] | None:
    """Return whether there are mode messages from `at` to `end`, and the number of note events; None if irregular.

    `kinds` are those of the bytes of `data`. The number of note events may be None, too.
    """
    signs, notes, first_events, events, _ = _matches()
    start, count, short_runs = at, 0, 0
    while short_runs < _MAX_SHORT_RUNS:
        found: re.Match[bytes] = signs(data, at, end)  # type: ignore[assignment]  # it also matches no events
        at = found.end()
        if found.lastindex:
            return (False, count) if at == end else None
        run = notes(kinds, at, end)
        if run is None:
            break
        count += kinds.count(0, at, run.end()) // 3  # the last byte of the time, and two data bytes
        short_runs += run.end() - at < _RUN
        at = run.end()
    modes = _has_modes(data, (events if at > start else first_events)(data, at, end), end)
    return None if modes is None else (modes, None)


def _has_modes(data: bytes, usual: re.Match[bytes] | None, end: int) -> bool | None:
    """Return whether there are mode messages after the events `usual` and before `end`; None if irregular."""
    _, _, first_events, events, special_event = _matches()
    modes = False
    while usual is not None:
        if usual.lastindex:
            return modes if usual.end() == end else None
        found = special_event(data, usual.end(), end)
        if found is None:
            return None
        if found["mode"]:
            modes = True
            usual = events(data, found.end(), end)
            continue
        size = 0
        for byte in found["size"]:
            size = size << 7 | byte & 0x7F
        usual = first_events(data, found.end() + size, end)
    return None


_KINDS = bytes(0 if byte < 0x80 else 1 if byte < 0xB0 or 0xE0 <= byte < 0xF0 else 2 for byte in range(256))
"""The kind of each byte: 0 for data, 1 for the status of a note or another usual event of two data bytes, 2 for others.

A pattern of single bytes is twice as fast as one of sets of bytes.
"""
_RUN = 64
_MAX_SHORT_RUNS = 8
"""So many times, notes are matched by their kinds alone for fewer than _RUN bytes; more often, this takes longer."""
_SHORT = 32
"""Meta and system exclusive events with fewer bytes are matched by one pattern, which is fast but long."""
_GROUP = 4
_TIME = rb"[\x80-\xff]{0,3}+[\0-\x7f]"
_STATUS = _TIME + rb"[\x80-\xff]"
_UNFIXED_META = rb"[\0-\x2e\x30-\x50\x52-\x57\x5a-\x7f]"
"""The types of meta events but end of track, tempo, meter and key."""
_MODES = rb"[\x78\x7b-\x7f]"
"""The controllers that end all notes of a channel."""


_Match = Callable[[bytes, int, int], re.Match[bytes] | None]


@cache
def _matches() -> tuple[_Match, ...]:
    """Return the `match` of five patterns that read the events of a track from left to right.

    They are those of any number of controls, program changes and meta events, of notes in kinds, the first with a
    status byte, of usual events, the first with a status byte or not, and of a special event. An end of track may
    follow the first and the usual ones; it is their only group. Special are mode messages with a status byte, and meta
    and system exclusive events with many bytes.
    """
    # sizes in groups, since alternatives are tried in turn
    sizes = (range(start, start + _GROUP) for start in range(0, _SHORT, _GROUP))
    contents = (
        rb"(?=[\x%02x-\x%02x])(?:%s)" % (group[0], group[-1], b"|".join(rb"\x%02x.{%d}" % (n, n) for n in group))
        for group in sizes
    )
    content = rb"(?:%s)" % b"|".join(contents)
    note, running = rb"%s[\x80-\xaf\xe0-\xef][\0-\x7f][\0-\x7f]" % _TIME, rb"%s[\0-\x7f][\0-\x7f]" % _TIME
    control = rb"[\xb0-\xbf](?!%s)[\0-\x7f][\0-\x7f]" % _MODES
    tempo, meter = rb"\x51\x03(?!\0\0\0)...", rb"\x58\x04[^\0][\0-\x06].."
    key = rb"\x59\x02[\0-\x07\xf9-\xff][\0\x01]"
    meta = rb"\xff(?:%s|%s|%s|%s%s)" % (tempo, meter, key, _UNFIXED_META, content)
    others = rb"(?:[\xc0-\xdf][\0-\x7f]|%s|\xf0%s)(?=%s)" % (meta, content, _STATUS)
    last = _TIME + rb"\xff\x2f\0"
    # loops over notes alone are the fastest
    events = rb"(?:(?:%s)++|(?:%s)++|%s(?:%s|%s))*+(%s)?" % (note, running, _TIME, control, others, last)
    mode = rb"(?P<mode>[\xb0-\xbf]%s[\0-\x7f])" % _MODES
    special_event = rb"%s(?:%s|(?:\xf0|\xff%s)(?P<size>%s))" % (_TIME, mode, _UNFIXED_META, _TIME)
    first_events = rb"(?=%s)%s" % (_STATUS, events)
    signs = rb"(?:%s(?:%s|%s(?=%s)))*+(%s)?" % (_TIME, others, control, _STATUS, last)
    time = rb"[^\0]{0,3}+\0"
    note, running = time + rb"\x01\0\0", time + rb"\0\0"
    notes = rb"(?=%s\x01)(?:(?:%s%s)++|(?:%s%s)++|%s|%s)*+" % (time, note, note, running, running, note, running)
    return tuple(re.compile(each, re.DOTALL).match for each in (signs, notes, first_events, events, special_event))
