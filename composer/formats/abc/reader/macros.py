"""Macros (`m:` fields): `m:~G2={A}G{F}G` for one note, `m:~n2={o}n{m}n` for notes of any pitch."""

from __future__ import annotations

import re

from composer.music.keys import LETTERS, step_name

_QUOTED = re.compile(r'"[^"]*"|![^!]*!|\[[A-Za-z]:[^\]]*\]')
_NOTE = r"([A-Ga-g][,']{0,9})"

Macro = tuple[re.Pattern[str], str]
"""A pattern and its replacement; a pattern with a group has the note of a transposing macro there."""


def parse_macro(value: str) -> Macro | None:
    """Return the macro of an `m:` field, or None if it is not one."""
    target, equals, replacement = (part.strip() for part in value.partition("="))
    if not equals or not target or not replacement:
        return None
    pattern = re.escape(target)
    if re.search(r"n(?![a-z])", target):
        pattern = re.escape(target).replace("n", _NOTE, 1)
    # a macro for a note does not apply to a part of a longer note
    return re.compile(pattern + (r"(?![\d/,'])" if target[-1].isalnum() else "")), replacement


def expand_macros(line: str, macros: list[Macro]) -> str:
    """Return a line of music with its macros replaced, except in texts, decorations and inline fields."""
    for pattern, replacement in macros:
        parts, at = [], 0
        for quoted in _QUOTED.finditer(line):
            parts += [_expand(line[at : quoted.start()], pattern, replacement), quoted[0]]
            at = quoted.end()
        line = "".join([*parts, _expand(line[at:], pattern, replacement)])
    return line


def _expand(text: str, pattern: re.Pattern[str], replacement: str) -> str:
    if not pattern.groups:
        return pattern.sub(lambda match: replacement, text)
    return pattern.sub(lambda match: _around(match[1], replacement), text)


def _around(note: str, replacement: str) -> str:
    """Return the replacement with `n` as `note`, and the letters `h` to `z` as the notes as far from it."""
    octave = (6 if note[0].islower() else 5) + note.count("'") - note.count(",")
    step = 7 * octave + LETTERS.index(note[0].upper())
    return re.sub(r"[h-z]", lambda match: step_name(step + ord(match[0]) - ord("n")), replacement)
