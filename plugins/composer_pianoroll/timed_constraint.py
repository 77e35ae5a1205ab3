"""Constraint on rolls with a note density, fixed frames or a last frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from composer.api import FrameRule, Limit
from composer.toolkit.representations.density import OnsetBudget
from composer_pianoroll.base_constraint import NO_LIMITS, NoteLimits, RollConstraint, lowest
from composer_pianoroll.frames import Layout

_FRAME_BITS = 32
"""Bits of a state for the frame number; below are the sounding pitches, above the number of onsets."""


class TimedRollConstraint(RollConstraint):
    """Rolls with further constraints.

    A note sounds in frame `last`. `budget` bounds the onsets up to each step, and `kept` are the fixed frames. Notes
    held into a fixed frame start early enough that all of them fit under the limits. This takes precedence over the
    budget, which is met again as soon as possible.
    """

    def __init__(
        self,
        layout: Layout,
        pitches: int,
        note_limits: NoteLimits = NO_LIMITS,
        last: int | None = None,
        budget: OnsetBudget | None = None,
        kept: Mapping[int, tuple[int, ...]] | None = None,
    ) -> None:
        super().__init__(layout, pitches, note_limits)
        self.last, self.budget, self.kept = last, budget, kept or {}
        width = layout.pitch_count
        self._on = {number: sum(1 << unit for unit in frame) for number, frame in self.kept.items()}
        firsts = [number for number in self._on if layout.onsets and number - 1 not in self._on]
        self.held_into = {number: self._on[number] >> width & self._all for number in firsts}
        """For each fixed frame after a free one, the pitches that it holds."""

    @property
    def can_start_more(self) -> bool:
        """Whether notes that are added may start: they would not count in the density."""
        return self.budget is None

    @property
    def max_onsets_per_step(self) -> int:
        limits = [self.pitches.bit_count(), self.note_limits.max_onsets, self.note_limits.max_notes]
        return min(limit for limit in limits if limit)

    def start(self, primer: Sequence[tuple[int, ...]]) -> int:
        """Return the state after `primer`, whose density counts as correct."""
        onset_count = round(self.budget.expected(len(primer) * self.layout.stack)) if self.budget else 0
        return self._pack_state(super().start(primer), len(primer), onset_count)

    def step(self, state: int, step: tuple[int, ...]) -> int:
        sounding, frame, onset_count = self._unpack_state(state)
        if self.budget is not None and frame not in self.kept:
            onset_count += sum(unit % self.layout.units_per_step < self.layout.pitch_count for unit in step)
        return self._pack_state(self.after(sounding, step), frame + 1, onset_count)

    def allowed(self, state: int) -> FrameRule:
        sounding, frame, onset_count = self._unpack_state(state)
        if frame in self._on:
            return FrameRule(must_be_off=(1 << self.layout.size) - 1 & ~self._on[frame], must_be_on=self._on[frame])
        to_hold, to_start = self._required_pitches(frame, sounding)
        min_onsets, max_onsets = self._onset_bounds(frame, onset_count)
        min_onsets = max(min_onsets, self.note_limits.min_onsets)
        limits = self._frame_limits(frame, to_hold, to_start, min_onsets, max_onsets)
        limits = [*limits, *self.floor_limits(sounding, max_onsets)]
        if min_holds := self.min_holds(sounding):
            limits.append(Limit(self.holds, self.note_limits.max_sustained or min_holds, min_holds))
        end = self.starts[-1]
        on = to_start << end | sum(to_hold << start + self.layout.pitch_count for start in self.starts)
        return self.frame_rule(sounding, tuple(limits), on)

    def fixed_step(self, state: int) -> int | None:
        frame = self._unpack_state(state)[1]
        return frame if frame in self._on else None

    def _frame_limits(
        self, frame: int, to_hold: int, to_start: int, min_onsets: int, max_onsets: int | None
    ) -> list[Limit]:
        """Return the limits of a frame with at least `min_onsets` and at most `max_onsets` onsets.

        The pitches `to_hold` must be held, and those `to_start` start in the last step.
        """
        everything, stack = self.layout.pitch_count, self.layout.stack
        notes, onsets, holds = (limit or everything for limit in self.note_limits[:3])
        limits, sound = [], int(frame == self.last)
        for number, start in enumerate(self.starts):
            minimum = min_onsets * (number + 1) // stack - min_onsets * number // stack
            minimum = min(minimum, onsets, notes - to_hold.bit_count())
            if number == stack - 1:
                # a note added later, by the limit over all steps, would exceed the limit of notes in its step
                minimum = max(minimum, to_start.bit_count(), sound if self.note_limits.max_notes and stack > 1 else 0)
            if minimum or self.note_limits.max_onsets:
                limits.append(Limit(self.onsets << start, onsets, minimum))
            if self.holds and (self.note_limits.max_sustained or (self.note_limits.max_notes and minimum)):
                limits.append(Limit(self.holds << start, min(holds, notes - minimum)))
            if self.note_limits.max_notes:
                limits.append(Limit((self.onsets | self.holds) << start, notes))
        if max_onsets is not None or (sound and stack > 1):
            units = sum(self.onsets << start for start in self.starts)
            required = max(min_onsets, to_start.bit_count(), sound)
            bound = everything * stack if max_onsets is None else max(max_onsets, required)
            limits.append(Limit(units, bound, sound if stack > 1 else 0))
        if sound and stack == 1:
            limits.append(Limit(self.onsets | self.holds, notes, 1))
        return limits

    def _onset_bounds(self, frame: int, onset_count: int) -> tuple[int, int | None]:
        """Return the minimum and maximum number of onsets in a frame; None is unlimited."""
        if self.budget is None:
            return 0, None
        low, high = self.budget.bounds((frame + 1) * self.layout.stack)
        return min(max(low - onset_count, 0), self.max_onsets_per_step * self.layout.stack), max(high - onset_count, 0)

    def _required_pitches(self, frame: int, sounding: int) -> tuple[int, int]:
        """Return the pitches that must be held and that must start in a frame, for the holds of the next fixed frame.

        All of those must sound, except as many as can start in the frames between.
        """
        number = next((number for number in self.held_into if number > frame), None)
        if number is None:
            return 0, 0
        held = self.held_into[number]
        needed = max(held.bit_count() - self.max_onsets_per_step * (number - frame - 1), 0)
        to_hold = lowest(held & sounding, min(needed, self.note_limits.max_sustained or needed))
        return to_hold, lowest(held & ~to_hold, needed - to_hold.bit_count())

    def _pack_state(self, sounding: int, frame: int, onset_count: int) -> int:
        return (onset_count << _FRAME_BITS | frame) << self.layout.pitch_count | sounding

    def _unpack_state(self, state: int) -> tuple[int, int, int]:
        """Return the sounding pitches, the number of the next frame, and the number of onsets."""
        time = state >> self.layout.pitch_count
        return state & self._all, time & (1 << _FRAME_BITS) - 1, time >> _FRAME_BITS
