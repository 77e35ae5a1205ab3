"""ABC text cut into tunes, lines and tokens, each with its line and column (both counted from 1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Diagnostic", "Field", "Token", "TuneText", "block_lines", "field_of", "split_tunes", "tokens"]


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """Something wrong at a place. `kind` is a short phrase that counts well, `message` says what exactly."""

    line: int
    column: int
    kind: str
    message: str = ""

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message or self.kind}"


class Token(NamedTuple):
    """A piece of a music line. `kind` is the name of a group in the table below, or `unknown`."""

    kind: str
    text: str
    line: int
    column: int


class Field(NamedTuple):
    """An information field, on a line of its own or inside brackets: `K:G` has the name `K` and the value `G`."""

    name: str
    value: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class TuneText:
    """The lines of one tune as they stand in a file, the first of which is the file's line number `first`."""

    lines: tuple[str, ...]
    first: int = 1

    @property
    def text(self) -> str:
        """The tune as text, with a line feed after each line."""
        return "".join(f"{line}\n" for line in self.lines)


def split_tunes(text: str) -> list[TuneText]:
    """The tunes of a file: each begins with an `X:` line and ends at a blank line or the next `X:`.

    A text without any `X:` is one tune, its first lines up to a blank line being the tune. What stands between tunes
    is left out.
    """
    # Not at the other characters that Python takes for line ends.
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
    """The places of lines inside blocks such as `%%begintext` to `%%endtext`: words, pictures, programs, no music.

    One that never ends is none.
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
    """`line` without what follows a `%`."""
    return _COMMENT.sub("", line) if "%" in line else line


def field_of(line: str, number: int) -> Field | None:
    """The field that the whole of `line`, a line without its comment, is; None for a line of music.

    A letter and a colon that go on as a bar line (`A:|`) are music.
    """
    match = _FIELD.match(line) if ":" in line[:6] else None
    return Field(match[1], match[2].strip(), number, match.start(1) + 1) if match else None


# Digits are bounded, since numbers of thousands of them are errors in themselves: what is over is unknown.
LENGTH = r"\d{0,4}(?:/\d{0,4}){0,9}"
NOTE = re.compile(rf"(\^\^?|__?|=|)([A-Ga-g])([,']*)({LENGTH})")
REST = re.compile(rf"([zxyZX])({LENGTH})")

_KINDS = {
    "note": rf"(?:\^\^?|__?|=)?[A-Ga-g][,']*{LENGTH}",
    "space": r"[ \t`$]+",
    # An invisible bar line, `[|]`, is one of its own where another one follows.
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
    """The tokens of `line`, a line of music without its comment; blanks are left out."""
    for match in _TOKEN.finditer(line):
        kind = match.lastgroup or "unknown"
        if kind != "space":
            yield Token(kind, match[0], number, match.start() + column)
