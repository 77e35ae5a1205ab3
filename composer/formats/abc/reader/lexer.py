"""Split ABC text into tunes, lines and tokens, with their line and column numbers (from 1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from composer.api import ReadError
from composer.api.limits import limit_hint, raised
from composer.formats.abc.provenance import is_provenance
from composer.formats.limits import check_count

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
    """The lines of one tune in a file; `first` is the number of the first one.

    `header` has the lines of the file's header, which begins with the file's first line. `lost` counts the lines of
    music after a blank line, which are in no tune.
    """

    lines: tuple[str, ...]
    first: int = 1
    header: tuple[str, ...] = ()
    lost: int = 0

    @property
    def text(self) -> str:
        """The text of the tune, with a line feed after each line."""
        return "".join(f"{line}\n" for line in self.lines)


MAX_CHARACTERS, MAX_LINES = 32 * 1024 * 1024, 2_000_000
"""Of a file."""
MAX_TUNE_CHARACTERS, MAX_LINE_CHARACTERS = 200_000, 20_000
"""Of a tune and of a line, provenance not counted: a line of music has about 80."""


def check_tune(tune: TuneText) -> None:
    """Raise ReadError for a tune that would take too long to parse."""
    sizes = [len(line) for line in tune.lines if not is_provenance(line)]
    longest = max(sizes, default=0)
    for what, count, limit in (
        (f"a line of more than {raised(MAX_LINE_CHARACTERS):,} characters", longest, MAX_LINE_CHARACTERS),
        (f"more than {raised(MAX_TUNE_CHARACTERS):,} characters", sum(sizes), MAX_TUNE_CHARACTERS),
    ):
        if count > raised(limit):
            hint = limit_hint("split it into several tunes", count, limit)
            raise ReadError(f"the tune has {what}: {hint}", hint)


def split_tunes(text: str, name: str = "the text") -> list[TuneText]:
    """Return the tunes of a file: each starts with an `X:` line and ends at a blank line or the next `X:`.

    In a text without any `X:`, each block of lines with a `K:` line is a tune, or else the first block. Text between
    tunes is skipped. Fields and directives before the first tune, up to a blank line, apply to all tunes.
    Raises ReadError, with the `name` of the text, if it is too long.
    """
    check_count(len(text), MAX_CHARACTERS, "characters of ABC", name)
    check_count(text.count("\n"), MAX_LINES, "lines of ABC", name)
    # splitlines would also split at other characters
    lines = re.split(r"\r\n?|\n", text.removeprefix("\ufeff"))
    words = block_lines(lines)
    starts = [number for number, line in enumerate(lines) if line.startswith("X:") and number not in words]
    header = file_header(lines[: starts[0]]) if starts else ()
    starts = starts or _unnumbered(lines, words)
    stops = [*starts[1:], len(lines)]
    return [_tune(lines, words, start, stop, header) for start, stop in zip(starts, stops, strict=False)]


def _tune(lines: list[str], words: set[int], start: int, stop: int, header: tuple[str, ...]) -> TuneText:
    blank = (number for number in range(start, stop) if not lines[number].strip() and number not in words)
    end = next(blank, stop)
    lost = sum(number not in words and is_music(lines[number]) for number in range(end, stop))
    return TuneText(tuple(lines[start:end]), start + 1, header, lost)


def file_header(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the header of a file, given its lines before the first `X:` line; empty if they are other text."""
    block = []
    for line in lines:
        if line.strip():
            block.append(line)
        elif block:
            break
    is_header = all(line.startswith("%") or re.match(r"[A-Za-z]:", line) for line in block)
    is_tune = any(line.startswith(("K:", "T:")) for line in block)
    return tuple(block) if is_header and not is_tune else ()


def _unnumbered(lines: Sequence[str], words: set[int]) -> list[int]:
    """Return where the blocks of lines begin that are tunes without `X:`: those with a `K:` line, else the first."""
    blocks: list[list[int]] = [[]]
    for number, line in enumerate(lines):
        if line.strip() or number in words:
            blocks[-1].append(number)
        elif blocks[-1]:
            blocks.append([])
    # comments alone are no tune
    plain = [[number for number in block if not lines[number].startswith("%")] for block in blocks]
    firsts = [block[0] for block in plain if block]
    keyed = [block[0] for block in plain if any(lines[number].startswith("K:") for number in block)]
    return keyed or firsts[:1]


_MUSIC = frozenset({"note", "bar", "rest", "tie", "broken", "tuplet", "ending", "text", "inline", "grace", "slur"})
_MUSIC |= {"open", "close", "overlay"}


def is_music(line: str) -> bool:
    """Return whether `line` is clearly music: notes and bar lines, and hardly anything else."""
    if "|" not in line or len(line) > MAX_LINE_CHARACTERS:
        return False
    line = strip_comment(line).rstrip()
    if field_of(line, 1) is not None:
        return False
    kinds = [token.kind for token in tokens(line, 1)]
    notes, rests = kinds.count("note"), kinds.count("rest")
    music = sum(kind in _MUSIC for kind in kinds)
    if line.count("|") > 1 and notes >= 4:
        return music >= 0.9 * len(kinds)
    # a short line must look like a whole bar, since words may be made of the letters of notes
    return notes + rests > 0 and kinds[-1] == "bar" and music == len(kinds)


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
LENGTH = r"\d{0,9}(?:/\d{0,4}){0,9}"
NOTE = re.compile(rf"(\^\^?|__?|=|)([A-Ga-g])([,']*)({LENGTH})")
REST = re.compile(rf"([zxyZX])({LENGTH})")

# A decoration of several words. Music between two `!`, once the sign of a line's end, has no such letters in a row.
_WORDS = r"(?=[^!+|\s])(?:[^!+|\n]*(?:[i-tw-y][a-z]|[a-z][i-tw-y])[^!+|\n]*|D\.? ?[CS]\.?)"

_KINDS = {
    "note": rf"(?:\^\^?|__?|=)?[A-Ga-g][,']*{LENGTH}",
    "space": r"[ \t`$]+",
    # an invisible bar line, `[|]`, is a token of its own if another bar line follows
    "bar": r"\[\|\](?=[|:\[])|\.?\[?[|:]+(?:\](?![A-Za-z^_=]))?[|:]*(?:\d{1,2}(?:[,\-.]\d{1,2}){0,9}\.?)?",
    "text": r'"[^"]*"',
    "rest": rf"[zxyZX]{LENGTH}",
    "tuplet": r"\((?:\d{1,2}(?=:)|\d)(?::\d{0,3}){0,2}",
    "broken": r">{1,3}|<{1,3}",
    "tie": r"\.?-",
    "inline": r"\[[A-Za-z]:[^\]]*\]",
    "ending": r"\[(?:\d{1,2}(?:[,\-.]\d{1,2}){0,9}\.?)",
    "grace": r"\{[^}]*\}",
    "open": r"\[",
    "close": rf"\]{LENGTH}",
    "overlay": r"\(&|&\)|&+",
    "slur": r"\.?\(|\)",
    "decoration": rf"![^!|\s]*!|!{_WORDS}!|\+[^+|\s]*\+|\+{_WORDS}\+|[~.H-Wh-w]",
    "continuation": r"\\[ \t]*$",
    "unknown": r"\d+|.",
}
_TOKEN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS.items()))


def tokens(line: str, number: int, column: int = 1) -> Iterator[Token]:
    """Yield the tokens of a line of music without its comment, except blanks."""
    for match in _TOKEN.finditer(line):
        kind = match.lastgroup or "unknown"
        if kind != "space":
            yield Token(kind, match[0], number, match.start() + column)
