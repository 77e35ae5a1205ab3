"""Composing: a sampler, a representation's spec and a request become a stream of steps, piece by piece.

A piece is a function of the model, its own seed and the request alone. Rows that compose side by side share one
matrix product, whose last bit depends on how many rows there are, so the number of rows (the width) never changes
while pieces are composed, and is part of a piece's record.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import Constraint, FrameRule, Kind, Sampler, SequenceSpec, Step, UsageError
from composer.api.model import Running
from composer.api.sampling import CounterNoise, Drawn, How, mask_array

MAX_WIDTH = 64
CLOSING = 100
"""So many steps before its length a piece is watched, so that an automaton can complete it in time."""
MOST_RULES = 10_000
"""How many sets of tokens are remembered as arrays."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to compose: `count` pieces of at most `length` steps each, the primer included.

    Piece n (from 1) has the seed `seed` + n - 1, so that any one of many can be had again alone. `width` is how many
    are composed side by side, 0 for as many as are worth it. Filters are those of `composer.api.sampling.How`. Raises
    UsageError where the primer leaves nothing to compose.
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

    def __post_init__(self) -> None:
        if len(self.primer) >= self.length:
            raise UsageError(
                f"the primer takes {len(self.primer)} steps of a piece of {self.length}", "ask for a longer --length"
            )

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
    if constraint is None and isinstance(sampler, Running):
        from composer.core.blockwise import in_blocks

        events = in_blocks(sampler, spec, request, _how(request), _primed(sampler, spec, request))
    else:
        events = _side_by_side(sampler, spec, request, constraint)
    for event in events:
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


class _Rows:
    """Where pieces are composed. Per row: the piece's number (0 when idle), its steps so far, its automaton's state,
    and, near the end, the ending that its automaton knows.
    """  # fmt: skip

    def __init__(self, request: Request, opened: int) -> None:
        self.request, self.opened = request, opened
        self.numbers = [0] * request.rows
        self.endings: list[Sequence[Step]] = [()] * request.rows
        self.states = [opened] * request.rows
        self.taken = np.zeros(request.rows, np.int64)
        self._waiting = iter(range(1, request.count + 1))

    def seat(self, idle: Iterable[int]) -> Iterator[Drew]:
        """Give each idle row the next piece, beginning with its primer."""
        for row in idle:
            self.numbers[row], self.states[row], self.endings[row] = next(self._waiting, 0), self.opened, ()
            self.taken[row] = len(self.request.primer)
            if self.numbers[row]:
                yield from (Drew(self.numbers[row], step) for step in self.request.primer)
        self.noise = CounterNoise(self.request.seed + number - 1 for number in self.numbers)


def _side_by_side(
    sampler: Sampler, spec: SequenceSpec, request: Request, constraint: Constraint | None
) -> Iterator[Drew | Ended]:
    """Compose `request.rows` pieces at a time, and give a row whose piece ends the next piece."""
    rows = _Rows(request, constraint.start(request.primer) if constraint else 0)
    places = np.arange(request.rows)
    primed = _primed(sampler, spec, request)
    state = sampler.select(primed, np.zeros_like(places))
    how = _how(request)
    yield from rows.seat(places.tolist())
    rules = _Rules(spec)
    while any(rows.numbers):
        if constraint:
            how = how.under(rules.of(constraint, rows.states))
        drawn = sampler.sample(state, how, rows.noise.at(rows.taken))
        state = sampler.observe(state, drawn.steps)
        rows.taken += 1
        idle = []
        for row, (number, step, logp, refused) in enumerate(_rowwise(rows.numbers, drawn, spec)):
            if not number:
                continue
            left = request.length - int(rows.taken[row])
            if constraint and step != spec.end:
                after = constraint.step(rows.states[row], step)
                if left < CLOSING and spec.kind is Kind.TOKENS:
                    closing, rows.endings[row] = rows.endings[row], constraint.complete(after)
                    if len(rows.endings[row]) > left and closing:
                        # the step would lead too far from the end
                        idle.append(row)
                        yield from (Drew(number, each) for each in closing)
                        yield Ended(number, True)
                        continue
                rows.states[row] = after
            yield Drew(number, step, logp, refused)
            if step == spec.end or left <= 0:
                idle.append(row)
                yield from _ending(number, step, rows.states[row], spec, constraint)
        if idle:
            state = sampler.select(state, np.where(np.isin(places, idle), -1, places), primed)
            yield from rows.seat(idle)


def _how(request: Request) -> How:
    return How.of(
        request.rows,
        temperature=request.temperature,
        top_k=request.top_k,
        top_p=request.top_p,
        min_p=request.min_p,
    )


def _primed(sampler: Sampler, spec: SequenceSpec, request: Request) -> Any:
    """The state of one row after the primer."""
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


def _rowwise(numbers: Sequence[int], drawn: Drawn, spec: SequenceSpec) -> Iterator[tuple[int, Step, float, float]]:
    """What was drawn, row by row: (number, step, logp, refused)."""
    steps: Sequence[Step] = drawn.steps.tolist()
    if spec.kind is Kind.FRAMES:
        steps = [tuple(np.flatnonzero(frame).tolist()) for frame in drawn.steps]
    return zip(numbers, steps, drawn.logp.tolist(), drawn.refused.tolist(), strict=True)


def _ending(
    number: int, step: Step, state: int, spec: SequenceSpec, constraint: Constraint | None
) -> Iterator[Drew | Ended]:
    """Where a piece is cut at its length, an automaton that can still closes it; frames are whole at any length."""
    whole = step == spec.end or spec.kind is Kind.FRAMES
    if constraint and not whole:
        ending = constraint.complete(state)
        yield from (Drew(number, step) for step in ending)
        whole = bool(ending)
    yield Ended(number, whole)


class _Rules:
    """What each row's automaton allows: masks (B, V) for tokens, or a list of rules for frames."""

    def __init__(self, spec: SequenceSpec) -> None:
        self.spec = spec
        self._known: dict[int, NDArray[np.bool_]] = {}

    def of(self, constraint: Constraint, states: Sequence[int]) -> Any:
        """The rules in `states`."""
        allowed = [constraint.allowed(state) for state in states]
        if self.spec.kind is Kind.FRAMES:
            return [rule if isinstance(rule, FrameRule) else None for rule in allowed]
        rows = [self._row(mask) for mask in allowed if isinstance(mask, int)]
        return rows[0] if len(rows) == 1 else np.concatenate(rows)

    def _row(self, mask: int) -> NDArray[np.bool_]:
        """The set `mask` as an array (1, V); the same few sets come again and again."""
        row = self._known.get(mask)
        if row is None:
            if len(self._known) >= MOST_RULES:
                self._known.clear()
            row = self._known[mask] = mask_array(mask, self.spec.size)[None]
        return row
