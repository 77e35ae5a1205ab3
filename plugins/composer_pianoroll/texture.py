"""How many notes sound at once in the training pieces: the defaults of --max-notes and --min-notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from composer.api import GenerationContext
from composer_pianoroll.controls import PianorollControls
from composer_pianoroll.frames import Layout, Roll
from composer_pianoroll.full_chords import ANY, FULL, FULL_NOTES, asked_for, is_thin
from composer_pianoroll.rules import Rules
from composer_pianoroll.shares import RARE

_STEPS = 0.98
"""Share of a piece's steps with sound that count, since a final chord often has more notes than all others."""
_PIECES = 0.75
"""Share of the pieces that count. Of the bundled chorales, 11 % have instruments beside the four voices."""

_FULL_THROUGHOUT = 0.1
"""Share of thin chords on the beats of the training data below which all chords after a thin primer are full.

It is 0.04 in Bach's chorales, and 0.25 in Palestrina's polyphony, whose voices enter one after the other."""


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
    return replace(controls, max_notes=max(maximum, controls.fewest_notes, least, primer))


def with_usual_minimum(
    controls: PianorollControls, layout: Layout, thin: float | None, context: GenerationContext, rules: int
) -> PianorollControls:
    """Return `controls` with the notes that sound at least after a primer of thin chords, unless they say a number.

    A model goes on as its primer begins. One of full chords, whose share of `thin` ones is rare, has hardly seen a
    melody alone: it would fall silent for bars. So it gets the notes of full chords, or at least one where thin chords
    are less rare or --chords does not want full ones. There are no more than the other limits allow, none if the share
    is unknown or there are exact numbers of notes or a density. Pieces by earlier `rules` have no minimum.
    """
    if rules < Rules.THIN_PRIMERS or thin is None or thin >= RARE or not has_thin_chords(layout, context.primer):
        return controls
    if controls.min_notes is not None or controls.is_counted:
        return controls
    is_full = controls.chords == FULL or (thin < _FULL_THROUGHOUT and controls.chords != ANY)
    pitches = len(controls.pitches(range(layout.lowest, layout.highest + 1)))
    return replace(controls, min_notes=min(FULL_NOTES if is_full else 1, controls.most_notes or pitches, pitches))


def has_thin_chords(layout: Layout, primer: Sequence[Sequence[int]]) -> bool:
    """Return whether most steps of a primer, which is frames, have thin chords or silence; not if it is empty."""
    steps = [(frame, substep) for frame in primer for substep in range(layout.stack)]
    return 2 * sum(is_thin(layout, *step) for step in steps) > len(steps)
