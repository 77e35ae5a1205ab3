"""Chords at the ends of phrases: measure them in the training data, and prefer whole triads if these end so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from composer.api import Constraint, FrameRule, OptionError, Unsatisfiable
from composer.toolkit.representations.bar_plan import BarPlan
from composer.toolkit.representations.wrapped_constraint import WrappedConstraint
from composer_pianoroll.frames import Layout, Roll
from composer_pianoroll.rules import Rules
from composer_pianoroll.voice_leading import FAULT

TRIADS, ANY = CHOICES = ("triads", "any")
TRIAD_NOTES = 3
_USUAL = 0.5
"""Share of the phrase ends of the training data from which on triads are preferred. It is 0.89 in Bach's chorales."""
_TRIADS = ({0, 4, 7}, {0, 3, 7})


def check_room(choice: str, max_notes: int) -> None:
    """Raise OptionError if the `choice` of --phrase-ends are triads, which have more than `max_notes`, 0 for any."""
    if choice == TRIADS and 0 < max_notes < TRIAD_NOTES:
        hint = f"use --max-notes {TRIAD_NOTES} or more"
        raise OptionError(f"--phrase-ends triads contradicts --max-notes {max_notes}", hint)


def check_known(choice: str, *, is_known: bool) -> None:
    """Raise Unsatisfiable if triads are asked for by --phrase-ends and it is not known where phrases end."""
    if choice == TRIADS and not is_known:
        hint = "leave out --phrase-ends, or train with -O positions=on on music with fermatas or phrase marks"
        raise Unsatisfiable("this model does not know where phrases end", hint)


def with_ends(plans: Mapping[str, int], choice: str, rules: int, *, is_tune: bool) -> Mapping[str, int]:
    """Return those of `plans` that know where phrases end if triads are asked for by --phrase-ends, else all.

    `is_tune` is whether they are of a tune that is filled in. Raises Unsatisfiable if none knows.
    """
    if choice != TRIADS or rules < Rules.PLANS_WITH_PHRASE_ENDS:
        return plans
    found = {plan: weight for plan, weight in plans.items() if BarPlan.parse(plan).phrase_ends}
    if found:
        return found
    if is_tune:
        hint = "leave out --phrase-ends, or use a tune with fermatas or phrase marks"
        raise Unsatisfiable("--phrase-ends triads: the tune does not say where phrases end", hint)
    hint = "leave out --phrase-ends, or the meter and the number of bars"
    raise Unsatisfiable("--phrase-ends triads: no training piece of this form says where phrases end", hint)


def are_triads(choice: str, rules: int, max_notes: int, share: float | None) -> bool:
    """Return whether triads are preferred by the `choice` of --phrase-ends, empty for the default.

    `share` is that of triads at the phrase ends of the training data, None if it is unknown.
    """
    has_room = max_notes == 0 or max_notes >= TRIAD_NOTES
    usual = share is not None and share >= _USUAL and has_room and rules >= Rules.PHRASE_ENDS
    return choice == TRIADS or (usual and not choice)


def is_whole_triad(pitches: Sequence[int]) -> bool:
    """Return whether a chord, its pitches ascending, is a major or minor triad in root position with all its notes."""
    return {(pitch - pitches[0]) % 12 for pitch in pitches} in _TRIADS


def triads_at_ends(roll: Roll, ends: Iterable[int]) -> Iterator[bool]:
    """Yield for each of the steps `ends` whether a whole triad sounds in it."""
    notes = roll.notes
    for step in ends:
        yield is_whole_triad(sorted(note.pitch for note in notes if note.start <= step < note.start + note.length))


def ends_of(plan: BarPlan, steps: Fraction) -> Sequence[int]:
    """Return the steps at which the phrases of a plan end; a beat has so many `steps`."""
    return [int(beat * steps) for beat in plan.phrase_ends]


class PhraseEndGuard(WrappedConstraint):
    """The rolls of `inner`, of which phrases that end with another chord than a whole triad are not favored.

    `ends` are the steps in which the last chords of phrases begin. The own part of a state is the number of frames.
    """

    own_bits = 32

    def __init__(self, inner: Constraint, layout: Layout, ends: Iterable[int]) -> None:
        super().__init__(inner)
        self.layout = layout
        self._ends = dict(divmod(step, layout.stack) for step in ends)

    def own_step(self, own: int, step: tuple[int, ...]) -> int:
        return own + 1

    def allowed(self, state: int) -> FrameRule:
        rule = super().allowed(state)
        assert isinstance(rule, FrameRule)
        return rule

    def log_weight(self, state: int, step: tuple[int, ...]) -> float:
        weight, substep = super().log_weight(state, step), self._ends.get(self.parts(state)[1])
        return weight if substep is None else weight + FAULT * (not is_whole_triad(self._pitches(step, substep)))

    def _pitches(self, frame: Sequence[int], substep: int) -> Sequence[int]:
        """Return the pitches that sound in a step of a frame, ascending, counted from the lowest of the layout."""
        width, first = self.layout.pitch_count, substep * self.layout.units_per_step
        return sorted((unit - first) % width for unit in frame if first <= unit < first + self.layout.units_per_step)
