"""Check the chunks of a MIDI file: truncated, missing and empty tracks."""

from __future__ import annotations

from collections.abc import Iterator

from composer.check.problem import Problem, Severity

_END = b"\x00\xff\x2f\x00"
"""The content of an empty track."""


def chunk_problems(data: bytes) -> Iterator[Problem]:
    """Yield truncated, missing and empty tracks."""
    if data[:4] == b"RIFF":
        data = data[data.find(b"MThd") :] if b"MThd" in data[:4096] else b""
    if len(data) < 14 or data[:4] != b"MThd":
        return
    announced = int.from_bytes(data[10:12], "big")
    tracks, cut, at = [], 0, 8 + int.from_bytes(data[4:8], "big")
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        content = data[at + 8 : at + 8 + size]
        if data[at : at + 4] == b"MTrk":
            tracks.append(content)
        cut = size - len(content)
        at += 8 + size
    if cut:
        yield Problem(0, 0, "truncated file", f"the last {cut:,} bytes of track {len(tracks) or 1} are missing")
    if len(tracks) < announced:
        message = f"the header announces {announced:,} tracks, but the file has {len(tracks):,}"
        yield Problem(0, 0, "missing tracks", message)
    empty = [number for number, content in enumerate(tracks, 1) if content[-4:] == _END and len(content) == 4]
    # the first of several tracks is for the tempo
    if any(number > 1 for number in empty):
        named = ", ".join(map(str, empty[:5])) + ("..." if len(empty) > 5 else "")
        yield Problem(0, 0, "empty track", f"empty tracks: {named} of {len(tracks)}", Severity.WARNING)
