"""Composing many steps at a time, where nothing must be known of a step before the next is drawn.

A sampler that runs on a device then gives a block of steps for all rows at once. A row whose piece ends within a block
draws on to the block's end, which is thrown away; then it is given the next piece. A piece is the same as step by step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import SequenceSpec, Step, StepKind
from composer.api.sampler import BlockSampler, State
from composer.api.sampling.filters import CounterRNG, Draw, SamplingParams
from composer.generation.generate import Drew, Ended, Request, Seats
from composer.generation.temperature import TemperatureCurve

LONGEST = 64
"""The most steps of a block: of a transfer nothing more is to be gained, and what ends within a block waits."""


def in_blocks(
    sampler: BlockSampler,
    spec: SequenceSpec,
    request: Request,
    seats: Seats,
    params: SamplingParams,
    curve: TemperatureCurve | None,
    primed: State,
) -> Iterator[Drew | Ended]:
    """Compose without an automaton; `primed` is the state of one row after the primer.

    The events of a piece come in order, those of different pieces in any.
    """
    rows = np.arange(request.rows)
    numbers, taken = np.zeros_like(rows), np.full_like(rows, len(request.primer))
    state, idle = sampler.gather_rows(primed, np.zeros_like(rows)), rows
    length = _block(request.length - len(request.primer))
    while True:
        for row in idle.tolist():
            numbers[row], taken[row] = seats.next(), len(request.primer)
            if numbers[row] and request.primer:
                yield Drew.given(int(numbers[row]), request.primer)
        if not numbers.any():
            return
        rng = CounterRNG(map(seats.seed, numbers.tolist())).stream_from(taken)
        if curve is not None:
            params = params.with_temperature(curve.at(taken - len(request.primer) + np.arange(length)[:, None]))
        drawn, state = sampler.run(state, params, rng, length)
        counts, whole, over = _cut(drawn, spec, request.length - taken)
        for row in np.flatnonzero(numbers).tolist():
            number = int(numbers[row])
            yield _drew(number, drawn, row, int(counts[row]), spec)
            if over[row]:
                yield Ended(number, bool(whole[row]), seats.seed(number))
        taken += counts
        idle = np.flatnonzero((numbers > 0) & over)
        if len(idle):
            state = sampler.gather_rows(state, np.where(np.isin(rows, idle), -1, rows), primed)


def _block(longest: int) -> int:
    """How many steps a block has, where a piece takes up to so many: blocks of equal length, and few steps too many."""
    blocks = -(-longest // LONGEST)
    return -(-longest // blocks)


def _cut(drawn: Draw, spec: SequenceSpec, left: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Of each row, how many of its steps count, whether its piece is whole with these, and whether it is over.

    `left` (B,) is how many more steps each piece may take.
    """
    length = drawn.steps.shape[1]
    if spec.kind is StepKind.FRAMES:
        return np.minimum(left, length), left <= length, left <= length
    ends = drawn.steps == spec.end
    until = np.where(ends.any(1), ends.argmax(1) + 1, length + 1)
    whole = until <= np.minimum(left, length)
    counts = np.minimum(np.minimum(until, left), length)
    return counts, whole, whole | (left <= length)


def _drew(number: int, drawn: Draw, row: int, count: int, spec: SequenceSpec) -> Drew:
    """The first `count` steps of a row."""
    steps: Sequence[Step] = drawn.steps[row, :count].tolist()
    if spec.kind is StepKind.FRAMES:
        steps = [tuple(np.flatnonzero(frame).tolist()) for frame in drawn.steps[row, :count]]
    return Drew(number, steps, drawn.logp[row, :count].tolist(), drawn.masked_prob[row, :count].tolist())
