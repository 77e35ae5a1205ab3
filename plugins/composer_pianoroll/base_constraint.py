"""What a roll obeys while it is composed: held is only what was struck, and no more at a time than is wished for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from composer.api import Constraint, FrameRule, Limit, Step
from composer_pianoroll.frames import Layout


class NoteLimits(NamedTuple):
    """The most notes that may sound, be struck and go on at a time; 0 stands for any number."""

    max_notes: int = 0
    max_onsets: int = 0
    max_sustained: int = 0


NO_LIMITS = NoteLimits()


class RollConstraint(Constraint):
    """The automaton of rolls. A state is the set of pitches that sound, as bits from the lowest pitch on.

    A note goes on only while it sounds, and is not struck and held in the same step. `pitches` are those that may be
    struck, as such bits. The limits hold in each step of a stacked frame.
    """

    def __init__(self, layout: Layout, pitches: int | None = None, note_limits: NoteLimits = NO_LIMITS) -> None:
        self.layout, self.note_limits = layout, note_limits
        self._all = (1 << layout.pitch_count) - 1
        self.pitches = self._all if pitches is None else pitches
        self.struck, self.held = self._all, self._all << layout.pitch_count if layout.onsets else 0
        self.starts = range(0, layout.size, layout.units_per_step)
        limits = (
            (self.struck, note_limits.max_onsets),
            (self.held, note_limits.max_sustained),
            (self.struck | self.held, note_limits.max_notes),
        )
        self._limits = tuple(Limit(units << start, most) for start in self.starts for units, most in limits if most)
        self.off = sum((self._all & ~self.pitches) << start for start in self.starts)

    def start(self, primer: Sequence[Step]) -> int:
        """What sounds at the end of `primer`; anything may begin a roll."""
        state = 0
        for step in primer:
            state = self.step(state, step)
        return state

    def step(self, state: int, step: Step) -> int:
        """What sounds at the end of the frame `step`."""
        return self.after(state, step)

    def allowed(self, state: int) -> FrameRule:
        """In the first step of a frame, only what sounds may go on; what depends on the frame itself is mended."""
        return self.frame_rule(state, self._limits)

    def complete(self, state: int) -> Sequence[Step]:
        """A roll may end at any time."""
        return ()

    def after(self, sounding: int, frame: Step) -> int:
        """What sounds after a frame, where `sounding` did before it."""
        return self._walk(sounding, frame)[1] if self.layout.onsets else 0

    def frame_rule(self, sounding: int, limits: tuple[Limit, ...], on: int = 0) -> FrameRule:
        """The rule for a frame under `limits`, after `sounding`; units that must be `on` are a set as bits."""
        if not self.layout.onsets:
            return FrameRule(self.off, on, limits)
        silent = (self._all & ~sounding) << self.layout.pitch_count
        return FrameRule(self.off | silent, on, limits, project=lambda frame: self._walk(sounding, frame)[0])

    def _walk(self, state: int, frame: Step) -> tuple[tuple[int, ...], int]:
        """`frame` without the holds of what does not sound or is struck, and what sounds after it."""
        layout = self.layout
        bits = sum(1 << unit for unit in frame) if isinstance(frame, tuple) else 0
        units = 0
        for start in self.starts:
            struck = bits >> start & self._all
            held = bits >> start + layout.pitch_count & self._all & state & ~struck
            state = struck | held
            units |= (struck | held << layout.pitch_count) << start
        return tuple(unit for unit in range(layout.size) if units >> unit & 1), state
