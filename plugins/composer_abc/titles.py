"""Titles in the letters that a model knows, so that a rare one does not exclude a tune."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

LETTERS_REPLACED = "letters in titles replaced"

_TITLE = re.compile(r"^T:(.*)(\n|\Z)", re.MULTILINE)


def with_known_titles(text: str, known: Collection[str]) -> str:
    """Return ABC `text` with titles of `known` characters; a title without any is left out."""

    def replaced(found: re.Match[str]) -> str:
        if not _unknown(found[1], known):
            return found[0]
        title = " ".join("".join(_replacement(character, known) for character in found[1]).split())
        return f"T:{title}{found[2]}" if title else ""

    return _TITLE.sub(replaced, text)


def count_unknown(text: str, known: Collection[str]) -> int:
    """Return how many characters of the titles in ABC `text` are not `known`."""
    return sum(_unknown(found[1], known) for found in _TITLE.finditer(text))


def count_accented(title: str) -> int:
    """Return how many letters of a title the dialect writes without their accents, or leaves out."""
    return sum(not character.isascii() for character in title)


def _unknown(title: str, known: Collection[str]) -> int:
    return sum(character not in known for character in title)


def _replacement(character: str, known: Collection[str]) -> str:
    """Return the letters of `character` without accents, or the letter in the other case; empty if unknown too."""
    candidates = (character, unicodedata.normalize("NFKD", character), character.swapcase())
    found = ("".join(each for each in candidate if each in known) for candidate in candidates)
    return next(filter(None, found), "")
