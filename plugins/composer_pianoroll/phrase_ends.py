"""Chords at the ends of phrases: measure them in the training data, and prefer whole triads if these end so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import log

from composer.api import Constraint, Unsatisfiable
from composer.toolkit.representations.bar_plan import BarPlan
from composer.toolkit.representations.quantize import GridNote
from composer.toolkit.representations.wrapped_constraint import COUNT_BITS, CountingGuard
from composer_pianoroll.frames import Layout, Roll
from composer_pianoroll.rules import Rules
from composer_pianoroll.shares import log_weights
from composer_pianoroll.voice_leading import FAULT

TRIADS, ANY = CHOICES = ("triads", "any")
USUAL = 0.5
"""Share of the phrase ends of the training data from which on something is preferred there.

In Bach's chorales, 0.89 have whole triads, and 0.59 have dominants before them."""
_TRIADS = ({0, 4, 7}, {0, 3, 7})
INTERVALS = 12
"""Semitones that the bass may move, up to an octave."""
OTHER_APPROACH = log(0.2)
"""Logarithm of the weight of another chord than a dominant in the beat before a phrase end, if most have one there.

It is not as small as FAULT, since others are usual too: 0.39 in Bach's chorales, 0.8 if a model of them is sampled."""
_DOMINANTS = ({0, 4, 7}, {0, 4, 7, 10}, {0, 4, 10})


def check_known(choice: str, *, is_known: bool) -> None:
    """Raise Unsatisfiable if triads are asked for by --phrase-ends and it is not known where phrases end."""
    if choice == TRIADS and not is_known:
        hint = "leave out --phrase-ends, or train with -O positions=on on music with fermatas or phrase marks"
        raise Unsatisfiable("this model does not know where phrases end", hint, flags=("--phrase-ends",))


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
        raise Unsatisfiable(
            "--phrase-ends triads: the tune does not say where phrases end", hint, flags=("--phrase-ends",)
        )
    hint = "leave out --phrase-ends, or the meter and the number of bars"
    raise Unsatisfiable(
        "--phrase-ends triads: no training piece of this form says where phrases end", hint, flags=("--phrase-ends",)
    )


def are_triads(choice: str, rules: int, share: float | None, *, has_room: bool) -> bool:
    """Return whether triads are preferred by the `choice` of --phrase-ends, empty for the default.

    `share` is that of triads at the phrase ends of the training data, None if it is unknown. By default they are
    preferred only if there `has_room` for them.
    """
    usual = share is not None and share >= USUAL and has_room and rules >= Rules.PHRASE_ENDS
    return choice == TRIADS or (usual and not choice)


def is_whole_triad(pitches: Sequence[int]) -> bool:
    """Return whether a chord, its pitches ascending, is a major or minor triad in root position with all its notes."""
    return {(pitch - pitches[0]) % 12 for pitch in pitches} in _TRIADS


def has_triad(pitches: Sequence[int]) -> bool:
    """Return whether any of `pitches`, ascending, make a whole triad in root position."""
    above = dict[int, set[int]]()
    for low in pitches:
        above[low] = {(pitch - low) % 12 for pitch in pitches if pitch > low}
    return any(triad <= {0, *intervals} for intervals in above.values() for triad in _TRIADS)


def is_dominant(pitches: Sequence[int]) -> bool:
    """Return whether a chord, its pitches ascending, is a major triad or dominant seventh chord in root position.

    The seventh chord need not have a fifth. Whichever key the chord leads to, it sounds like its dominant.
    """
    return {(pitch - pitches[0]) % 12 for pitch in pitches} in _DOMINANTS


def triads_at_ends(roll: Roll, ends: Iterable[int]) -> Iterator[bool]:
    """Yield for each of the steps `ends` whether a whole triad sounds in it."""
    notes = roll.notes
    for step in ends:
        yield is_whole_triad(_chord(notes, step))


def approaches(roll: Roll, ends: Iterable[int]) -> Iterator[int]:
    """Yield the interval of the bass to each of the steps `ends` from the chord before, in semitones from 0 to 11.

    Steps without a chord, or without one before, are left out.
    """
    notes = roll.notes
    for step in ends:
        before = max((min(start + length, step) for start, _, length in notes if start < step), default=0) - 1
        chords = _chord(notes, before), _chord(notes, step)
        if all(chords):
            yield (chords[1][0] - chords[0][0]) % INTERVALS


def dominants(roll: Roll, ends: Iterable[int]) -> Iterator[bool]:
    """Yield for each of the steps `ends` whether the step before it has the chord of a dominant."""
    notes = roll.notes
    for step in ends:
        yield is_dominant(_chord(notes, step - 1))


def _chord(notes: Sequence[GridNote], step: int) -> list[int]:
    """Return the pitches that sound in a step, ascending."""
    return sorted(pitch for start, pitch, length in notes if start <= step < start + length)


def ends_of(plan: BarPlan, steps: Fraction) -> Sequence[int]:
    """Return the steps at which the phrases of a plan end; a beat has so many `steps`."""
    return [int(beat * steps) for beat in plan.phrase_ends]


def steps_before(ends: Iterable[int], beat: int) -> list[int]:
    """Return the steps in which the beats before `ends` and, if they are whole steps, their second halves begin."""
    return [end - part for end in ends for part in ((beat, beat // 2) if beat % 2 == 0 else (beat,))]


class PhraseEndGuard(CountingGuard):
    """The rolls of `inner`, of which phrases that end with another chord than a whole triad are not favored.

    `ends` are the steps in which the last chords of phrases begin. `usual` are the shares of the intervals by which the
    bass moves there in the training data, None if they do not count: rare ones are not favored either. Nor are others
    than dominants in the steps `before`. What is kept of the frames is one more than the last bass note.
    """

    own_bits = COUNT_BITS + 8

    def __init__(
        self,
        inner: Constraint,
        layout: Layout,
        ends: Iterable[int],
        usual: Sequence[float] | None = None,
        before: Iterable[int] = (),
    ) -> None:
        super().__init__(inner)
        self.layout = layout
        self._ends, self._before = _by_frame(ends, layout.stack), _by_frame(before, layout.stack)
        self._weights = log_weights(usual) if usual is not None else [0.0] * INTERVALS

    def remember(self, memory: int, frame: Sequence[int]) -> int:
        return self._last_bass(frame, self.layout.stack, memory)

    def log_weight(self, state: int, step: tuple[int, ...]) -> float:
        weight, (number, bass) = super().log_weight(state, step), self.count_and_memory(state)
        for substep in self._before.get(number, ()):
            weight += OTHER_APPROACH * (not is_dominant(self.layout.sounding(step, substep)))
        for substep in self._ends.get(number, ()):
            chord, before = self.layout.sounding(step, substep), self._last_bass(step, substep, bass)
            weight += self._weights[(chord[0] - (before - 1)) % INTERVALS] if chord and before else 0.0
            weight += FAULT * (not is_whole_triad(chord))
        return weight

    def _last_bass(self, frame: Sequence[int], end: int, before: int) -> int:
        """Return one more than the last bass note in the first `end` steps of a frame; `before` if these are silent."""
        for substep in reversed(range(end)):
            if chord := self.layout.sounding(frame, substep):
                return chord[0] + 1
        return before


def _by_frame(steps: Iterable[int], stack: int) -> dict[int, list[int]]:
    """Return the steps within each frame of `stack` steps."""
    found = dict[int, list[int]]()
    for step in steps:
        found.setdefault(step // stack, []).append(step % stack)
    return found
