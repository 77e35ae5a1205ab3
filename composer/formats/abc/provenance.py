"""Provenance in ABC: a short `N:` line in the header, and the record in `%%composer` lines at the end of the tune.

The short line ends with digits of the record's digest, so that a record that was edited, or is another tune's, is
noticed. Older versions wrote the whole record into the `N:` line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

MAX_LINE = 78
"""Characters of a `%%composer` line: terminals do not wrap it, and abc2midi warns of more than 199."""

_LINE = re.compile(r"N:composer \d|%%composer ")
_NUMBER = re.compile(rb"^X:[^\n]*(?=\n)", re.MULTILINE)
_BEGIN = b"%%composer "
_CHUNK = re.compile(
    r".{1,W}\Z|.{1,W}(?<=,)(?! )|.{1,W}(?<! )(?! )|.{1,W}".replace("W", str(MAX_LINE - len(_BEGIN))).encode()
)
"""A line's part of a record: it ends after a comma if possible, and not at a blank, which an editor may remove."""
_SUMMARY = re.compile(r"composer \d\S*(?: [\w-]+)?(?: seed \d+)? [0-9a-f]{8}", re.ASCII)
_MARK = re.compile(rb"^N:(composer \d[^\r\n]*)|((?:^%%composer [^\r\n]*(?:\r?\n|\Z))+)", re.MULTILINE)
_RECORD_LINE = re.compile(rb"^%%composer ([^\r\n]*?) *\r?$", re.MULTILINE)


def mark(data: bytes, text: bytes) -> bytes:
    """Add the record `text` to a tune, with a short line after its `X:` line; data without one is unchanged."""
    marker = StreamMarker(text)
    return marker.push(data) + marker.finish()


def mark_in_header(data: bytes, text: bytes) -> bytes:
    """Insert the record `text` after the `X:` line, as older versions did."""
    return _NUMBER.sub(lambda match: match[0] + b"\nN:" + text, data, count=1)


def find_marks(data: bytes) -> Iterator[str]:
    """Yield the record of each tune, of any version; its short line if the record is missing or another one."""
    expected = ""
    for match in _MARK.finditer(data):
        note, lines = match.groups()
        if lines:
            record = b"composer " + b"".join(_RECORD_LINE.findall(lines))
            fits = not expected or expected.endswith(_digest(record))
            yield record.decode("ascii", "replace") if fits else expected
            expected = ""
            continue
        if expected:
            yield expected
        expected = note.decode("ascii", "replace").rstrip()
        if not is_summary(expected):
            yield expected
            expected = ""
    if expected:
        yield expected


def is_summary(text: str) -> bool:
    """Return whether `text` is what a short line holds."""
    return bool(_SUMMARY.fullmatch(text))


def is_provenance(line: str) -> bool:
    """Return whether a line of ABC belongs to provenance, of any version."""
    return bool(_LINE.match(line))


class StreamMarker:
    """Marks a tune with the record `text` while the tune is being written."""

    def __init__(self, text: bytes) -> None:
        self._summary = b"\nN:" + _summary(text)
        chunks = _CHUNK.findall(text.removeprefix(b"composer "))
        self._record = b"".join(b"\n" + _BEGIN + chunk for chunk in chunks)
        self._held, self._in_tune = b"", False

    def push(self, data: bytes) -> bytes:
        """Return the bytes that are ready: none before the `X:` line is complete, and no line ends at the end."""
        data, ready = self._held + data, b""
        if not self._in_tune:
            number = _NUMBER.search(data)
            if number is None:
                self._held = data
                return b""
            self._in_tune = True
            ready, data = data[: number.end()] + self._summary, data[number.end() :]
        body = data.rstrip(b"\n")
        self._held = data[len(body) :]
        return ready + body

    def finish(self) -> bytes:
        """Return the record and the bytes that were held back."""
        held, self._held = self._held, b""
        return self._record + (held or b"\n") if self._in_tune else held


def _summary(text: bytes) -> bytes:
    """Return the record in short: program, representation, digest, and the seed that makes `gen` write the piece."""
    _, program, facts = text.split(b" ", 2)
    found = json.loads(facts)
    kind, seed = found.get("representation"), found.get("command_seed", found.get("seed"))
    words = [f"composer {program.decode()}"]
    words += [kind] if isinstance(kind, str) and re.fullmatch(r"[\w-]+", kind, re.ASCII) else []
    words += [f"seed {seed}"] if type(seed) is int and seed >= 0 else []
    return " ".join([*words, _digest(text)]).encode()


def _digest(text: bytes) -> str:
    import hashlib  # loads OpenSSL, which takes time at every start

    return hashlib.sha256(text).hexdigest()[:8]
