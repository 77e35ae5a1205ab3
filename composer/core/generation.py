"""Composing: a sampler, a representation's spec and a request become a stream of steps, piece by piece.

A piece is a function of the model, its own seed and the request alone. Rows that compose side by side share one
matrix product, whose last bit depends on how many rows there are, so the number of rows (the width) never changes
while pieces are composed, and is part of a piece's record.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import Constraint, FrameRule, Kind, Sampler, SequenceSpec, Step, UsageError
from composer.api.sampling import CounterNoise, Drawn, How, mask_array

MAX_WIDTH = 64


@dataclass(frozen=True, slots=True)
class Request:
    """What to compose: `count` pieces of at most `length` steps each, the primer included.

    Piece n (from 1) has the seed `seed` + n - 1, so that any one of many can be had again alone. `width` is how many
    are composed side by side, 0 for as many as are worth it. Filters are those of `composer.api.sampling.How`.
    """

    length: int
    count: int = 1
    seed: int = 0
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    primer: tuple[Step, ...] = ()
    conditions: Mapping[str, str] = field(default_factory=dict)
    width: int = 0

    @property
    def rows(self) -> int:
        """How many pieces are composed side by side."""
        return self.width or min(self.count, MAX_WIDTH)


@dataclass(frozen=True, slots=True)
class Drew:
    """Piece `number` goes on with `step`; `logp` in nats (0 in a primer), `refused` the mass the rule took away."""

    number: int
    step: Step
    logp: float = 0.0
    refused: float = 0.0


@dataclass(frozen=True, slots=True)
class Ended:
    """Piece `number` is over; `whole` is false where it was cut at the length that was asked for."""

    number: int
    whole: bool


def generate(
    sampler: Sampler, spec: SequenceSpec, request: Request, constraint: Constraint | None = None
) -> Iterator[Drew | Ended]:
    """Compose; pieces come one after the other, each while it is being drawn if its turn has come."""
    waiting: dict[int, deque[Drew | Ended]] = {}
    current = 1
    for event in _side_by_side(sampler, spec, request, constraint):
        if event.number != current:
            waiting.setdefault(event.number, deque()).append(event)
            continue
        yield event
        over = isinstance(event, Ended)
        while over:
            current += 1
            queue = waiting.pop(current, deque())
            yield from queue
            over = bool(queue) and isinstance(queue[-1], Ended)


@dataclass(slots=True)
class _Row:
    """A place where pieces are composed: the piece's `number` (0 when idle), its steps, its automaton's state."""

    number: int
    taken: int
    state: int


def _side_by_side(
    sampler: Sampler, spec: SequenceSpec, request: Request, constraint: Constraint | None
) -> Iterator[Drew | Ended]:
    """Compose `request.rows` pieces at a time, and give a row whose piece ends the next piece."""
    numbers = iter(range(1, request.count + 1))
    at_start = constraint.start(request.primer) if constraint else 0
    primed = _primed(sampler, spec, request)
    rows = [_Row(0, 0, at_start) for _ in range(request.rows)]
    state = sampler.select(primed, np.zeros(len(rows), np.int64))
    how = How.of(
        len(rows), temperature=request.temperature, top_k=request.top_k, top_p=request.top_p, min_p=request.min_p
    )
    idle = list(range(len(rows)))
    while True:
        for row in idle:
            rows[row] = _Row(next(numbers, 0), len(request.primer), at_start)
            if rows[row].number:
                yield from (Drew(rows[row].number, step) for step in request.primer)
        if idle:
            noise = CounterNoise(request.seed + row.number - 1 for row in rows)
        if not any(row.number for row in rows):
            return
        if constraint:
            how = replace(how, rule=_rule(constraint, rows, spec))
        drawn = sampler.sample(state, how, noise.at(np.array([row.taken for row in rows])))
        state = sampler.observe(state, drawn.steps)
        idle = []
        for index, event in _events(rows, drawn, spec):
            yield event
            if _over(rows[index], event, request, spec, constraint):
                idle.append(index)
                yield from _ending(rows[index], event, spec, constraint)
        if idle:
            state = sampler.select(
                state, np.where(np.isin(np.arange(len(rows)), idle), -1, np.arange(len(rows))), primed
            )


def _primed(sampler: Sampler, spec: SequenceSpec, request: Request) -> Any:
    """The state of one row after the primer."""
    if len(request.primer) >= request.length:
        raise UsageError(
            f"the primer takes {len(request.primer)} steps of a piece of {request.length}", "ask for a longer --length"
        )
    state = sampler.begin([request.conditions])
    for step in request.primer:
        state = sampler.observe(state, _as_array(step, spec))
    return state


def _as_array(step: Step, spec: SequenceSpec) -> NDArray[Any]:
    """One step as the steps of a batch of one row."""
    if spec.kind is Kind.TOKENS:
        return np.array([step])
    frame = np.zeros((1, spec.size), np.uint8)
    frame[0, list(step)] = 1  # type: ignore[arg-type]
    return frame


def _events(rows: Sequence[_Row], drawn: Drawn, spec: SequenceSpec) -> Iterator[tuple[int, Drew]]:
    """What was drawn for each row that is not idle."""
    for index, row in enumerate(rows):
        if row.number:
            value = drawn.steps[index]
            step: Step = int(value) if spec.kind is Kind.TOKENS else tuple(np.flatnonzero(value).tolist())
            yield index, Drew(row.number, step, float(drawn.logp[index]), float(drawn.refused[index]))


def _over(row: _Row, event: Drew, request: Request, spec: SequenceSpec, constraint: Constraint | None) -> bool:
    """Advance `row` by what was drawn; true where its piece is over."""
    row.taken += 1
    if constraint and event.step != spec.end:
        row.state = constraint.step(row.state, event.step)
    return event.step == spec.end or row.taken >= request.length


def _ending(row: _Row, event: Drew, spec: SequenceSpec, constraint: Constraint | None) -> Iterator[Drew | Ended]:
    """Where a piece is cut at its length, an automaton still closes it; frames are whole at any length."""
    whole = event.step == spec.end or spec.kind is Kind.FRAMES
    if constraint and not whole:
        yield from (Drew(row.number, step) for step in constraint.complete(row.state))
        whole = True
    yield Ended(row.number, whole)


def _rule(constraint: Constraint, rows: Sequence[_Row], spec: SequenceSpec) -> Any:
    """What each row's automaton allows: masks (B, V) for tokens, or a list of rules for frames."""
    allowed = [constraint.allowed(row.state) for row in rows]
    if spec.kind is Kind.FRAMES:
        return [rule if isinstance(rule, FrameRule) else None for rule in allowed]
    return np.array([mask_array(mask, spec.size) for mask in allowed if isinstance(mask, int)])
