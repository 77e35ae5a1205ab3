"""Guards for the chords of generated rolls, as the training data suggests: at phrase ends, on beats, and the last."""

from __future__ import annotations

from fractions import Fraction

from composer.api import Constraint
from composer.toolkit.representations.bar_plan import BarPlan
from composer.toolkit.representations.note_controls import key_labels
from composer_pianoroll.controls import PianorollControls
from composer_pianoroll.frames import Layout
from composer_pianoroll.full_chords import (
    ANY,
    FULL_NOTES,
    FullChordGuard,
    check_most,
    check_pitches,
    has_full_chord,
    thin_weight,
)
from composer_pianoroll.last_chord import ClosingGuard, LastChordConstraint, length_in_piece, tonic_chord
from composer_pianoroll.phrase_ends import USUAL, PhraseEndGuard, are_triads, ends_of, has_triad, steps_before
from composer_pianoroll.rules import Rules
from composer_pianoroll.training_state import Measured, first_beat
from composer_pianoroll.voice_leading import Closing


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

    These are the chords at the ends of phrases. If no tune is filled in (`is_tune`), they are also the chords before
    those, on beats, and at the end, where it is the tonic's if a key is asked for.
    """
    beat = Fraction(steps)
    ends = ends_of(plan, beat)
    if rules >= Rules.ADAPTED_PHRASES:
        ends = sorted({*ends})  # two ends may be in the same step
    triads, chords = _room(layout, controls, rules, is_tune=is_tune)
    if ends and are_triads(controls.phrase_ends, rules, measured.triads, has_room=triads):
        knows_approaches = rules >= Rules.APPROACHES and not is_tune
        has_dominants = knows_approaches and (measured.dominants or 0) >= USUAL
        usual, before = measured.approaches if knows_approaches else None, steps_before(ends, steps)
        planned = PhraseEndGuard(planned, layout, ends, usual, before if has_dominants else ())
    choice = controls.chords or (ANY if is_tune else "")
    if weight := thin_weight(choice, rules, measured.thin_chords, has_room=chords):
        planned = FullChordGuard(planned, layout, first_beat(plan, beat), steps, weight)
    length = plan.steps(beat / layout.stack) * layout.stack  # of whole frames
    last = length_in_piece(measured.last_chord or 1, int(plan.in_steps(beat)[0]), length)
    if not is_tune and rules >= Rules.KEY_ENDINGS and (closing := _closing(layout, controls)) is not None:
        planned = ClosingGuard(planned, layout, {*ends[-1:], max(length - last, 0)}, closing)
    if measured.last_chord and rules >= Rules.LAST_CHORD and not (is_tune or controls.is_counted):
        planned = LastChordConstraint(planned, layout, length, last)
    return planned


def _closing(layout: Layout, controls: PianorollControls) -> Closing | None:
    """Return the last chord that is preferred in the key that is asked for; None without a key."""
    key = key_labels(controls.scale, controls.key).get("key")
    return tonic_chord(key, controls.pitches(range(layout.lowest, layout.highest + 1))) if key else None


def check_chords(controls: PianorollControls, layout: Layout, *, is_tune: bool) -> None:
    """Raise Unsatisfiable if full chords or triads are asked for, and numbers of notes or pitches allow none.

    Only numbers count in a tune that is filled in, since it has other pitches too.
    """
    wanted = controls.chords, controls.phrase_ends
    check_most(*wanted, controls.max_onsets, controls.max_sustained)
    if not is_tune:
        given = {"--range": controls.range, "--key": controls.key, "--scale": controls.scale}
        check_pitches(*wanted, controls.pitches(range(layout.lowest, layout.highest + 1)), given)


def _room(layout: Layout, controls: PianorollControls, rules: int, *, is_tune: bool) -> tuple[bool, bool]:
    """Return whether the numbers of notes and the pitches that `controls` allow make any triads, and full chords.

    Only numbers count in a tune that is filled in, since it has other pitches too.
    """
    is_bounded = rules >= Rules.ROOM_FOR_CHORDS
    most = controls.most_notes if is_bounded else controls.max_notes
    has_notes = most == 0 or most >= FULL_NOTES
    pitches = range(layout.lowest, layout.highest + 1)
    allowed = controls.pitches(pitches) if is_bounded and not is_tune else None
    has_chords = has_notes and not controls.is_counted
    if allowed is None:
        return has_notes, has_chords
    return has_notes and has_triad(allowed), has_chords and has_full_chord(allowed)
