"""Notes of a MIDI file that are never ended: they end where every pitch is let go of after the end of its track."""

from __future__ import annotations

from collections.abc import Callable

MOST = 16 * 1024 * 1024
"""No longer file, in bytes, is made to count with."""

AFTER = 0x0FFFFFFF
"""So many ticks after a track's end `sealed` ends its notes: more than delta times can say, and than music lasts."""

SEAL = "every note is ended hereafter"
"""The marker at the end of each track of a file that was `sealed`."""

_END = b"\xff\x2f\x00"
_SEAL = b"\xff\x06" + bytes([len(SEAL)]) + SEAL.encode() + b"\xff\xff\xff\x7f"


def sealed(data: bytes) -> tuple[bytes, int]:
    """`data` with a marker at the end of each track, and AFTER that a note-off for each pitch; and how many tracks.

    A parser that finds all of these markers has read each track to its end, as it would have without; and where no note
    ends that late, none is never ended. So one parsing tells what else takes two. There are 0 tracks where `data` is
    anything but whole tracks that seem to end as they should.
    """
    at = 8 + int.from_bytes(data[4:8], "big")
    content, tracks = [data[:at]], 0
    begun = data.translate(None, _NO_NOTE_ONS)
    channels = [each for each in _CHANNELS if each[0] in begun]
    while data[at : at + 4] == b"MTrk":
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        track = data[at + 8 : end - 3]
        if data[end - 3 : end] != _END:
            return data, 0
        offs = [ended for begins, ended in channels if begins in track] or [_NOTHING]
        tail = b"".join([_SEAL, *offs, _END])
        content += [b"MTrk", (len(track) + len(tail)).to_bytes(4, "big"), track, tail]
        tracks += 1
        at = end
    return b"".join(content), tracks if at == len(data) else 0


def hanging(data: bytes, ended: int, count: Callable[[bytes], int]) -> int:
    """The notes in `data` that are never ended, where `count` counts those that are: `ended` in `data` itself.

    One note-off ends one note, so there are more of them until no more notes are found, or until MOST. What stands
    after a track's end, where that is not its last event, is not counted.
    """
    found, offs = 0, 1
    while True:
        content = closed(data, offs)
        more = count(content) - ended
        if more <= found or len(content) > MOST:
            return max(more, found)
        found, offs = more, 4 * offs


def closed(data: bytes, offs: int = 1) -> bytes:
    """`data` with `offs` note-offs for each pitch at the end of each track, on the channels that the track may use."""
    at = 8 + int.from_bytes(data[4:8], "big")
    content = [data[:at]]
    begun = data.translate(None, _NO_NOTE_ONS)
    channels = [each for each in _CHANNELS if each[0] in begun]
    while data[at : at + 4] == b"MTrk":
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        track = data[at + 8 : at + 8 + size]
        at += 8 + size
        used = [offs * ended for begins, ended in channels if begins in track]
        before = track[: -len(_END)] if track.endswith(_END) else track + b"\0"
        track = before + b"".join(used) + _END
        content += [b"MTrk", len(track).to_bytes(4, "big"), track]
    return b"".join([*content, data[at:]])


_NOTHING = b"\xff\x01\x00\x00"
_PITCHES = b"".join(bytes([pitch, 0, 0]) for pitch in range(128))
_NO_NOTE_ONS = bytes(byte for byte in range(256) if byte >> 4 != 9)
_CHANNELS = [(bytes([0x90 | channel]), bytes([0x80 | channel]) + _PITCHES) for channel in range(16)]
"""For each channel the byte that begins its note-ons, and a note-off for each pitch.

These stand between the time of an event and the event.
"""
