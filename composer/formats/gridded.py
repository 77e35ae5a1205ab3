"""What representations of notes on a grid have in common: the parts that sound, the keys to learn in, what is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from composer.api import Part, Score
from composer.formats.quantise import Unfit

TRANSPOSITIONS = tuple(shift for shift in range(-5, 7) if shift)
"""The semitones by which a piece comes into each of the other keys."""

CONDITIONS = "labels that the model is told, such as meter,mode; there are meter, key and mode"
"""What the option `conditions` is for."""


def sounding_parts(score: Score) -> list[Part]:
    """The parts with notes that have a pitch. Raises Unfit where there is none."""
    parts = [part for part in score.parts if part.notes and not part.percussion]
    if not parts:
        raise Unfit("only drums" if any(part.notes for part in score.parts) else "no notes")
    return parts


def offgrid_of(chosen: str, *, opening: bool) -> str:
    """What becomes of notes off the grid: as the option says, but that an opening is never refused for them."""
    return "round" if opening and chosen == "refuse" else chosen


def losses_of(score: Score, kept: Iterable[Part], *others: Mapping[str, int]) -> dict[str, int]:
    """All that a piece made of the parts `kept` does not hold of `score`, with what was counted on the way."""
    pitched = sum(len(part.notes) for part in score.parts if not part.percussion)
    losses: dict[str, int] = {}
    for counted in (score.losses, *others):
        for phrase, count in counted.items():
            losses[phrase] = losses.get(phrase, 0) + count
    losses |= {
        "notes of other parts left out": pitched - sum(len(part.notes) for part in kept),
        "drum notes left out": sum(len(part.notes) for part in score.parts if part.percussion),
        "chord symbols left out": len(score.chords),
    }
    return {phrase: count for phrase, count in losses.items() if count}
