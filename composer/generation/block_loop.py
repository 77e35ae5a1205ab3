"""Generate many steps per transfer from a device, if no constraint must see each step before the next is sampled.

A row whose piece ends within a block samples on to the block's end, which is discarded; then it gets the next piece.
The pieces are the same as step by step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import SequenceSpec, Step, StepKind
from composer.api.sampler import BlockSampler, State
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG, Draw
from composer.generation.request import Finished, Generated, GenerationRequest, PieceQueue

MAX_BLOCK = 64
"""Maximum steps per block: longer ones save no more time, and rows that end within a block wait for it."""


def generate_in_blocks(
    sampler: BlockSampler,
    spec: SequenceSpec,
    request: GenerationRequest,
    queue: PieceQueue,
    params: BatchSamplingParams,
    primed: State,
) -> Iterator[Generated | Finished]:
    """Generate without a constraint; `primed` is the state of one row after the primer.

    A piece's own events come in order.
    """
    rows, begun, ramp = np.arange(request.batch_size), len(request.primer), request.sampling.ramp
    numbers, lengths = np.zeros_like(rows), np.full_like(rows, begun)
    state, idle = sampler.gather_rows(primed, np.zeros_like(rows)), rows
    block = _block_size(request.length - begun)
    while True:
        for row in idle.tolist():
            numbers[row], lengths[row] = queue.next(), begun
            if numbers[row] and request.primer:
                yield Generated.not_sampled(int(numbers[row]), request.primer)
        if not numbers.any():
            return
        rng = CounterRNG(map(queue.seed, numbers.tolist())).stream_from(lengths)
        if ramp is not None:
            params = params.with_temperature(ramp.at_steps(lengths - begun + np.arange(block)[:, None]))
        drawn, state = sampler.run(state, params, rng, block)
        counts, complete, finished = _cut(drawn, spec, request.length - lengths)
        for row in np.flatnonzero(numbers).tolist():
            number = int(numbers[row])
            yield _generated(number, drawn, row, int(counts[row]), spec)
            if finished[row]:
                yield Finished(number, bool(complete[row]), queue.seed(number))
        lengths += counts
        idle = np.flatnonzero((numbers > 0) & finished)
        if len(idle):
            state = sampler.gather_rows(state, np.where(np.isin(rows, idle), -1, rows), primed)


def _block_size(max_steps: int) -> int:
    """Return the steps per block for pieces of up to `max_steps`: equal blocks with few superfluous steps."""
    blocks = -(-max_steps // MAX_BLOCK)
    return -(-max_steps // blocks)


def _cut(drawn: Draw, spec: SequenceSpec, left: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return how many steps of each row count, whether its piece is complete with them, and whether it is finished.

    `left` (B,) is how many more steps each piece may have.
    """
    block = drawn.steps.shape[1]
    if spec.kind is StepKind.FRAMES:
        return np.minimum(left, block), left <= block, left <= block
    ends = drawn.steps == spec.end
    until = np.where(ends.any(1), ends.argmax(1) + 1, block + 1)
    complete = until <= np.minimum(left, block)
    counts = np.minimum(np.minimum(until, left), block)
    return counts, complete, complete | (left <= block)


def _generated(number: int, drawn: Draw, row: int, count: int, spec: SequenceSpec) -> Generated:
    """Return the first `count` steps of a row."""
    steps: Sequence[Step] = drawn.steps[row, :count].tolist()
    if spec.kind is StepKind.FRAMES:
        steps = [tuple(np.flatnonzero(frame).tolist()) for frame in drawn.steps[row, :count]]
    return Generated(number, steps, drawn.logp[row, :count].tolist(), drawn.masked_prob[row, :count].tolist())
