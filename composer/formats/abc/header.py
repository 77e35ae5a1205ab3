"""Write titles, tempo and instrument into the header of ABC text, also while it is generated."""

from __future__ import annotations

import re

from composer.api import Score

_FIELD = re.compile(rb"[A-Za-z]:")
_SPECIAL = re.compile(r"[\\%]|&(?=#?[A-Za-z0-9]+;)")
"""What starts an escape, a comment or an entity."""


def plain_title(text: str) -> str:
    """Return a title on one line, in printable characters."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def title_field(text: str, name: str = "T") -> str:
    """Return the field of a title, without line feed; empty for a blank one. It reads back as `plain_title`.

    Fields of other names, such as `C` for a composer, are written likewise.
    """
    title = plain_title(text)
    blank = " " * title.startswith(("|", ":"))  # or the line would be music
    return f"{name}:{blank}" + _SPECIAL.sub(r"\\\g<0>", title) if title else ""


def heading(score: Score) -> list[str]:
    """Return the fields of a score's title and composers."""
    fields = [title_field(score.title), *(title_field(name, "C") for name in score.composers)]
    return [field for field in fields if field]


class HeaderWriter:
    """Replaces fields in the header of a stream of ABC text: a `title` after the tune's number, the rest before `K:`.

    `tempo` is in quarter notes per minute, `instrument` a General MIDI program from 0 to 127. Those not given stay.
    """

    def __init__(self, title: str = "", tempo: float | None = None, instrument: int | None = None) -> None:
        self._title = _line(title_field(title))
        self._tempo = _line(f"Q:1/4={tempo:g}") if tempo is not None else b""
        self._instrument = _line(f"%%MIDI program {instrument}") if instrument is not None else b""
        self._held, self._over = b"", False

    def push(self, data: bytes) -> bytes:
        """Return the bytes that are complete with `data`; in the header, whole lines."""
        if self._over:
            return data
        *lines, self._held = (self._held + data).split(b"\n")
        done = b""
        for at, line in enumerate(lines):
            done += self._rewrite(line + b"\n")
            if self._over:
                return done + b"\n".join([*lines[at + 1 :], self.finish()])
        return done

    def finish(self) -> bytes:
        """Return the bytes that were held back."""
        held, self._held = self._held, b""
        return held

    def _rewrite(self, line: bytes) -> bytes:
        self._over = line.startswith(b"K:") or not _FIELD.match(line)
        if line.startswith(b"X:"):
            return line + self._title
        if self._over:
            return self._tempo + self._instrument + line
        replaced = (line.startswith(b"T:") and self._title) or (line.startswith(b"Q:") and self._tempo)
        return b"" if replaced else line


def _line(field: str) -> bytes:
    return f"{field}\n".encode("utf-8", "replace") if field else b""
