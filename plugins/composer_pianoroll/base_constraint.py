"""Constraint on all rolls: only sounding notes are held, and limits on simultaneous notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from composer.api import Constraint, FrameRule, Limit
from composer_pianoroll.frames import Layout


class NoteLimits(NamedTuple):
    """Maximum number of notes that sound, start and are held at a time, 0 is unlimited; and the minimum that sound.

    At least `min_onsets` start in each frame, and at least `min_sustained` are held, or all that sound before it.
    """

    max_notes: int = 0
    max_onsets: int = 0
    max_sustained: int = 0
    min_notes: int = 0
    min_onsets: int = 0
    min_sustained: int = 0
    in_order: bool = False
    """See `composer.api.FrameRule`."""


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
        self._unit_limits = (
            (self.onsets, note_limits.max_onsets),
            (self.holds, note_limits.max_sustained),
            (self.onsets | self.holds, note_limits.max_notes),
        )
        self._limits = tuple(
            Limit(units << at, maximum) for at in self.starts for units, maximum in self._unit_limits if maximum
        )
        self.off = sum((self._all & ~self.pitches) << start for start in self.starts)

    @property
    def can_start_more(self) -> bool:
        """Whether notes that are added for `min_notes` may start."""
        return True

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
        onsets, holds = self.note_limits.min_onsets, self.min_holds(state)
        if not (onsets or holds):
            return self.frame_rule(state, (*self._limits, *self.floor_limits(state)))
        # neither may leave less room than the other needs, since the limit on both removes notes of either
        most = self.note_limits.max_notes or self.layout.units_per_step
        bounds = zip(self._unit_limits, (onsets, holds, 0), (most - holds, most - onsets, most), strict=True)
        limits = (Limit(units, min(maximum or room, room), minimum) for (units, maximum), minimum, room in bounds)
        return self.frame_rule(state, tuple(limits))

    def accepts(self, frame: Sequence[int]) -> bool:
        """Return whether the pitches of `frame` are allowed and it meets the limits, whatever sounded before it."""
        bits = sum(1 << unit for unit in frame)
        chords = [*self.chords(tuple(frame))]
        return all(
            not chord & ~self.pitches and chord.bit_count() >= self.note_limits.min_notes for chord in chords
        ) and all((bits & limit.units).bit_count() <= limit.max_active for limit in self._limits)

    def min_holds(self, sounding: int) -> int:
        """Return how many of the `sounding` pitches must be held."""
        return min(self.note_limits.min_sustained, sounding.bit_count())

    def complete(self, state: int) -> Sequence[tuple[int, ...]]:
        """Return nothing: a roll may end at any time."""
        return ()

    def after(self, sounding: int, frame: tuple[int, ...]) -> int:
        """Return the pitches that sound after `frame`, if `sounding` did before it."""
        return self._walk(sounding, frame)[1] if self.layout.onsets else 0

    def chords(self, frame: tuple[int, ...]) -> Iterator[int]:
        """Yield the pitches that sound in each step of a legal `frame`."""
        bits = sum(1 << unit for unit in frame)
        for start in self.starts:
            step = bits >> start
            yield (step | step >> self.layout.pitch_count if self.layout.onsets else step) & self._all

    def frame_rule(self, sounding: int, limits: tuple[Limit, ...], on: int = 0) -> FrameRule:
        """Return the rule for a frame with `limits`, after `sounding`; the units in `on`, a bit set, are forced on."""
        if not self.layout.onsets:
            return FrameRule(self.off, on, limits, in_order=self.note_limits.in_order)
        silent = (self._all & ~sounding) << self.layout.pitch_count
        return FrameRule(
            self.off | silent, on, limits, project=lambda frame: self._projected(sounding, frame),
            in_order=self.note_limits.in_order,
        )  # fmt: skip

    def _projected(self, sounding: int, frame: tuple[int, ...]) -> tuple[int, ...]:
        """Return the legal frame next to `frame`; holds that were lost to onsets are replaced by the lowest others."""
        projected, width = self._walk(sounding, frame, True)[0], self.layout.pitch_count
        missing = self.min_holds(sounding) and self.min_holds(sounding) - sum(unit >= width for unit in projected)
        if missing <= 0:
            return projected
        free = (pitch for pitch in range(width) if sounding >> pitch & 1 and not {pitch, pitch + width} & {*projected})
        return tuple(sorted((*projected, *(pitch + width for pitch, _ in zip(free, range(missing), strict=False)))))

    def floor_limits(self, sounding: int, max_onsets: int | None = None) -> tuple[Limit, ...]:
        """Return limits by which at least `min_notes` sound, as far as others allow, after `sounding`.

        With onsets, they are those of the first step; the projection continues its notes if later steps have too few.
        At most `max_onsets` notes may start, None is unlimited.
        """
        limits, minimum = self.note_limits, self.note_limits.min_notes
        if not minimum:
            return ()
        everything = self.layout.pitch_count
        startable = min(limits.max_onsets or everything, everything if max_onsets is None else max_onsets)
        most = limits.max_notes or everything
        if not self.layout.onsets:
            minimum = min(minimum, startable)
            return tuple(Limit(self.onsets << start, min(most, startable), minimum) for start in self.starts)
        startable = min(startable, self.pitches.bit_count())
        holdable = min(limits.max_sustained or everything, sounding.bit_count())
        minimum = min(minimum, startable + holdable, (self.pitches | sounding).bit_count())
        return (
            Limit(self.onsets, startable, max(minimum - holdable, 0)),
            Limit(self.holds, holdable, max(minimum - startable, 0)),
            Limit(self.onsets | self.holds, most, minimum),
        )

    def _filled(self, onsets: int, holds: int, before: int) -> tuple[int, int]:
        """Return the onsets and holds of a step with `min_notes`, as far as other limits allow.

        Notes that sounded `before` are held on, from the lowest; then others near them start, of which repeated notes
        are held to make room.
        """
        limits, everything = self.note_limits, self.layout.pitch_count
        missing = limits.min_notes - (onsets | holds).bit_count()
        room = (limits.max_sustained or everything) - holds.bit_count()
        held = lowest(before & ~onsets & ~holds, min(missing, room))
        holds, missing, room = holds | held, missing - held.bit_count(), room - held.bit_count()
        startable = (limits.max_onsets or everything) - onsets.bit_count()
        while missing and self.can_start_more and (fresh := self.pitches & ~before & ~onsets):
            if startable <= 0:
                repeated = lowest(onsets & before, 1)
                if not (repeated and room > 0):
                    break
                onsets, holds, room, startable = onsets & ~repeated, holds | repeated, room - 1, startable + 1
            onsets |= 1 << _nearest(fresh, onsets | holds)
            startable, missing = startable - 1, missing - 1
        return onsets, holds

    def _walk(self, state: int, frame: tuple[int, ...], fill: bool = False) -> tuple[tuple[int, ...], int]:
        """Return `frame` without holds of silent or starting notes, and the pitches that sound after it.

        With `fill`, notes are added in steps with fewer than `min_notes`.
        """
        layout = self.layout
        bits = sum(1 << unit for unit in frame)
        units = 0
        for start in self.starts:
            onsets = bits >> start & self._all
            holds = bits >> start + layout.pitch_count & self._all & state & ~onsets
            if fill and (onsets | holds).bit_count() < self.note_limits.min_notes:
                onsets, holds = self._filled(onsets, holds, state)
            state = onsets | holds
            units |= (onsets | holds << layout.pitch_count) << start
        return _members(units), state


def _nearest(pitches: int, others: int) -> int:
    """Return the one of `pitches` that is nearest to one of the `others`, or the middle one."""
    place = [pitch for pitch in range(pitches.bit_length()) if pitches >> pitch & 1]
    near = [pitch for pitch in range(others.bit_length()) if others >> pitch & 1] or [place[len(place) // 2]]
    return min(place, key=lambda pitch: min(abs(pitch - other) for other in near))


def lowest(pitches: int, count: int) -> int:
    """Return the lowest `count` of a set of pitches, or all."""
    result = 0
    for _ in range(count):
        first = pitches & -pitches
        result, pitches = result | first, pitches & ~first
    return result


def _members(units: int) -> tuple[int, ...]:
    """Return the units in a bit set, ascending."""
    found = []
    while units:
        bit = units & -units
        found.append(bit.bit_length() - 1)
        units ^= bit
    return tuple(found)
