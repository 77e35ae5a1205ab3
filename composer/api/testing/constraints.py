"""Contract test of constraints: masks, rules, states and endings along random walks through the automaton."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from composer.api.constraint import Constraint, FrameRule, Mask
from composer.api.errors import Unsatisfiable
from composer.api.fields import flags_of
from composer.api.representation import GenerationContext, Representation
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG, draw_frames
from composer.api.score import Piece
from composer.api.sequence import AnyStep, SequenceSpec, StepKind
from composer.api.testing.checks import about, expect, shortened

WALKS, WALK_STEPS = 2, 100
"""Random walks from each start, and the steps after which a walk takes the constraint's own ending."""

END_PROBABILITY = 0.02
"""How often a walk may draw the end symbol although others are allowed."""

STEPS_BETWEEN_ENDINGS = 10
"""Endings are tested in every tenth state, since finding one may take long."""


class _Start(NamedTuple):
    """A context in which pieces are generated, and what messages call it."""

    label: str
    context: GenerationContext


def describe_controls(controls: Any) -> str:
    """Return controls as on the command line: `--bars 8 --key G`."""
    if controls is None:
        return "no controls"
    defaults, words = type(controls)(), list[str]()
    for field in dataclasses.fields(controls):
        value = getattr(controls, field.name)
        if value != getattr(defaults, field.name):
            words += [flags_of(field)[0], *([] if isinstance(value, bool) else [str(value)])]
    return " ".join(words) or "no controls"


def check_controls(
    representation: Representation, pieces: Sequence[Piece], controls: Any, *, may_refuse: bool = False
) -> str:
    """Test the constraint for `controls` in several contexts; return what was tested.

    Controls that no context can satisfy are an error, unless they `may_refuse`.
    """
    refusals, steps, starts, unconstrained = list[str](), 0, 0, 0
    for start in _starts(representation, pieces, controls):
        with about(f"{describe_controls(controls)}, {start.label}"):
            try:
                found = _walk_from(representation, controls, start)
            except Unsatisfiable as error:
                refusals.append(error.message)
                continue
            starts, steps, unconstrained = starts + 1, steps + (found or 0), unconstrained + (found is None)
    if not starts and refusals:
        expect(may_refuse, f"{describe_controls(controls)}: nothing satisfies them: {refusals[0]}")
        return f"refused: {refusals[0]}"
    if unconstrained == starts:
        return "no constraint"
    return f"{steps:,} steps from {starts} starts"


def _starts(representation: Representation, pieces: Sequence[Piece], controls: Any) -> Iterator[_Start]:
    """Yield the contexts to generate in: as `composer gen` makes them, from the test's pieces."""
    if getattr(controls, "keep_bars", ""):
        for piece in pieces[:2]:
            yield _Start(f"infilling {piece.source}", GenerationContext(tune=piece))
        return
    yield _Start("no primer", GenerationContext())
    encoded = [(piece, representation.prime(piece)) for piece in pieces]
    length = max(len(steps) for _, steps in encoded) + 1
    yield _Start(f"a length of {length}", GenerationContext(length))
    for (piece, steps), part in zip(encoded, (2, 1), strict=False):  # half of the first piece, and the second
        if primer := tuple(steps[: len(steps) // part]):
            context = GenerationContext(primer=primer, labels=piece.labels)
            yield _Start(f"the first {len(primer)} steps of {piece.source} as primer", context)


def _walk_from(representation: Representation, controls: Any, start: _Start) -> int | None:
    """Walk from one start and return the steps made, None without a constraint. Raises Unsatisfiable."""
    context = start.context
    limit = representation.max_steps(controls, context)
    representation.estimated_steps(controls, context)
    representation.control_labels(controls)
    if plan := next(iter(representation.plans(controls, context)), None):
        context = dataclasses.replace(context, plan=plan)

    constraint = representation.constraint(controls, context)
    if constraint is None:
        return None
    total = 0
    for seed in range(WALKS):
        steps = _Walk(constraint, representation.spec, context.primer, limit, seed).run()
        representation.score(representation.decode([*context.primer, *steps]))
        total += len(steps)
    other = representation.constraint(controls, context)
    expect(other is not None, "`constraint` returned a constraint, and then None for the same controls")
    assert other is not None
    _check_again(constraint, other, representation.spec, context.primer, steps)
    return total


class _Walk:
    """A random walk through a constraint, one allowed step after another."""

    def __init__(
        self, constraint: Constraint, spec: SequenceSpec, primer: Sequence[AnyStep], limit: int, seed: int
    ) -> None:
        self.constraint, self.spec, self.primer, self.seed = constraint, spec, primer, seed
        self.max_steps = min(WALK_STEPS, limit - len(primer))
        self.generator = np.random.default_rng(seed)
        self.steps: list[AnyStep] = []

    def run(self) -> list[AnyStep]:
        """Walk until the end symbol, or until the constraint's own ending. Raises Unsatisfiable for the primer."""
        state = self.constraint.start(self.primer)
        again = self.constraint.start(self.primer)
        expect(state == again, f"`start` returned the state {state}, and then {again} for the same primer")
        can_end = False
        self._ending(state)
        while len(self.steps) < self.max_steps and not self.constraint.ends(state):
            with about(self._place()):
                rule = self._allowed(state)
                can_end |= self.spec.end is not None and bool(rule_allows(rule, self.spec.end, self.spec))
                step = self._draw(rule)
                if step == self.spec.end:
                    return [*self.steps, step]
                state = self._step(state, step, rule)
            self.steps.append(step)
            if len(self.steps) % STEPS_BETWEEN_ENDINGS == 0:
                self._ending(state)
        ending = self._ending(state)
        expect(
            ending or can_end or self.spec.end is None or self.primer or self.max_steps < WALK_STEPS,
            f"{self._place()}, no ending: the end symbol was never allowed, and `complete` returned nothing",
        )
        return [*self.steps, *ending]

    def _place(self) -> str:
        last = f", the last of them {shortened(self.steps[-5:])}" if self.steps else ""
        return f"after {len(self.steps)} random steps{last}"

    def _allowed(self, state: int) -> Mask | FrameRule:
        """Return what may come next. Raises AssertionError if it cannot be followed."""
        rule = self.constraint.allowed(state)
        if self.spec.kind is StepKind.TOKENS:
            expect(isinstance(rule, int), "`allowed` returned a FrameRule, but the steps are tokens")
        else:
            expect(isinstance(rule, FrameRule), "`allowed` returned a mask, but the steps are frames")
            assert isinstance(rule, FrameRule)
            check_frame_rule(rule, self.spec.size)
        if self.spec.features:
            self._check_features(state)
        return rule

    def _check_features(self, state: int) -> None:
        row = self.constraint.features(state)
        expect(len(row) == len(self.spec.features), f"`features` returned {row}, but the spec has {self.spec.features}")
        for value, (name, size) in zip(row, self.spec.features.items(), strict=True):
            expect(0 <= value < size, f"the position feature `{name}` is {value}, which is not from 0 to {size - 1}")

    def _draw(self, rule: Mask | FrameRule) -> AnyStep:
        """Return a random step that is allowed."""
        if isinstance(rule, int):
            allowed = [token for token in range(self.spec.size) if rule >> token & 1]
            if self.generator.random() > END_PROBABILITY:  # else most walks would end at once
                allowed = [token for token in allowed if token != self.spec.end] or allowed
            return int(self.generator.choice(allowed))
        logits = self.generator.normal(-2, 1, (1, self.spec.size)).astype(np.float32)
        rng = CounterRNG([self.seed]).at_steps(np.array([len(self.steps)]))
        frame = draw_frames(logits, BatchSamplingParams.for_rows(1, rule=[rule]), rng).steps[0]
        units = tuple(np.flatnonzero(frame).tolist())
        expect(rule_allows(rule, units, self.spec), f"the frame {units}, which follows the rule, breaks it afterward")
        return units

    def _step(self, state: int, step: AnyStep, rule: Mask | FrameRule) -> int:
        """Return the state after `step`. Raises AssertionError if `step` changes the automaton."""
        following = self.constraint.step(state, step)
        again = self.constraint.step(state, step)
        expect(
            following == again,
            f"`step` returned the state {following} after step {step}, and then {again} for the same step",
        )
        expect(
            _same(self.constraint.allowed(state), rule),
            f"`allowed` changed for the state {state} when `step` was called",
        )
        return following

    def _ending(self, state: int) -> list[AnyStep]:
        """Return the forced ending from `state`, empty if there is none, after following it."""
        ending = list(self.constraint.complete(state))
        with about(f"{self._place()}, the ending {shortened(ending)}"):
            for number, step in enumerate(ending, 1):
                rule = self._allowed(state)
                expect(rule_allows(rule, step, self.spec), f"its step {number}, {step}, is not allowed")
                if step == self.spec.end:
                    expect(number == len(ending), f"the end symbol {step} comes before its end, as step {number}")
                else:
                    state = self._step(state, step, rule)
            expect(
                not ending or self.spec.end is None or ending[-1] == self.spec.end,
                f"it does not end with the end symbol {self.spec.end}",
            )
        return ending


def _check_again(
    constraint: Constraint, again: Constraint, spec: SequenceSpec, primer: Sequence[AnyStep], steps: Sequence[AnyStep]
) -> None:
    """A new constraint for the same controls allows the same steps, as reproducing a piece needs."""
    state, other = constraint.start(primer), again.start(primer)
    for number, step in enumerate(steps, 1):
        rule, now = constraint.allowed(state), again.allowed(other)
        expect(_same(rule, now), f"two constraints for the same controls differ in what step {number} may be")
        expect(rule_allows(now, step, spec), f"a new constraint for the same controls does not allow step {number}")
        if step != spec.end:
            state, other = constraint.step(state, step), again.step(other, step)


def check_frame_rule(rule: FrameRule, size: int) -> None:
    """Raise AssertionError if no frame of `size` units can follow `rule`."""
    masks = {"must_be_off": rule.must_be_off, "must_be_on": rule.must_be_on}
    masks |= {f"the units of limit {number}": limit.units for number, limit in enumerate(rule.limits, 1)}
    for name, mask in masks.items():
        expect(mask >= 0, f"{name} is negative: {mask}")
        expect(not mask >> size, f"{name} has unit {mask.bit_length() - 1}, which is not from 0 to {size - 1}")
    both = rule.must_be_off & rule.must_be_on
    expect(not both, f"unit {both.bit_length() - 1} is forced both off and on")
    for limit in rule.limits:
        low, high = limit.min_active, limit.max_active
        forced, free = (limit.units & rule.must_be_on).bit_count(), (limit.units & ~rule.must_be_off).bit_count()
        expect(low <= high, f"a limit wants at least {low} and at most {high} active units")
        expect(forced <= high, f"a limit allows {high} active units, but {forced} of them are forced on")
        expect(low <= free, f"a limit wants {low} active units, but only {free} of them are not forced off")


def rule_allows(rule: Mask | FrameRule, step: AnyStep, spec: SequenceSpec) -> bool:
    """Return whether `step` is a step of `spec` that follows `rule`."""
    if isinstance(rule, int):
        return type(step) is int and 0 <= step < spec.size and bool(rule >> step & 1)
    if type(step) is not tuple or not all(type(unit) is int and 0 <= unit < spec.size for unit in step):
        return False
    units = sum(1 << unit for unit in step)
    if units & rule.must_be_off or rule.must_be_on & ~units:
        return False
    if rule.project is not None:  # it has the last word
        return tuple(rule.project(step)) == step
    return all(limit.min_active <= (limit.units & units).bit_count() <= limit.max_active for limit in rule.limits)


def _same(rule: Mask | FrameRule, other: Mask | FrameRule) -> bool:
    """Return whether two rules are equal; functions cannot be compared."""
    if isinstance(rule, FrameRule) and isinstance(other, FrameRule):
        return dataclasses.replace(rule, project=None) == dataclasses.replace(other, project=None)
    return rule == other
