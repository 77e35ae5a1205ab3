"""Split ABC text into tunes, lines and tokens, with their line and column numbers (from 1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["TuneText", "split_tunes"]


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """A problem at a place. `kind` is a short phrase to count by, `message` gives the details."""

    line: int
    column: int
    kind: str
    message: str = ""

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message or self.kind}"


class Token(NamedTuple):
    """A token of a music line. `kind` is a key of `_KINDS`."""

    kind: str
    text: str
    line: int
    column: int


class Field(NamedTuple):
    """An information field, on its own line or inline: `K:G` has the name `K` and the value `G`."""

    name: str
    value: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class TuneText:
    """The lines of one tune in a file; `first` is the number of the first one."""

    lines: tuple[str, ...]
    first: int = 1

    @property
    def text(self) -> str:
        """The text of the tune, with a line feed after each line."""
        return "".join(f"{line}\n" for line in self.lines)


def split_tunes(text: str) -> list[TuneText]:
    """Return the tunes of a file: each starts with an `X:` line and ends at a blank line or the next `X:`.

    A text without any `X:` is one tune, up to the first blank line. Text between tunes is skipped.
    """
    # splitlines would also split at other characters
    lines = re.split(r"\r\n?|\n", text)
    words = block_lines(lines)
    starts = [number for number, line in enumerate(lines) if line.startswith("X:") and number not in words]
    if not starts:
        starts = [number for number, line in enumerate(lines) if line.strip() and not line.startswith("%")][:1]
    stops = [*starts[1:], len(lines)]
    return [_tune(lines, words, start, stop) for start, stop in zip(starts, stops, strict=False)]


def _tune(lines: list[str], words: set[int], start: int, stop: int) -> TuneText:
    blank = (number for number in range(start, stop) if not lines[number].strip() and number not in words)
    return TuneText(tuple(lines[start : next(blank, stop)]), start + 1)


_BEGIN = re.compile(r"%%begin(\w+)")


def block_lines(lines: Sequence[str]) -> set[int]:
    """Return the indices of lines in blocks such as `%%begintext` to `%%endtext`, which hold no music.

    A block that never ends is ignored.
    """
    found: set[int] = set()
    for number, line in enumerate(lines):
        begin = _BEGIN.match(line) if number not in found else None
        if begin:
            end = next((at for at in range(number, len(lines)) if lines[at].startswith(f"%%end{begin[1]}")), number)
            found.update(range(number, end))
    return found


_FIELD = re.compile(r"\s*([A-Za-z+])[ \t]*:(?![|:])(.*)")
_COMMENT = re.compile(r"(?<!\\)%.*")


def strip_comment(line: str) -> str:
    """Return `line` without its comment."""
    return _COMMENT.sub("", line) if "%" in line else line


def field_of(line: str, number: int) -> Field | None:
    """Return the field that `line`, without its comment, consists of; None for music, such as `A:|`."""
    match = _FIELD.match(line) if ":" in line[:6] else None
    return Field(match[1], match[2].strip(), number, match.start(1) + 1) if match else None


# The number of digits is bounded; the rest of longer numbers is an unknown token.
LENGTH = r"\d{0,4}(?:/\d{0,4}){0,9}"
NOTE = re.compile(rf"(\^\^?|__?|=|)([A-Ga-g])([,']*)({LENGTH})")
REST = re.compile(rf"([zxyZX])({LENGTH})")

_KINDS = {
    "note": rf"(?:\^\^?|__?|=)?[A-Ga-g][,']*{LENGTH}",
    "space": r"[ \t`$]+",
    # an invisible bar line, `[|]`, is a token of its own if another bar line follows
    "bar": r"\[\|\](?=[|:\[])|\.?\[?[|:]+(?:\](?![A-Za-z^_=]))?[|:]*(?:\d{1,2}(?:[,\-.]\d{1,2}){0,9}\.?)?",
    "text": r'"[^"]*"',
    "rest": rf"[zxyZX]{LENGTH}",
    "tuplet": r"\(\d(?::\d{0,3}){0,2}",
    "broken": r">{1,3}|<{1,3}",
    "tie": r"\.?-",
    "inline": r"\[[A-Za-z]:[^\]]*\]",
    "ending": r"\[(?:\d{1,2}(?:[,\-.]\d{1,2}){0,9}\.?)",
    "grace": r"\{[^}]*\}",
    "open": r"\[",
    "close": rf"\]{LENGTH}",
    "slur": r"\.?\(|\)",
    "decoration": r"![^!|\s]*!|\+[^+|\s]*\+|[~.H-Wh-w]",
    "continuation": r"\\[ \t]*$",
    "overlay": r"&",
    "unknown": r"\d+|.",
}
_TOKEN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS.items()))


def tokens(line: str, number: int, column: int = 1) -> Iterator[Token]:
    """Yield the tokens of a line of music without its comment, except blanks."""
    for match in _TOKEN.finditer(line):
        kind = match.lastgroup or "unknown"
        if kind != "space":
            yield Token(kind, match[0], number, match.start() + column)
