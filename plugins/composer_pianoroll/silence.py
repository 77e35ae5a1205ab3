"""Silence in all voices: none at the start and none for long, if the training data hardly has any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from composer.api import Constraint, FrameRule
from composer.toolkit.representations.wrapped_constraint import FrameGuard
from composer_pianoroll.controls import PianorollControls
from composer_pianoroll.frames import Layout
from composer_pianoroll.rules import Rules
from composer_pianoroll.shares import RARE

LONGEST = 2
"""Beats that all voices may rest. Of the 211 rests of all voices inside Bach's chorales, 209 are no longer."""


def with_sound(controls: PianorollControls, thin: float | None, rules: int) -> PianorollControls | None:
    """Return `controls` with a note at any time, for where a silence gets too long; None if that is not limited.

    It is limited if `thin` chords are rare in the training data, of which those without any notes are a part. It gives
    way to numbers of notes that the controls say, also to --min-notes 0. Pieces by earlier `rules` have silence of any
    length.
    """
    if rules < Rules.NO_LONG_SILENCE or thin is None or thin >= RARE:
        return None
    if controls.min_notes is not None or controls.is_counted:
        return None
    return replace(controls, min_notes=1)


class SilenceGuard(FrameGuard):
    """The rolls of `inner` that begin with a note, and in which all voices rest for at most `longest` steps.

    `sounding` has the states of `inner`, and a note at any time. Silence within a frame of several steps may be longer.
    The own part of a state is for how many steps all voices have rested, `longest` at the start of a piece.
    """

    own_bits = 16

    def __init__(self, inner: Constraint, sounding: Constraint, layout: Layout, longest: int) -> None:
        super().__init__(inner)
        self.sounding, self.layout, self.longest = sounding, layout, longest
        self.own_start = longest

    def own_step(self, own: int, step: Sequence[int]) -> int:
        if step:
            return min(self.layout.stack - 1 - max(step) // self.layout.units_per_step, self.longest)
        return min(own + self.layout.stack, self.longest)

    def allowed(self, state: int) -> FrameRule:
        inner, silent = self.parts(state)
        if silent < self.longest:
            return super().allowed(state)
        rule = self.sounding.allowed(inner)
        assert isinstance(rule, FrameRule)
        return rule
