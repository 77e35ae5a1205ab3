"""ABC text in other keys, as it stands: notes, chord symbols and keys move, and every other character stays.

`transpose` moves what a tune means and writes it anew; this is for text whose ways of writing are to be kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from composer.formats import chords
from composer.formats.abc.keys import LETTERS, Signature, key_name, parse_key, step_name
from composer.formats.abc.lexer import NOTE, Token, field_of, strip_comment, tokens
from composer.formats.abc.transpose import MOST_SIGNS, Move

__all__ = ["retold"]

_SIGNS = {2: "^^", 1: "^", 0: "=", -1: "_", -2: "__"}
_ALTERS = {sign: alter for alter, sign in _SIGNS.items()}
_TONIC = re.compile(r"[A-G][#b♯♭]?")
_KEY_LINE = re.compile(r"^[ \t]*K[ \t]*:(.*)$", re.MULTILINE)
_CHORD = re.compile(r"(?P<before> *\(?)(?P<root>[A-G][#b]?)(?P<kind>[^/]*)(?:/(?P<bass>[A-Ga-g])(?P<sign>[#+b-]?))?")


def retold(text: str) -> Iterator[tuple[str, str]]:
    """The tune `text` in all other keys of its mode with few signs: the text and the name of the key it begins in.

    There is none where the key is not one of the plain ones, and none in which a note or a key cannot be written.
    """
    line = _KEY_LINE.search(text)
    key = parse_key(strip_comment(line[1])) if line else None
    if key is None or not key.plain:
        return
    for sharps in range(-MOST_SIGNS, MOST_SIGNS + 1):
        if sharps != key.sharps:
            telling = _Telling(key, sharps - key.sharps)
            try:
                moved = "\n".join(map(telling.line, text.split("\n")))
            except _UnwritableError:
                continue
            yield moved, key_name(sharps, key.mode)


class _UnwritableError(Exception):
    """There is no way to write this in the new key."""


class _Telling:
    """A text on its way into a key so many `fifths` away, line by line."""

    def __init__(self, key: Signature, fifths: int) -> None:
        self.fifths = fifths
        self.enter(key)

    def enter(self, key: Signature) -> str:
        """From here on, the text is in `key`. The tonic of the key it is moved to."""
        sharps = key.sharps + self.fifths
        if not key.plain or abs(sharps) > MOST_SIGNS + 1:
            raise _UnwritableError
        after = parse_key(key_name(sharps, key.mode))
        assert after is not None
        self.move = Move(key, after, (4 * self.fifths + 3) % 7 - 3)
        return after.tonic

    def line(self, line: str) -> str:
        """A line of the text."""
        body = strip_comment(line)
        field = field_of(body, 1)
        if field is None:
            body = self.music(body)
        elif field.name == "K":
            body = self.key(body)
        return body + line[len(strip_comment(line)) :]

    def key(self, text: str) -> str:
        """`text`, a field that names a key, with another tonic; one that names none stays."""
        before, colon, value = text.partition(":")
        key = parse_key(value.rstrip("]"))
        if key is None:
            return text
        tonic = self.enter(key)
        if not _TONIC.match(value.strip()):  # bagpipes, or no key at all
            raise _UnwritableError
        return before + colon + _TONIC.sub(tonic, value, count=1)

    def music(self, line: str) -> str:
        """A line of music."""
        told, at = [], 0
        for token in tokens(line, 1, 0):
            told += [line[at : token.column], self.token(token)]
            at = token.column + len(token.text)
        return "".join([*told, line[at:]])

    def token(self, token: Token) -> str:
        """A token of a line of music."""
        if token.kind in {"note", "grace"}:
            return NOTE.sub(self.note, token.text)
        if token.kind == "text":
            return f'"{self.chord(token.text[1:-1])}"'
        return self.key(token.text) if token.text.startswith("[K:") else token.text

    def note(self, match: re.Match[str]) -> str:
        """A note; its sign, where it has one, is written in the new key too."""
        sign, letter, octaves, length = match.groups()
        octave = (6 if letter.islower() else 5) + octaves.count("'") - octaves.count(",")
        step = 7 * octave + LETTERS.index(letter.upper())
        moved, alter = self.move.tone((step, _ALTERS.get(sign, 0)))
        if not sign:
            return step_name(moved) + length
        if alter not in _SIGNS:
            raise _UnwritableError
        return _SIGNS[alter] + step_name(moved) + length

    def chord(self, text: str) -> str:
        """A chord symbol, spelt as before but for its notes; one that is no chord stays as it is."""
        match = _CHORD.fullmatch(text)
        if match is None or chords.parse(text) is None:
            return text
        told = match["before"] + self.move.name(match["root"]) + match["kind"]
        return f"{told}/{self.bass(match['bass'], match['sign'])}" if match["bass"] else told

    def bass(self, letter: str, sign: str) -> str:
        """The bass of a chord; where its letter is small, `+` is a sharp, as in the Nottingham collection."""
        moved = self.move.name(letter.upper() + sign.replace("+", "#").replace("-", "b"))
        return moved.lower().replace("#", "+") if letter.islower() else moved
