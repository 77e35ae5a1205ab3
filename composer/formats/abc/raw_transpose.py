"""Transpose ABC text in place: notes, chord symbols and keys change, and every other character stays.

Only the lines from the first `K:` on are music, except for blocks such as `%%begintext`. Tunes with macros (`m:`),
symbol lines (`s:`) or microtones (`^3/2c`) are skipped.

`dialect.transpose` rewrites tunes in the dialect instead; this keeps the text's own way of writing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from composer.formats.abc.dialect.transpose import MAX_SIGNS, KeyChange, signs
from composer.formats.abc.reader.lexer import NOTE, Token, block_lines, field_of, strip_comment, tokens
from composer.formats.abc.reader.transposition import transpose_name
from composer.music import chords
from composer.music.keys import LETTERS, Signature, key_name, parse_key, step_name

__all__ = ["text_transpositions"]

_SIGNS = {2: "^^", 1: "^", 0: "=", -1: "_", -2: "__"}
_ALTERS = {sign: alter for alter, sign in _SIGNS.items()}
_TONIC = re.compile(r"[A-G][#b♯♭]?")
_MICROTONE = re.compile(r"[\^_]\d*/")
_CHORD = re.compile(
    r"(?P<before>\s*\(?)(?P<root>[A-G][#b♯♭]?)(?P<kind>(?:[^/\s]|(?<=6)/9)*?)"
    r"(?:/(?P<bass>[A-Ga-g])(?P<sign>[#b+♯♭-]?))?(?P<after>\)?\s*)"
)
_PRINTED = str.maketrans("#b", "♯♭")
_WORDS = {"text", "decoration", "inline"}


def text_transpositions(text: str, only: str = "") -> Iterator[tuple[str, str]]:
    """Yield the tune `text` in other keys of its mode, with the key's name.

    With `only`, yield it in the key that has as many sharps or flats as this one. Yields nothing for keys with explicit
    accidentals, and skips keys in which something cannot be written.
    """
    lines = text.split("\n")
    words = block_lines(lines)
    fields = {at: field_of(strip_comment(line), 1) for at, line in enumerate(lines) if at not in words}
    named = {at: field for at, field in fields.items() if field}
    first = next((at for at, field in named.items() if field.name == "K"), len(lines))
    key = parse_key(named[first].value) if first in named else None
    if key is None or not key.plain or any(field.name in "ms" for field in named.values()):
        return
    for sharps in signs(only):
        if sharps != key.sharps:
            moving = _TextTransposer(key, sharps - key.sharps)
            try:
                moved = [moving.line(line) if at in fields else line for at, line in enumerate(lines[first:], first)]
            except _UnwritableError:
                continue
            yield "\n".join([*lines[:first], *moved]), key_name(sharps, key.mode)


class _UnwritableError(Exception):
    """Something cannot be written in the new key."""


class _TextTransposer:
    """Transposes a text by a number of `fifths`, line by line."""

    def __init__(self, key: Signature, fifths: int) -> None:
        self.fifths = fifths
        self.enter(key)

    def enter(self, key: Signature) -> str:
        """Continue in `key`, and return the tonic of the new key."""
        sharps = key.sharps + self.fifths
        if not key.plain or abs(sharps) > MAX_SIGNS + 1:
            raise _UnwritableError
        after = parse_key(key_name(sharps, key.mode))
        assert after is not None
        self.key_change = KeyChange(key, after, (4 * self.fifths + 3) % 7 - 3)
        return after.tonic

    def line(self, line: str) -> str:
        body = strip_comment(line)
        field = field_of(body, 1)
        if field is None:
            body = self.music(body)
        elif field.name == "K":
            body = self.key(body)
        return body + line[len(strip_comment(line)) :]

    def key(self, text: str) -> str:
        """Transpose the tonic of a field that names a key; other fields stay as they are."""
        before, colon, value = text.partition(":")
        key = parse_key(value.rstrip("]"))
        if key is None:
            return text
        tonic = self.enter(key)
        if not _TONIC.match(value.strip()):  # bagpipes, or no key
            raise _UnwritableError
        return before + colon + _TONIC.sub(tonic, value, count=1)

    def music(self, line: str) -> str:
        written, at, found = [], 0, list(tokens(line, 1, 0))
        if _MICROTONE.search("".join(each.text for each in found if each.kind not in _WORDS)):
            raise _UnwritableError
        for token in found:
            written += [line[at : token.column], self.token(token)]
            at = token.column + len(token.text)
        return "".join([*written, line[at:]])

    def token(self, token: Token) -> str:
        if token.kind in {"note", "grace"}:
            return NOTE.sub(self.note, token.text)
        if token.kind == "text":
            return f'"{self.chord(token.text[1:-1])}"'
        if token.text.startswith("[m:"):
            raise _UnwritableError
        return self.key(token.text) if token.text.startswith("[K:") else token.text

    def note(self, match: re.Match[str]) -> str:
        """Transpose a note; an explicit accidental stays explicit."""
        sign, letter, octaves, length = match.groups()
        octave = (6 if letter.islower() else 5) + octaves.count("'") - octaves.count(",")
        step = 7 * octave + LETTERS.index(letter.upper())
        moved, alter = self.key_change.tone((step, _ALTERS.get(sign, 0)))
        if not sign:
            return step_name(moved) + length
        if alter not in _SIGNS:
            raise _UnwritableError
        return _SIGNS[alter] + step_name(moved) + length

    def chord(self, text: str) -> str:
        """Transpose the root and bass of a chord symbol; other text stays as it is."""
        match, chord = _CHORD.fullmatch(text), chords.parse(text)
        if chord is None:
            return text
        signs = _PRINTED if {"♯", "♭"} & set(text) else {}
        root, bass = (transpose_name(name, self.key_change.tone) for name in (chord.root, chord.bass))
        if match is None:  # such as C7(b9, #11)
            return replace(chord, root=root, bass=bass).symbol
        symbol = match["before"] + root.translate(signs) + match["kind"]
        if match["bass"]:
            small = match["bass"].islower()  # `+` is then a sharp, as in the Nottingham collection
            low = bass.translate(signs)
            symbol += "/" + (low.lower().replace("#", "+") if small else low)
        symbol += match["after"]
        if chords.parse(symbol) != replace(chord, root=root, bass=bass):  # such as F##dim
            raise _UnwritableError
        return symbol
