"""Guards for the chords of generated rolls, as the training data suggests: at phrase ends, on beats, and the last."""

from __future__ import annotations

from fractions import Fraction

from composer.api import Constraint
from composer.toolkit.representations.bar_plan import BarPlan
from composer_pianoroll.controls import PianorollControls
from composer_pianoroll.frames import Layout
from composer_pianoroll.full_chords import ANY, FULL_NOTES, FullChordGuard, thin_weight
from composer_pianoroll.last_chord import LastChordConstraint, length_in_piece
from composer_pianoroll.phrase_ends import USUAL, PhraseEndGuard, are_triads, ends_of, steps_before
from composer_pianoroll.rules import Rules
from composer_pianoroll.training_state import Measured, first_beat


def with_preferences(
    planned: Constraint,
    layout: Layout,
    steps: int,
    plan: BarPlan,
    controls: PianorollControls,
    rules: int,
    measured: Measured,
    *,
    is_tune: bool,
) -> Constraint:
    """Return the rolls of `planned`, which follow `plan` with `steps` per beat, with guards for their chords.

    These are the chords at the ends of phrases and, unless it `is_tune` that is filled in, those before them, those on
    beats and the last one.
    """
    beat = Fraction(steps)
    ends = ends_of(plan, beat)
    if rules >= Rules.ADAPTED_PHRASES:
        ends = sorted({*ends})  # two ends may be in the same step
    if ends and are_triads(controls.phrase_ends, rules, controls.max_notes, measured.triads):
        knows_approaches = rules >= Rules.APPROACHES and not is_tune
        has_dominants = knows_approaches and (measured.dominants or 0) >= USUAL
        usual, before = measured.approaches if knows_approaches else None, steps_before(ends, steps)
        planned = PhraseEndGuard(planned, layout, ends, usual, before if has_dominants else ())
    choice = controls.chords or (ANY if is_tune else "")
    has_room = not controls.is_counted and not 0 < controls.max_notes < FULL_NOTES
    if weight := thin_weight(choice, rules, measured.thin_chords, has_room=has_room):
        planned = FullChordGuard(planned, layout, first_beat(plan, beat), steps, weight)
    if measured.last_chord and rules >= Rules.LAST_CHORD and not (is_tune or controls.is_counted):
        length = plan.steps(beat / layout.stack) * layout.stack  # of whole frames
        last = length_in_piece(measured.last_chord, int(plan.in_steps(beat)[0]), length)
        planned = LastChordConstraint(planned, layout, length, last)
    return planned
