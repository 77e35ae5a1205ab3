"""Where the steps of a piece are: the text of each, or its place in time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from composer.analysis.surprisal import step_onsets
from composer.api import Representation, Step


def step_texts(representation: Representation, steps: Sequence[Step]) -> tuple[list[str], str]:
    """Return the text that each step decodes to, and the text after the last."""
    decoder = representation.decoder()
    texts = ["".join(event for event in decoder.push(step) if isinstance(event, str)) for step in steps]
    rest = "".join(event for event in decoder.finish() if isinstance(event, str))
    if not any(texts) and rest:  # the decoder waits for the end; a step that is a word or a letter decodes by itself
        alone = [representation.text(representation.decode([step])) for step in steps]
        if rest.startswith(whole := "".join(alone)):
            texts, rest = alone, rest.removeprefix(whole)
    return texts, rest


class Timeline(NamedTuple):
    """Onsets in beats, ascending, and a value of each step."""

    onsets: Sequence[Fraction]
    values: Sequence[float]

    @classmethod
    def of(cls, representation: Representation, steps: Sequence[Step], values: Sequence[float]) -> Timeline:
        """Return the steps in order of time. Raises Unsupported if it is not known."""
        ordered = sorted(zip(step_onsets(representation, steps), values, strict=True))
        return cls([onset for onset, _ in ordered], [value for _, value in ordered])

    def during(self, begin: Fraction, end: Fraction) -> Sequence[float]:
        """Return the values of the steps that begin in this time; if there are none, of the last one before."""
        first, stop = bisect_left(self.onsets, begin), bisect_left(self.onsets, end)
        return self.values[first:stop] if first < stop else self.values[max(first - 1, 0) : max(first, 1)]
