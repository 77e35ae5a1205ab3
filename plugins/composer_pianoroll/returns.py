"""Passages that return: which ones the training pieces have, and frames copied from earlier ones of the same piece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from composer.api import Constraint, FrameRule, Unsatisfiable
from composer.toolkit.representations.bar_plan import MAX_PLANS, BarPlan
from composer.toolkit.representations.returns import Return, find_returns
from composer.toolkit.representations.wrapped_constraint import COUNT_BITS, FrameGuard
from composer_pianoroll.frames import Layout, Roll
from composer_pianoroll.rules import Rules

PLAN, NONE = CHOICES = ("plan", "none")
COUNTED = ("onsets", "sustained", "density")
"""Controls on numbers of notes that a copied frame, which starts after other notes than its source, may not have."""


def are_wanted(choice: str, rules: int, *, is_counted: bool, is_known: bool) -> bool:
    """Return whether passages return by the `choice` of --returns, empty for the default.

    `is_counted` is whether numbers of notes are given, and `is_known` whether the model knows the returns of its
    training pieces. Raises Unsatisfiable if it does not, but they are asked for.
    """
    if choice == PLAN and not is_known:
        hint = "leave out --returns, or train the model again, with -O positions=on"
        raise Unsatisfiable(
            "this model does not know which bars of its training pieces return", hint, flags=("--returns",)
        )
    return (choice or (PLAN if rules >= Rules.RETURNS and not is_counted else NONE)) == PLAN


def returns_of(layout: Layout, roll: Roll, plan: BarPlan, per_beat: Fraction) -> tuple[Return, ...]:
    """Return the passages of `roll` that equal earlier ones frame by frame; none if bars are not whole frames."""
    bar, pickup = plan.in_steps(per_beat)
    if bar.denominator > 1 or pickup.denominator > 1:
        return ()
    from composer_pianoroll import packing

    packed, width = packing.pack_frames(layout, roll), -(-layout.size // 8)
    frames = [packed[first : first + width] for first in range(0, len(packed), width)]
    onsets = {note.start // layout.stack for note in roll.notes}
    return find_returns(frames, onsets, int(bar), int(pickup), per_beat)


def most_common(returning: Counter[str], plans: Mapping[str, int]) -> dict[str, int]:
    """Return the most common plans with returns, sorted, of those that are among `plans` without them."""
    known = [plan for plan, _ in returning.most_common() if str(BarPlan.parse(plan).without_returns()) in plans]
    return {plan: returning[plan] for plan in sorted(known[:MAX_PLANS])}


def sources_of(
    returns: Sequence[Return],
    per_beat: Fraction,
    end: int,
    primer: Sequence[tuple[int, ...]],
    accepts: Callable[[tuple[int, ...]], bool],
) -> dict[int, int]:
    """Return the frame that each frame of the passages copies, which itself is no copy.

    Frames from number `end` on are no copies. Neither is a passage that the `primer` begins otherwise, or that would
    copy a frame of the primer that the controls do not accept.
    """
    sources = dict[int, int]()
    for each in returns:
        first, last, source = (int(beat * per_beat) for beat in each)
        lag, given = first - source, min(last, len(primer))
        copies = range(max(first, given), min(last, end))
        is_begun_alike = all(primer[frame] == primer[frame - lag] for frame in range(first, given))
        if is_begun_alike and all(map(accepts, primer[max(first, given) - lag : max(min(last, end) - lag, 0)])):
            sources |= {frame: frame - lag for frame in copies}
    for frame in sorted(sources):
        sources[frame] = sources.get(sources[frame], sources[frame])
    return sources


class ReturnsConstraint(FrameGuard):
    """The rolls of `inner` in which some frames equal earlier ones; `sources` has the earlier frame of each.

    A note that is held in the earlier frame but does not sound before the later one is struck there. If the copy breaks
    the rule of `inner`, it is the nearest frame that does not: inner voices are left out first, and the bass last.

    The own part of a state is the number of frames, below the last frame and those that are copied later, as bits.
    """

    def __init__(self, inner: Constraint, layout: Layout, sources: Mapping[int, int]) -> None:
        super().__init__(inner)
        self.layout, self.sources = layout, sources
        self._every = (1 << layout.size) - 1
        self._pitches = (1 << layout.pitch_count) - 1
        self._places = {
            frame: COUNT_BITS + layout.size * number for number, frame in enumerate(sorted({*sources.values()}), 1)
        }
        self.own_bits = COUNT_BITS + layout.size * (1 + len(self._places))

    def start(self, primer: Sequence[tuple[int, ...]]) -> int:
        own = 0
        for frame in primer:
            own = self._after(own, frame)
        return self.inner.start(primer) << self.own_bits | own

    def step(self, state: int, step: tuple[int, ...]) -> int:
        inner, own = self.parts(state)
        return self.inner.step(inner, step) << self.own_bits | self._after(own, step)

    def allowed(self, state: int) -> FrameRule:
        rule, own = super().allowed(state), self.parts(state)[1]
        source = self.sources.get(own & (1 << COUNT_BITS) - 1)
        if source is None:
            return rule
        copied = self._fitted(*self._copied(own, source), rule)
        return FrameRule(must_be_off=self._every & ~copied, must_be_on=copied)

    def fixed_step(self, state: int) -> int | None:
        number = state & (1 << COUNT_BITS) - 1
        return number if number in self.sources else super().fixed_step(state)

    def _after(self, own: int, frame: tuple[int, ...]) -> int:
        """Return the own part after one more `frame`."""
        number, bits = own & (1 << COUNT_BITS) - 1, sum(1 << unit for unit in frame)
        own &= ~(self._every << COUNT_BITS | (1 << COUNT_BITS) - 1)
        place = self._places.get(number)
        return own | bits << COUNT_BITS | number + 1 | (bits << place if place is not None else 0)

    def _copied(self, own: int, source: int) -> tuple[int, int]:
        """Return the units of the frame `source` as the next frame, and those that are only held in `source`."""
        units = own >> self._places[source] & self._every
        if not self.layout.onsets:
            return units, 0
        width, before = self.layout.pitch_count, own >> COUNT_BITS & self._every
        last = before >> self.layout.size - self.layout.units_per_step
        struck = (units >> width & self._pitches) & ~(last | last >> width)
        return units & ~(struck << width) | struck, struck

    def _fitted(self, units: int, struck: int, rule: FrameRule) -> int:
        """Return the frame nearest to `units` that obeys `rule`; those that are `struck` are left out first."""
        units = units & ~rule.must_be_off | rule.must_be_on
        width = self.layout.pitch_count
        pitches = [unit % width for unit in _members(units)]

        def importance(unit: int) -> tuple[bool, bool, bool, int]:
            pitch = unit % width
            return not struck >> unit & 1, pitch == min(pitches), pitch == max(pitches), pitch

        for limit in rule.limits:
            over = (units & limit.units).bit_count() - limit.max_active
            least = sorted(_members(units & limit.units & ~rule.must_be_on), key=importance)
            units &= ~sum(1 << unit for unit in least[: max(over, 0)])
        if rule.project is not None:
            units = sum(1 << unit for unit in rule.project(tuple(_members(units))))
        return units


def _members(units: int) -> list[int]:
    """Return the units in a bit set, ascending."""
    return [unit for unit in range(units.bit_length()) if units >> unit & 1]
