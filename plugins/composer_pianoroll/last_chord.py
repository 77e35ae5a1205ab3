"""Last chords: how long those of the training data are, and rolls that end with a chord as long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from composer.api import Constraint, FrameRule, Limit
from composer.toolkit.representations.wrapped_constraint import WrappedConstraint
from composer_pianoroll.frames import Layout, Roll

_PIECES = 0.9
"""Share of the training pieces whose last chord is at least as long as the usual one. It is a beat in chorales."""


def last_chord(roll: Roll) -> int:
    """Return the length in steps of the last chord of a piece, from its last onset to the end of its last note."""
    notes = roll.notes
    return max(start + length for start, _, length in notes) - notes[-1].start if notes else 0


def usual_last_chord(lengths: Iterable[int]) -> int | None:
    """Return the length in steps that the last chords of most pieces have at least, given those of all."""
    found = sorted(lengths, reverse=True)
    return found[int(_PIECES * (len(found) - 1))] or None if found else None


def as_length(value: object) -> int | None:
    """Return a length that was read from a file; None if it is unknown. Raises ValueError for anything else."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise ValueError(f"the length of the last chord is {value!r}, not a whole number above 0")


class LastChordConstraint(WrappedConstraint):
    """The rolls of `inner`, of `steps` steps, whose last chord is not shorter than `length` steps.

    In the last `length` steps there are notes, and after the first of these none starts, unless `inner` requires it or
    nothing sounds. The own part of a state is the number of frames.
    """

    own_bits = 32

    def __init__(self, inner: Constraint, layout: Layout, steps: int, length: int) -> None:
        super().__init__(inner)
        self.layout, self._last = layout, range(max(steps - length, 0), steps)

    def start(self, primer: Sequence[tuple[int, ...]]) -> int:
        return self.inner.start(primer) << self.own_bits | len(primer)

    def own_step(self, own: int, step: tuple[int, ...]) -> int:
        return own + 1

    def allowed(self, state: int) -> FrameRule:
        rule, stack = super().allowed(state), self.layout.stack
        assert isinstance(rule, FrameRule)
        begin = self.parts(state)[1] * stack
        last = [substep for substep in range(stack) if begin + substep in self._last]
        if not last:
            return rule
        width, stride = self.layout.pitch_count, self.layout.units_per_step
        pitches, chord = (1 << width) - 1, (1 << stride) - 1
        limits = tuple(Limit(chord << substep * stride, stride, 1) for substep in last)
        rule = replace(rule, limits=(*rule.limits, *limits))
        if not self.layout.onsets or not (pitches << width) & ~rule.must_be_off:
            return rule  # nothing sounds that could be held
        late = sum(pitches << substep * stride for substep in last if begin + substep > self._last.start)
        off = rule.must_be_off | late
        has_room = all((limit.units & ~off).bit_count() >= limit.min_active for limit in rule.limits)
        return replace(rule, must_be_off=off) if has_room else rule
