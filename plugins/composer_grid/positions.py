"""Where each step of a melody is: in its bar, in which bar, and how many bars before the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import NamedTuple

from composer.api import Constraint, Mask, Unsatisfiable
from composer.music.bars import parse_meter
from composer.toolkit.representations.score_labels import pickup_of
from composer_grid.base_constraint import END, HOLD, GridConstraint, Position, middle_pitch

MAX_BARS = 64
"""Later bars, and bars longer before the end, are not told apart."""
DEFAULT_METER = "4/4"
_TIME_BITS = 32


class BarPlan(NamedTuple):
    """The form of a melody: its meter, its number of bars without a pickup (None if unknown), the pickup in beats.

    As text: `3/4,16` or `3/4,16,1`.
    """

    meter: str
    bars: int | None
    pickup: Fraction = Fraction(0)

    @classmethod
    def parse(cls, text: str) -> BarPlan:
        meter, bars, *pickup = text.split(",")
        return cls(meter, int(bars), Fraction(*pickup) if pickup else Fraction(0))

    @classmethod
    def of(cls, labels: Mapping[str, str], meter: str = "", bars: int | None = None) -> BarPlan:
        """Return the plan of music with these labels; `meter` replaces that of the labels."""
        plan = cls(meter or labels.get("meter", DEFAULT_METER), bars, pickup_of(labels))
        return plan if plan.pickup < parse_meter(plan.meter).bar else plan._replace(pickup=Fraction(0))

    def __str__(self) -> str:
        return f"{self.meter},{self.bars}" + (f",{self.pickup}" if self.pickup else "")

    @property
    def labels(self) -> dict[str, str]:
        """The labels of music with this plan."""
        return {"meter": self.meter, **({"pickup": str(self.pickup)} if self.pickup else {})}

    def with_bars_of(self, steps: int, per_beat: Fraction) -> BarPlan:
        """Return the plan for a melody of so many steps."""
        bar, pickup = self.in_steps(per_beat)
        return self._replace(bars=max(1, ceil((steps - pickup) / bar)))

    def in_steps(self, per_beat: Fraction) -> tuple[Fraction, Fraction]:
        """Return the lengths of a bar and of the pickup in steps."""
        return parse_meter(self.meter).bar * per_beat, self.pickup * per_beat

    def last_steps(self, per_beat: Fraction) -> range:
        """Return the lengths in steps of melodies with so many bars."""
        bar, pickup = self.in_steps(per_beat)
        bars = self.bars or 1
        return range(floor(pickup + (bars - 1) * bar) + 1, max(1, floor(pickup + bars * bar)) + 1)


def feature_sizes(plans: Mapping[str, int], per_beat: Fraction) -> dict[str, int]:
    """Return the number of values of each position feature for melodies with these plans."""
    parsed = [BarPlan.parse(plan) for plan in plans]
    bars = min(MAX_BARS, max((plan.bars or 0 for plan in parsed), default=0))
    position = max((ceil(plan.in_steps(per_beat)[0]) for plan in parsed), default=1)
    return {"position": position, "bar": bars + 2, "left": bars + 1}


def fitting_plans(
    plans: Mapping[str, int], wanted: BarPlan, steps: range, per_beat: Fraction, *, is_given: bool
) -> Mapping[str, int]:
    """Return those of `plans` that pieces of some number of `steps` can have, with their weights.

    If the meter and pickup of `wanted` are given, plans in others are adapted to them unless there are some in these.
    """
    parsed = {BarPlan.parse(plan): weight for plan, weight in plans.items()}
    same = {plan: weight for plan, weight in parsed.items() if wanted == plan._replace(bars=None)}
    adapted = Counter[BarPlan]()
    for plan, weight in parsed.items():
        adapted[wanted._replace(bars=plan.bars)] += weight
    for candidates in (same, adapted) if is_given else (parsed,):
        fitting = {str(plan): n for plan, n in candidates.items() if plan.last_steps(per_beat)[-1] in steps}
        if fitting:
            return fitting
    return {str(wanted.with_bars_of(steps[-1] if steps else 1, per_beat)): 1}


class PositionCounter:
    """Count the features of steps under one plan; `sizes` are those of `feature_sizes`.

    `position` is the step in the bar; in a pickup it counts to the end of the bar. `bar` is 0 in a pickup, then counts
    from 1; `left` is the number of bars after this one, 0 if unknown.
    """

    def __init__(self, plan: BarPlan, per_beat: Fraction, sizes: Mapping[str, int]) -> None:
        self._plan, self._sizes = plan, list(sizes.values())
        self._bar, self._pickup = plan.in_steps(per_beat)
        self.at = lru_cache(1 << 12)(self._at)

    def _at(self, step: int) -> tuple[int, ...]:
        bar = floor((step - self._pickup) / self._bar) + 1
        position = floor(step - self._pickup - (bar - 1) * self._bar)
        left = max(0, (self._plan.bars or 0) - bar)
        counted = (position, bar, left)
        return tuple(min(value, size - 1) for value, size in zip(counted, self._sizes, strict=True))


class PositionConstraint(Constraint):
    """Melodies that `inner` accepts, with the features of each step.

    If `inner` is a GridConstraint, which has no length, they end in the last bar of the plan. A state is one of `inner`
    above the number of steps so far.
    """

    def __init__(self, inner: Constraint, plan: BarPlan, per_beat: Fraction, counter: PositionCounter) -> None:
        self.inner, self.plan, self.counter = inner, plan, counter
        planned = isinstance(inner, GridConstraint) and plan.bars is not None
        self._lengths = plan.last_steps(per_beat) if planned else None

    def start(self, primer: Sequence[int]) -> int:
        if self._lengths is not None and len(primer) >= self._lengths[-1]:
            raise Unsatisfiable(
                f"the primer has {len(primer)} steps and does not fit into {self.plan.bars} bars",
                "use more --bars, or a shorter primer",
            )
        return self.inner.start(primer) << _TIME_BITS | len(primer)

    def step(self, state: int, step: int) -> int:
        return self.inner.step(state >> _TIME_BITS, step) << _TIME_BITS | (state + 1) & (1 << _TIME_BITS) - 1

    def allowed(self, state: int) -> Mask:
        inner, at = state >> _TIME_BITS, state & (1 << _TIME_BITS) - 1
        mask = self.inner.allowed(inner)
        assert isinstance(mask, int)
        if self._lengths is None:
            return mask
        if at >= self._lengths[-1]:
            return 1 << END
        if at == self._lengths[-1] - 1 and inner in (Position.BEGIN, Position.SILENT):
            assert isinstance(self.inner, GridConstraint)
            return self.inner.pitches
        return mask if at in self._lengths else mask & ~(1 << END)

    def features(self, state: int) -> tuple[int, ...]:
        return self.counter.at(state & (1 << _TIME_BITS) - 1)

    def fixed_step(self, state: int) -> int | None:
        return self.inner.fixed_step(state >> _TIME_BITS)

    def complete(self, state: int) -> Sequence[int]:
        if self._lengths is None:
            return self.inner.complete(state >> _TIME_BITS)
        steps: list[int] = []
        while not (mask := self.allowed(state)) >> END & 1:
            silent = state >> _TIME_BITS in (Position.BEGIN, Position.SILENT)
            steps.append(middle_pitch(mask) if silent else HOLD)
            state = self.step(state, steps[-1])
        return [*steps, END]
