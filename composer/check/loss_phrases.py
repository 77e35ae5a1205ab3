"""Phrases for what was lost, such as `notes left out`, in the number that their count requires."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LEFT_OUT = " left out"


def counted(count: int, phrase: str) -> str:
    """Return `count` and the phrase: `1 note left out`, `2,000 notes left out`."""
    return f"{count:,} {in_number(count, phrase)}"


def summary(losses: Mapping[str, int]) -> str:
    """Return all losses in one line: `1 note, 2 slurs left out; 3 chords shortened`."""
    phrases = [counted(count, phrase) for phrase, count in losses.items()]
    omitted = [phrase.removesuffix(_LEFT_OUT) for phrase in phrases if phrase.endswith(_LEFT_OUT)]
    others = [phrase for phrase in phrases if not phrase.endswith(_LEFT_OUT)]
    return "; ".join([*([", ".join(omitted) + _LEFT_OUT] if omitted else []), *others])


def in_number(count: int, phrase: str) -> str:
    """Return a phrase, given in the plural, in the number that `count` requires.

    The noun is the first plural that no preposition comes before. The verb of its relative clause agrees with it.
    """
    match = _NOUN.match(phrase)
    if count != 1 or match is None:
        return phrase
    clause = _VERB.sub(lambda verb: _SINGULAR_VERBS[verb[0]], phrase[match.end() :])
    return f"{match['before']}{_singular(match['noun'])}{clause}"


_NOUN = re.compile(
    r"(?P<before>(?:(?!(?:of|in|between|across|without|with|to|from|that)\b)[\w-]+ )*?)(?P<noun>[a-z]+(?<![su])s)\b"
)
_SINGULAR_VERBS = {"are": "is", "were": "was", "do": "does", "have": "has"}
_VERB = re.compile(r"(?<=that )(?:are|were|do|have)\b|(?<=but )(?:are|were|do|have)\b")
_SINGULAR_ENDINGS = ((re.compile(r"(?<=[a-z]{2})ies$"), "y"), (re.compile(r"(?<=ch|sh|ss)es$|(?<=x)es$|s$"), ""))


def _singular(noun: str) -> str:
    for ending, replacement in _SINGULAR_ENDINGS:
        if ending.search(noun):
            return ending.sub(replacement, noun)
    return noun
