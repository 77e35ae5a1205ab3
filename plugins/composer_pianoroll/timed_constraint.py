"""The automaton of rolls that know the time: how dense they are, which frames are given, and where they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from composer.api import FrameRule, Limit, Step
from composer.toolkit.representations.density import OnsetBudget
from composer_pianoroll.base_constraint import NO_LIMITS, NoteLimits, RollConstraint
from composer_pianoroll.frames import Layout

_FRAMES = 32
"""Bits of a state for the number of the frame; below it is what sounds, above it how many notes were begun."""


class TimedRollConstraint(RollConstraint):
    """Rolls of which a player asked for more.

    Something sounds in frame `last`. `budget` says how many notes may have been begun after each step, and `kept` which
    frames are given. What is held into a given frame is struck in time: of its pitches, so many sound some frames
    before it that the rest can be struck under the limits; that comes before the budget, which is kept again as soon as
    may be after it.
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
        self.held_into = {
            number: units >> width & self._all
            for number, units in self._on.items()
            if layout.onsets and number - 1 not in self._on
        }
        """For each given frame after a free one, the pitches that it goes on with."""

    @property
    def max_onsets_per_step(self) -> int:
        """How many notes can be begun in one step."""
        limits = [self.pitches.bit_count(), self.note_limits.max_onsets, self.note_limits.max_notes]
        return min(limit for limit in limits if limit)

    def start(self, primer: Sequence[Step]) -> int:
        """What sounds at the end of `primer`, whose notes count as the ones that were due."""
        steps = len(primer) * self.layout.stack
        return self._pack_state(
            super().start(primer), len(primer), round(self.budget.expected(steps)) if self.budget else 0
        )

    def step(self, state: int, step: Step) -> int:
        """What sounds, where that is, and what has been begun at the end of the frame `step`."""
        sounding, frame, begun = self._unpack_state(state)
        if self.budget is not None and frame not in self.kept and isinstance(step, tuple):
            begun += sum(unit % self.layout.units_per_step < self.layout.pitch_count for unit in step)
        return self._pack_state(self.after(sounding, step), frame + 1, begun)

    def allowed(self, state: int) -> FrameRule:
        """The rule for the next frame."""
        sounding, frame, begun = self._unpack_state(state)
        if frame in self._on:
            return FrameRule(must_be_off=(1 << self.layout.size) - 1 & ~self._on[frame], must_be_on=self._on[frame])
        going, struck = self._required_pitches(frame, sounding)
        fewest, highest = self._onset_bounds(frame, begun)
        limits = self._frame_limits(frame, going, struck, fewest, highest)
        end = self.starts[-1]
        on = struck << end | sum(going << start + self.layout.pitch_count for start in self.starts)
        return self.frame_rule(sounding, tuple(limits), on)

    def _frame_limits(self, frame: int, going: int, struck: int, fewest: int, highest: int | None) -> list[Limit]:
        """The limits of a frame in which at least `fewest` notes are to be begun and at most `highest`.

        The notes `going` must go on, and those `struck` be struck in the last step.
        """
        everything, stack = self.layout.pitch_count, self.layout.stack
        notes, onsets, holds = (most or everything for most in self.note_limits)
        limits, sound = [], int(frame == self.last)
        for number, start in enumerate(self.starts):
            least = fewest * (number + 1) // stack - fewest * number // stack
            least = min(least, onsets, notes - going.bit_count())
            if number == stack - 1:
                # were it struck after the limit of notes, in any step, it would come on top of what is held there
                least = max(least, struck.bit_count(), sound if self.note_limits.max_notes and stack > 1 else 0)
            if least or self.note_limits.max_onsets:
                limits.append(Limit(self.struck << start, onsets, least))
            if self.held and (self.note_limits.max_sustained or (self.note_limits.max_notes and least)):
                limits.append(Limit(self.held << start, min(holds, notes - least)))
            if self.note_limits.max_notes:
                limits.append(Limit((self.struck | self.held) << start, notes))
        if highest is not None or (sound and stack > 1):
            units = sum(self.struck << start for start in self.starts)
            bound = everything * stack if highest is None else max(highest, fewest, struck.bit_count(), sound)
            limits.append(Limit(units, bound, sound if stack > 1 else 0))
        if sound and stack == 1:
            limits.append(Limit(self.struck | self.held, notes, 1))
        return limits

    def _onset_bounds(self, frame: int, begun: int) -> tuple[int, int | None]:
        """How many notes at least and at most may be begun in a frame; None for any number."""
        if self.budget is None:
            return 0, None
        low, high = self.budget.bounds((frame + 1) * self.layout.stack)
        return min(max(low - begun, 0), self.max_onsets_per_step * self.layout.stack), max(high - begun, 0)

    def _required_pitches(self, frame: int, sounding: int) -> tuple[int, int]:
        """The pitches that must go on in a frame, and those that must be struck, for what a given frame goes on with.

        All of its pitches must sound but as many as can be struck in the frames between.
        """
        number = next((number for number in self.held_into if number > frame), None)
        if number is None:
            return 0, 0
        held = self.held_into[number]
        needed = max(held.bit_count() - self.max_onsets_per_step * (number - frame - 1), 0)
        going = _lowest(held & sounding, min(needed, self.note_limits.max_sustained or needed))
        return going, _lowest(held & ~going, needed - going.bit_count())

    def _pack_state(self, sounding: int, frame: int, begun: int) -> int:
        return (begun << _FRAMES | frame) << self.layout.pitch_count | sounding

    def _unpack_state(self, state: int) -> tuple[int, int, int]:
        """What sounds, the number of the next frame, and how many notes were begun."""
        time = state >> self.layout.pitch_count
        return state & self._all, time & (1 << _FRAMES) - 1, time >> _FRAMES


def _lowest(pitches: int, count: int) -> int:
    """The lowest `count` of a set of pitches, all where it has no more."""
    found = 0
    for _ in range(count):
        lowest = pitches & -pitches
        found, pitches = found | lowest, pitches & ~lowest
    return found
