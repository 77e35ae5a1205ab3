"""Check the chunks and events of a MIDI file: what the reader repairs, and truncated, missing and empty tracks."""

from __future__ import annotations

from collections.abc import Iterator

from composer.api import ReadError
from composer.check.loss_phrases import counted
from composer.check.problem import Problem, Severity
from composer.formats.midi.parser import MAX_REPAIRED, check_header, unwrap_riff
from composer.formats.midi.regular import regular_file
from composer.formats.midi.repair import JUNK, NO_END, SURPLUS, SYSTEM_MESSAGE, WRONG_LENGTH, repair

_EMPTY_TRACK = b"\x00\xff\x2f\x00"


def chunk_problems(data: bytes) -> Iterator[Problem]:
    """Yield what is irregular in a file that can be read, and truncated and empty tracks."""
    data, offset = unwrap_riff(data)
    try:
        check_header(data, "the file", offset)
        if regular_file(data) is None and len(data) <= MAX_REPAIRED:
            found = repair(data, "the file", offset)
            yield from _repairs(found.faults)
            yield from _wrong_count(data, found.tracks)
            data = found.data
        yield from _empty_tracks(data)
    except ReadError:
        yield from _truncation(data)


def _repairs(faults: dict[str, int]) -> Iterator[Problem]:
    """Yield the `faults` of a repaired file, which cost no music here but may in other programs."""
    for phrase, count in faults.items():
        yield Problem(0, 0, _KINDS[phrase], counted(count, phrase), Severity.WARNING)


_KINDS = {
    WRONG_LENGTH: "wrong track length", NO_END: "missing end of track", SYSTEM_MESSAGE: "system message",
    SURPLUS: "surplus bytes", JUNK: "bytes outside of chunks",
}  # fmt: skip


def _wrong_count(data: bytes, tracks: int) -> Iterator[Problem]:
    announced = int.from_bytes(data[10:12], "big")
    if tracks == announced:
        return
    message = f"the header announces {announced:,} track{'s' * (announced != 1)}, but the file has {tracks:,}"
    if tracks < announced:
        yield Problem(0, 0, "missing tracks", message)
    else:
        yield Problem(0, 0, "wrong number of tracks", message, Severity.WARNING)


def _empty_tracks(data: bytes) -> Iterator[Problem]:
    contents = [content for content, _ in _tracks(data)]
    empty = [number for number, content in enumerate(contents, 1) if content == _EMPTY_TRACK]
    # the first of several tracks is for the tempo
    if any(number > 1 for number in empty):
        named = ", ".join(map(str, empty[:5])) + ("..." if len(empty) > 5 else "")
        yield Problem(0, 0, "empty track", f"empty tracks: {named} of {len(contents)}", Severity.WARNING)


def _truncation(data: bytes) -> Iterator[Problem]:
    """Yield the truncation of the last track, if its length says so."""
    for number, (content, size) in enumerate(_tracks(data), 1):
        if len(content) < size:
            missing = size - len(content)
            yield Problem(0, 0, "truncated file", f"the last {missing:,} bytes of track {number} are missing")


def _tracks(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the content and the stated size of each track, by the sizes of the chunks."""
    at = 8 + int.from_bytes(data[4:8], "big")
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        if data[at : at + 4] == b"MTrk":
            yield data[at + 8 : at + 8 + size], size
        at += 8 + size
