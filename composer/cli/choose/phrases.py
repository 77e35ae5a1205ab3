"""Where the phrases of a piece end: ABC and text line by line, other music every four bars."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Protocol

from composer.analysis.surprisal import step_onsets
from composer.api import Representation, Step, Unsupported
from composer.cli.gen.default_candidates import score_of
from composer.music.bars import COMMON_TIME

BARS = 4
"""The bars of a phrase."""

_BAR_LINES = " \t\n|:]"
"""A phrase has more than these: the second bar line of `||` can follow a primer that ends with the first."""

_HEADER = re.compile(r"(?:.*\n)*?K:.*\n")


class PhraseEnd(Protocol):
    """Returns where the phrase that began at `start` ends in `steps`, None if it goes on."""

    def __call__(self, steps: Sequence[Step], start: int) -> int | None: ...


def phrase_end(representation: Representation, labels: Mapping[str, str]) -> PhraseEnd:
    """Return the function for pieces with these labels."""
    if representation.native in {"abc", "text"}:
        return lambda steps, start: _end_of_line(representation, steps, start)
    return _TimedPhrases(representation, labels).end


def header_of(text: str) -> str:
    """Return the header of a tune in ABC; empty for other text."""
    found = _HEADER.match(text)
    return found[0] if found else ""


def _end_of_line(representation: Representation, steps: Sequence[Step], start: int) -> int | None:
    """Return the end of a line of music or words once another one begins: the last line goes on to the end.

    Its line feed belongs to the next phrase, so that the bar line before it can still become the end of the piece.
    """
    text = representation.text(representation.decode(steps))
    line, feed, following = text.rpartition("\n")
    if not feed or not following or len(text) != len(steps):
        return None
    is_body = representation.native != "abc" or len(line) >= len(header_of(text)) > 0
    return len(line) if is_body and line[start:].strip(_BAR_LINES) else None


class _TimedPhrases:
    """Phrases of four bars, after a pickup if there is one."""

    def __init__(self, representation: Representation, labels: Mapping[str, str]) -> None:
        self._representation = representation
        empty = score_of(representation, (), labels)
        self._pickup = empty.pickup if empty is not None else Fraction(0)
        meters = empty.meters if empty is not None else ()
        self._length = BARS * (meters[0] if meters else COMMON_TIME).bar
        self._beats_per_step = Fraction(0)

    def end(self, steps: Sequence[Step], start: int) -> int | None:
        """Return where the phrase ends; None for silence, of which the length is unknown, too."""
        onsets = self._onsets(steps)
        if len(onsets) <= start:
            return None
        phrases = floor((onsets[start] - self._pickup) / self._length) + 1
        end = self._pickup + max(phrases, 1) * self._length
        return next((number for number in range(start + 1, len(onsets)) if onsets[number] >= end), None)

    def _onsets(self, steps: Sequence[Step]) -> Sequence[Fraction]:
        """Return the onset of each step and of the one after them, if it is known."""
        if self._beats_per_step:
            return [number * self._beats_per_step for number in range(len(steps) + 1)]
        try:
            onsets = step_onsets(self._representation, steps)
        except Unsupported:
            return ()
        if self._representation.times(steps) is None and len(onsets) > 1:
            self._beats_per_step = onsets[1]
        return onsets
