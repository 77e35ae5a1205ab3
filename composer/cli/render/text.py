"""Plurals, lists of names and durations, as text, and lines that fit a terminal."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from functools import cache

MEANINGFUL_SECONDS, MEANINGFUL_SHARE = 3.0, 0.02
"""How long work must have lasted, and how much of it must be done, before the time left can be estimated."""

_UNITS = r"""`[^`]*` | (?<!\w)'[^']*'(?!\w) | "[^"]*" | (?<![\w-])-(?:-[\w-]+|[a-zA-Z])[ ][^\s-]"""
_INDENT = re.compile(r"\s*[\d,]+  |\s*")


SHOWN_BEGIN, SHOWN_END = 150, 50
"""How many characters of a name that is too long are shown."""
_LONG_NAME = re.compile(r"""(?<!\w)'[^']{400,}'(?!\w)|"[^"]{400,}"|\S{400,}""")


@cache
def _word() -> re.Pattern[str]:
    """Return the pattern of a space and a word.

    An option with its value is one word, so is what is quoted, and so is a command to be pasted.
    """
    from composer.cli.command import COMMANDS

    command = rf"(?<![\w./-])composer[ ](?:{'|'.join(COMMANDS)})\b.*"
    return re.compile(rf"(\s*)((?:{_UNITS} | {command} | \S)+)", re.VERBOSE)


def count_noun(number: int, noun: str) -> str:
    """`1 piece`, `2,000 pieces`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def join_names(names: Sequence[str], word: str = "and") -> str:
    """`abc`, `abc and grid`, `abc, grid and pianoroll`."""
    return f" {word} ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def shorten_names(text: str) -> str:
    """Return `text` without the middle of names, and of what is quoted, that are too long to read on."""
    return _LONG_NAME.sub(lambda name: f"{name[0][:SHOWN_BEGIN]}...{name[0][-SHOWN_END:]}", text)


def wrap(text: str, width: int) -> list[str]:
    """Return text in lines of at most `width` columns, which begin at words; a word that is too long is left whole."""
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def wrap_prose(text: str, width: int) -> list[str]:
    """Return a line of prose in lines of at most `width` columns; quoted names and commands are not broken.

    A word that is longer than a line follows the others, as the terminal breaks it anyway. The lines after a number in
    a column are indented.
    """
    lines, column = [""], 0
    indent = " " * len(_INDENT.match(text)[0])  # type: ignore[index]
    for gap, word in _word().findall(text):
        if column + len(gap + word) <= width or len(indent + word) > width or not lines[-1].strip():
            lines[-1] += gap + word
            column = (column + len(gap + word) - 1) % width + 1
        else:
            lines.append(indent + word)
            column = len(lines[-1])
    return lines


def truncate(text: str, width: int) -> str:
    """Return text in at most `width` columns, with an ellipsis if it is cut."""
    return text if len(text) <= width else text[: width - 2].rstrip(" …") + " …"


def file_size(size: int) -> str:
    """`300 kB`, `1.9 MB`; `size` is in bytes."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(round(size / 1e3), 1)} kB"


def time_left(elapsed: float, done: float, left: float) -> str:
    """`40 s left`, after `elapsed` seconds for what is `done`; empty as long as an estimate means little."""
    if elapsed < MEANINGFUL_SECONDS or not done or done < MEANINGFUL_SHARE * (done + left):
        return ""
    return f"{duration(elapsed / done * left)} left"


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h 05 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
