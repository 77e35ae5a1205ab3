"""How many notes sound at once in the training pieces: the default of --max-notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from composer.api import GenerationContext
from composer_pianoroll.controls import PianorollControls
from composer_pianoroll.frames import Roll
from composer_pianoroll.full_chords import FULL_NOTES, asked_for
from composer_pianoroll.rules import Rules

_STEPS = 0.98
"""Share of a piece's steps with sound that count, since a final chord often has more notes than all others."""
_PIECES = 0.75
"""Share of the pieces that count. Of the bundled chorales, 11 % have instruments beside the four voices."""


def piece_maximum(roll: Roll) -> int:
    """Return the greatest number of notes that sound at once in a piece, in all but the fullest few steps."""
    changes = Counter[int]()
    for note in roll.notes:
        changes[note.start] += 1
        changes[note.start + note.length] -= 1
    steps, sounding, before = Counter[int](), 0, 0
    for step in sorted(changes):
        steps[sounding] += step - before
        sounding, before = sounding + changes[step], step
    del steps[0]
    return _least(steps, _STEPS)


def usual_maximum(maxima: Iterable[int]) -> int | None:
    """Return how many notes most pieces have at once at most, given the maximum of each; None without pieces."""
    return _least(Counter(maxima), _PIECES) or None


def _least(counts: Counter[int], share: float) -> int:
    """Return the least number that is not exceeded by this share of what was counted; 0 if there is nothing."""
    total, below = sum(counts.values()), 0
    for number in sorted(counts):
        below += counts[number]
        if below >= share * total:
            return number
    return 0


def as_maximum(value: object) -> int | None:
    """Return a maximum that was read from a file; None if it is unknown. Raises ValueError for anything else."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise ValueError(f"the maximum number of notes at once is {value!r}, not a whole number above 0")


def with_usual_maximum(
    controls: PianorollControls, maximum: int | None, context: GenerationContext, rules: int
) -> PianorollControls:
    """Return `controls` with the `maximum` of the training data, None if it is unknown, unless they say another.

    It also gives way to exact numbers of notes, a density, more notes by --min-notes, the notes of the chords that are
    asked for, and as many as the last frame of the primer has. Pieces by earlier `rules` have no maximum.
    """
    if maximum is None or rules < Rules.TEXTURE:
        return controls
    if controls.max_notes or controls.onsets or controls.sustained or controls.density:
        return controls
    least = FULL_NOTES if asked_for(controls.chords, controls.phrase_ends) else 0
    primer = len(context.primer[-1]) if context.primer else 0
    return replace(controls, max_notes=max(maximum, controls.min_notes, least, primer))
