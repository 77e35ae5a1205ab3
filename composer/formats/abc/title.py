"""Write titles into ABC text, also while it is generated."""

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


class TitleWriter:
    """Replaces the titles in a stream of ABC text by `title`, after the tune's number."""

    def __init__(self, title: str) -> None:
        self._line = f"{title_field(title)}\n".encode("utf-8", "replace")
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
            return line + self._line
        return b"" if line.startswith(b"T:") else line
