"""Constraint on all rolls: only sounding notes are held, and limits on simultaneous notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from composer.api import Constraint, FrameRule, Limit
from composer_pianoroll.frames import Layout


class NoteLimits(NamedTuple):
    """Maximum number of notes that sound, start and are held at a time; 0 is unlimited."""

    max_notes: int = 0
    max_onsets: int = 0
    max_sustained: int = 0


NO_LIMITS = NoteLimits()


class RollConstraint(Constraint):
    """The automaton of rolls. A state is the set of sounding pitches, as bits from the lowest pitch.

    Only sounding notes are held, and never in the step of an onset. `pitches` are the allowed onsets, as bits. The
    limits apply to each step of a stacked frame.
    """

    def __init__(self, layout: Layout, pitches: int | None = None, note_limits: NoteLimits = NO_LIMITS) -> None:
        self.layout, self.note_limits = layout, note_limits
        self._all = (1 << layout.pitch_count) - 1
        self.pitches = self._all if pitches is None else pitches
        self.onsets, self.holds = self._all, self._all << layout.pitch_count if layout.onsets else 0
        self.starts = range(0, layout.size, layout.units_per_step)
        limits = (
            (self.onsets, note_limits.max_onsets),
            (self.holds, note_limits.max_sustained),
            (self.onsets | self.holds, note_limits.max_notes),
        )
        self._limits = tuple(Limit(units << at, maximum) for at in self.starts for units, maximum in limits if maximum)
        self.off = sum((self._all & ~self.pitches) << start for start in self.starts)

    def start(self, primer: Sequence[tuple[int, ...]]) -> int:
        """Return the pitches that sound after `primer`; every primer is allowed."""
        state = 0
        for step in primer:
            state = self.step(state, step)
        return state

    def step(self, state: int, step: tuple[int, ...]) -> int:
        """Return the pitches that sound after the frame `step`."""
        return self.after(state, step)

    def allowed(self, state: int) -> FrameRule:
        """Return the rule: holds need sounding notes; the projection handles those that start within the frame."""
        return self.frame_rule(state, self._limits)

    def complete(self, state: int) -> Sequence[tuple[int, ...]]:
        """Return nothing: a roll may end at any time."""
        return ()

    def after(self, sounding: int, frame: tuple[int, ...]) -> int:
        """Return the pitches that sound after `frame`, if `sounding` did before it."""
        return self._walk(sounding, frame)[1] if self.layout.onsets else 0

    def frame_rule(self, sounding: int, limits: tuple[Limit, ...], on: int = 0) -> FrameRule:
        """Return the rule for a frame with `limits`, after `sounding`; the units in `on`, a bit set, are forced on."""
        if not self.layout.onsets:
            return FrameRule(self.off, on, limits)
        silent = (self._all & ~sounding) << self.layout.pitch_count
        return FrameRule(self.off | silent, on, limits, project=lambda frame: self._walk(sounding, frame)[0])

    def _walk(self, state: int, frame: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
        """Return `frame` without holds of silent or starting notes, and the pitches that sound after it."""
        layout = self.layout
        bits = sum(1 << unit for unit in frame)
        units = 0
        for start in self.starts:
            onsets = bits >> start & self._all
            holds = bits >> start + layout.pitch_count & self._all & state & ~onsets
            state = onsets | holds
            units |= (onsets | holds << layout.pitch_count) << start
        return tuple(unit for unit in range(layout.size) if units >> unit & 1), state
