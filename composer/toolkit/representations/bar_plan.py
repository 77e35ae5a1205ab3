"""The plan of a piece on a grid: its meter, bars, pickup, last bar, phrase ends, key and returns; and which fit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import ceil, floor
from typing import NamedTuple

from composer.music.bars import parse_meter
from composer.toolkit.representations.returns import Return, parse_beats
from composer.toolkit.representations.score_labels import phrase_ends, pickup_of

__all__ = [
    "DEFAULT_METER",
    "MAX_PLANS",
    "BarPlan",
    "WantedPlan",
    "ending_step",
    "fitting_plans",
    "with_key",
    "with_returns",
]

DEFAULT_METER = "4/4"
MAX_PLANS = 500
"""The most common plans of the training pieces are kept, so that a checkpoint stays small."""


ENDING_BARS = 2
"""Bars in the ending of a piece."""


class BarPlan(NamedTuple):
    """The form of a piece: its meter, its number of bars without a pickup (None if unknown), and the pickup in beats.

    `last` is the length in beats of the last bar, None for a whole one. `phrase_ends` are the beats at which phrases
    end, by phrase marks or fermatas, none if they are unknown, and `key` is the key at the start, if it is known and
    matters. `returns` are the passages that equal earlier ones. As text: `3/4,16`, `3/4,16,1`, `3/4,16,1,2`,
    `3/4,16,1,2,11 23`, `3/4,16,,,,Am` or `3/4,16,,,,,12-24=0`.
    """

    meter: str
    bars: int | None
    pickup: Fraction = Fraction(0)
    last: Fraction | None = None
    phrase_ends: tuple[Fraction, ...] = ()
    key: str = ""
    returns: tuple[Return, ...] = ()

    @staticmethod
    @lru_cache(2 * MAX_PLANS)  # those of the training pieces, with and without returns, are read for every piece
    def parse(text: str) -> BarPlan:
        """Return the plan that `str` wrote. Raises ValueError for another text."""
        meter, bars, pickup, last, ends, key, returns, *_ = *text.split(","), "", "", "", "", ""
        if not re.fullmatch(r"[0-9]{1,9}", bars):
            raise ValueError(f"not a number of bars: {bars[:40]!r}")
        beats, passages = tuple(map(parse_beats, ends.split())), tuple(map(Return.parse, returns.split()))
        return BarPlan(
            meter, int(bars), parse_beats(pickup or "0"), parse_beats(last) if last else None, beats, key, passages
        )

    @classmethod
    def of(cls, labels: Mapping[str, str], meter: str = "", bars: int | None = None) -> BarPlan:
        """Return the plan of music with these labels; `meter` replaces that of the labels."""
        plan = cls(meter or labels.get("meter", DEFAULT_METER), bars, pickup_of(labels), None, phrase_ends(labels))
        return plan if plan.pickup < parse_meter(plan.meter).bar else plan._replace(pickup=Fraction(0))

    def __str__(self) -> str:
        ends, returns = (" ".join(map(str, each)) for each in (self.phrase_ends, self.returns))
        fields = [self.meter, str(self.bars), str(self.pickup or ""), str(self.last or ""), ends, self.key, returns]
        while not fields[-1]:
            fields.pop()
        return ",".join(fields)

    def without_returns(self) -> BarPlan:
        """Return the plan of the pieces with this form, whichever of their passages return."""
        return self._replace(returns=())

    @property
    def labels(self) -> dict[str, str]:
        """The labels of music with this plan."""
        pickup = {"pickup": str(self.pickup)} if self.pickup else {}
        return {"meter": self.meter, **pickup, **({"key": self.key} if self.key else {})}

    def with_bars_of(self, steps: int, per_beat: Fraction) -> BarPlan:
        """Return the plan for a piece of so many steps, whose last bar counts as a whole one."""
        bar, pickup = self.in_steps(per_beat)
        return self._replace(bars=max(1, ceil((steps - pickup) / bar)))

    def with_length_of(self, steps: int, per_beat: Fraction) -> BarPlan:
        """Return the plan for a piece of exactly so many steps; a pickup as long as the piece is none."""
        plan = self if self.pickup * per_beat < steps else self._replace(pickup=Fraction(0))
        plan = plan.with_bars_of(steps, per_beat)
        bar, pickup = plan.in_steps(per_beat)
        last = steps - pickup - ((plan.bars or 1) - 1) * bar
        return plan._replace(last=last / per_beat if last < bar else None)

    def in_steps(self, per_beat: Fraction) -> tuple[Fraction, Fraction]:
        """Return the lengths of a bar and of the pickup in steps."""
        return parse_meter(self.meter).bar * per_beat, self.pickup * per_beat

    def last_steps(self, per_beat: Fraction) -> range:
        """Return the lengths in steps of pieces that end in the last bar."""
        bar, pickup = self.in_steps(per_beat)
        bars = self.bars or 1
        return range(floor(pickup + (bars - 1) * bar) + 1, max(1, floor(pickup + bars * bar)) + 1)

    def steps(self, per_beat: Fraction) -> int:
        """Return the length in steps of a piece that ends at the end of the last bar."""
        if self.last is None:
            return self.last_steps(per_beat)[-1]
        bar, pickup = self.in_steps(per_beat)
        return max(1, floor(pickup + ((self.bars or 1) - 1) * bar + self.last * per_beat))


def ending_step(plan: str, per_beat: Fraction) -> int | None:
    """Return the number of steps before the last bars of a piece; None if the plan has no number of bars.

    These are the last ENDING_BARS bars.
    """
    form = BarPlan.parse(plan)
    if form.bars is None:
        return None
    bar, pickup = form.in_steps(per_beat)
    return max(0, ceil(pickup + (form.bars - ENDING_BARS) * bar))


class WantedPlan(NamedTuple):
    """What is given of a plan before one is chosen; None for what is free."""

    meter: str | None = None
    bars: int | None = None
    pickup: Fraction | None = None

    def accepts(self, plan: BarPlan) -> bool:
        """Return whether `plan` has all that is given."""
        return all(
            own is None or own == has for own, has in zip(self, (plan.meter, plan.bars, plan.pickup), strict=True)
        )

    def adapt(self, plan: BarPlan, *, with_phrases: bool = False) -> BarPlan:
        """Return `plan` with what is given, and whole bars; a pickup as long as a bar is none.

        Passages still return in the same bars, as far as the piece has them, but not in another meter. The piece has no
        phrase ends, or `with_phrases` those of `plan` in its own bars.
        """
        meter = plan.meter if self.meter is None else self.meter
        bars = plan.bars if self.bars is None else self.bars
        pickup = plan.pickup if self.pickup is None else self.pickup
        pickup = pickup if pickup < parse_meter(meter).bar else Fraction(0)
        same_bars = plan.returns if meter == plan.meter else ()
        moved = tuple(filter(None, (each.moved(pickup - plan.pickup) for each in same_bars)))
        adapted = BarPlan(meter, bars, pickup, key=plan.key, returns=moved)
        return adapted._replace(phrase_ends=_moved_phrase_ends(plan, adapted)) if with_phrases else adapted


def _moved_phrase_ends(plan: BarPlan, other: BarPlan) -> tuple[Fraction, ...]:
    """Return the beats at which the phrases of `plan` end in a piece with the bars of `other`.

    A phrase ends in the same bar, in another meter as far from the next bar line. More bars have the same phrases
    again. Phrases that end at the same beat then, as several in one longer bar may, are one. The last phrase ends as
    many bars before the end as in `plan`. If it would be shorter than the shortest, it is joined to the one before it.
    """
    if not plan.phrase_ends or plan.bars is None or other.bars is None:
        return ()
    old, new = parse_meter(plan.meter).bar, parse_meter(other.meter).bar

    def moved(end: Fraction, more_bars: int) -> Fraction:
        bar, beat = divmod(end - plan.pickup, old)
        return other.pickup + (bar + more_bars) * new + max(beat + new - old, Fraction(0))

    last, same = moved(plan.phrase_ends[-1], other.bars - plan.bars), {moved(end, 0) for end in plan.phrase_ends}
    shortest = min((later - end for end, later in pairwise(sorted(same))), default=new)
    again = range(0, other.bars, plan.bars)
    ends = {moved(end, more_bars) for more_bars in again for end in plan.phrase_ends}
    return tuple(end for end in (*sorted(end for end in ends if end <= last - shortest), last) if end >= 0)


def fitting_plans(
    plans: Mapping[str, int],
    wanted: WantedPlan,
    steps: range,
    per_beat: Fraction,
    with_steps: Callable[[BarPlan, int, Fraction], BarPlan],
    *,
    with_phrases: bool = False,
) -> Mapping[str, int]:
    """Return those of `plans` that are as `wanted`, for pieces of some number of `steps`, with their weights.

    If there is none, they are adapted to what is wanted, `with_phrases` also where their phrases end. If these do not
    fit either, they get the length of the longest pieces by `with_steps`, unless the bars are given.
    """
    parsed = {BarPlan.parse(plan): weight for plan, weight in plans.items()} or {BarPlan(DEFAULT_METER, 1): 1}
    same = Counter({plan: weight for plan, weight in parsed.items() if wanted.accepts(plan)})
    adapted, changed = Counter[BarPlan](), Counter[BarPlan]()
    for plan, weight in parsed.items():
        adapted[wanted.adapt(plan, with_phrases=with_phrases)] += weight
    for candidates in (same, adapted):
        fitting = {str(plan): n for plan, n in candidates.items() if plan.steps(per_beat) in steps}
        if fitting:
            return fitting
    longest = steps[-1] if steps else steps.start
    for plan, weight in adapted.items():
        changed[plan if wanted.bars else with_steps(plan, longest, per_beat)] += weight
    return {str(plan): weight for plan, weight in changed.items()}


def with_returns(plans: Mapping[str, int], returning: Mapping[str, int]) -> Mapping[str, int]:
    """Return `plans` with their weights, of which those in `returning` have passages that return.

    `returning` are plans with returns; without them, each is one of `plans`, of whose weight it has a part.
    """
    by_plan: dict[str, dict[str, int]] = {}
    for plan, weight in returning.items():
        by_plan.setdefault(str(BarPlan.parse(plan).without_returns()), {})[plan] = weight
    found = dict[str, int]()
    for plan, weight in plans.items():
        own = by_plan.pop(plan, {})
        rest = weight - sum(own.values())
        if rest < 0 or any(type(each) is not int or each < 1 for each in own.values()):
            raise ValueError(f"the plans with returns of {plan!r} have the weights {[*own.values()]}, it has {weight}")
        found |= {**({plan: rest} if rest else {}), **own}
    if by_plan:
        raise ValueError(f"returns of an unknown plan: {next(iter(by_plan))!r}")
    return found


def with_key(plans: Mapping[str, int], key: str) -> Mapping[str, int]:
    """Return `plans` in one key, or in an unknown one for an empty `key`, with their weights."""
    found = Counter[str]()
    for plan, weight in plans.items():
        found[str(BarPlan.parse(plan)._replace(key=key))] += weight
    return found
