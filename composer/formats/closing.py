"""How many notes of a MIDI file are never ended: as many as there are more once every pitch is let go of at the end."""

from __future__ import annotations

from collections.abc import Callable

MOST = 16 * 1024 * 1024
"""No longer file, in bytes, is made to count with."""

_END = b"\xff\x2f\x00"


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


_PITCHES = b"".join(bytes([pitch, 0, 0]) for pitch in range(128))
_NO_NOTE_ONS = bytes(byte for byte in range(256) if byte >> 4 != 9)
_CHANNELS = [(bytes([0x90 | channel]), bytes([0x80 | channel]) + _PITCHES) for channel in range(16)]
"""For each channel the byte that begins its note-ons, and a note-off for each pitch.

These stand between the time of an event and the event.
"""
