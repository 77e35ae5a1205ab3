"""The generation loop: a batch with a row for each piece; a row whose piece is finished gets the next piece.

Steps are buffered until their piece is finished, but for the piece that is next in the output.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import Constraint, Sampler, SequenceSpec, Step, StepKind
from composer.api.sampler import BlockSampler
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG, Draw
from composer.generation.batched_constraint import BatchedConstraint, batched_constraint
from composer.generation.block_loop import generate_in_blocks
from composer.generation.request import Finished, Generated, GenerationRequest, OutputOrder, PieceQueue

STEPS_TO_CLOSE = 100
"""How many steps before its maximum length a piece is checked for whether its constraint must close it."""


def generate_batched(
    sampler: Sampler,
    spec: SequenceSpec,
    request: GenerationRequest,
    constraint: Constraint | None,
    queue: PieceQueue,
    order: OutputOrder,
) -> Iterator[Generated | Finished]:
    """Generate `request.batch_size` pieces at a time; a piece's own events come in order.

    The consumer handles the end of a piece before its row gets the next one.
    """
    params, ramp = BatchSamplingParams.from_params(request.sampling, request.batch_size), request.sampling.ramp
    primed = sampler.initial_state([request.conditions])
    for step in request.primer:
        primed = sampler.advance(primed, _as_array(step, spec))
    if constraint is None and isinstance(sampler, BlockSampler):
        yield from generate_in_blocks(sampler, spec, request, queue, params, primed)
        return
    followed = batched_constraint(constraint, spec, request.primer, request.batch_size)
    batch, rows = _Batch(spec, request, followed, queue, order), np.arange(request.batch_size)
    state = sampler.gather_rows(primed, np.zeros_like(rows))
    yield from batch.start_pieces(rows.tolist())
    while any(batch.piece_numbers):
        if ramp is not None:
            params = params.with_temperature(ramp.at_steps(batch.lengths - len(request.primer)))
        drawn = sampler.sample(state, batch.constraint.constrain(params), batch.rng.at_steps(batch.lengths))
        state = sampler.advance(state, drawn.steps)
        finished = yield from batch.append(drawn)
        if finished:
            state = sampler.gather_rows(state, np.where(np.isin(rows, finished), -1, rows), primed)
            yield from batch.start_pieces(finished)


class _Batch:
    """The pieces that are being generated.

    Per row: the number of its piece (0 if idle), the piece's length so far with its primer, the steps that were sampled
    but not emitted, and, near the maximum length, the ending that the constraint knew a step ago. Most are lists, since
    most steps change few rows.
    """

    def __init__(
        self,
        spec: SequenceSpec,
        request: GenerationRequest,
        constraint: BatchedConstraint,
        queue: PieceQueue,
        order: OutputOrder,
    ) -> None:
        self.spec, self.request, self.constraint, self.queue, self.order = spec, request, constraint, queue, order
        self.piece_numbers = [0] * request.batch_size
        self.lengths = np.zeros(request.batch_size, np.int64)
        self.steps_left = request.length
        """Steps that the longest piece has left."""
        self.must_close = spec.kind is StepKind.TOKENS and type(constraint) is not BatchedConstraint
        self.completions: list[Sequence[Step]] = [()] * request.batch_size
        self.pending = [_PendingSteps() for _ in self.piece_numbers]

    def start_pieces(self, idle: Sequence[int]) -> Iterator[Generated]:
        """Start the next piece, with its primer, in each idle row."""
        for row in idle:
            self.piece_numbers[row] = number = self.queue.next()
            self.completions[row] = ()
            self.pending[row].clear()
            if number and self.request.primer:
                yield Generated.not_sampled(number, self.request.primer)
        self.lengths[idle] = len(self.request.primer)
        lengths = (length for length, number in zip(self.lengths.tolist(), self.piece_numbers, strict=True) if number)
        self.steps_left = self.request.length - max(lengths, default=0)
        self.constraint.start_rows(idle)
        self.rng = CounterRNG(map(self.queue.seed, self.piece_numbers))

    def append(self, drawn: Draw) -> Generator[Generated | Finished, None, list[int]]:
        """Append one step to each piece and yield what is due; return the rows whose pieces are finished."""
        steps = self._steps_by_row(drawn)
        for pending, *values in zip(self.pending, steps, drawn.logp.tolist(), drawn.masked_prob.tolist(), strict=True):
            pending.add(*values)
        self.lengths += 1
        self.steps_left -= 1
        self.constraint.advance(steps, self.piece_numbers)
        finished: list[int] = []
        if self.steps_left < (STEPS_TO_CLOSE if self.must_close else 1) or self.spec.end in steps:
            for row, number in enumerate(self.piece_numbers):
                if number and (yield from self._finish_if_over(row, steps[row])):
                    finished.append(row)
        current = self.order.current
        if current and current in self.piece_numbers:
            yield from self._emit_pending(self.piece_numbers.index(current))
        return finished

    def _finish_if_over(self, row: int, step: Step) -> Generator[Generated | Finished, None, bool]:
        """Finish a piece whose end was sampled, that reached its maximum length, or that must close now."""
        left = self.request.length - int(self.lengths[row])
        if step == self.spec.end:
            yield from self._finish(row, (), complete=True)
            return True
        if self.must_close and left < STEPS_TO_CLOSE:
            previous, self.completions[row] = self.completions[row], self.constraint.complete(row)
            if previous and len(self.completions[row]) > left:
                # after this step the ending would no longer fit
                self.pending[row].drop_last()
                yield from self._finish(row, previous, complete=True)
                return True
        if left > 0:
            return False
        frames = self.spec.kind is StepKind.FRAMES  # complete at any length
        ending = () if frames else self.completions[row]
        yield from self._finish(row, ending, complete=frames or bool(ending))
        return True

    def _finish(self, row: int, ending: Sequence[Step], *, complete: bool) -> Iterator[Generated | Finished]:
        """Yield the rest of a piece and the `ending` that its constraint adds."""
        number = self.piece_numbers[row]
        yield from self._emit_pending(row)
        if ending:
            yield Generated.not_sampled(number, ending)
        yield Finished(number, complete, self.queue.seed(number))
        self.piece_numbers[row] = 0

    def _emit_pending(self, row: int) -> Iterator[Generated]:
        """Yield the steps of a row's piece that were not emitted yet."""
        pending = self.pending[row]
        if pending.steps:
            yield Generated(self.piece_numbers[row], *pending.take_all())

    def _steps_by_row(self, drawn: Draw) -> Sequence[Step]:
        if self.spec.kind is StepKind.TOKENS:
            steps: Sequence[Step] = drawn.steps.tolist()
            return steps
        return [tuple(np.flatnonzero(frame).tolist()) for frame in drawn.steps]


class _PendingSteps:
    """Steps of a piece that were sampled but not emitted, with their probabilities."""

    __slots__ = ("logp", "masked_prob", "steps")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.steps: list[Step] = []
        self.logp: list[float] = []
        self.masked_prob: list[float] = []

    def add(self, step: Step, logp: float, masked_prob: float) -> None:
        self.steps.append(step)
        self.logp.append(logp)
        self.masked_prob.append(masked_prob)

    def drop_last(self) -> None:
        del self.steps[-1:], self.logp[-1:], self.masked_prob[-1:]

    def take_all(self) -> tuple[Sequence[Step], Sequence[float], Sequence[float]]:
        taken = self.steps, self.logp, self.masked_prob
        self.clear()
        return taken


def _as_array(step: Step, spec: SequenceSpec) -> NDArray[Any]:
    """Return one step as the steps of a batch of one row."""
    if spec.kind is StepKind.TOKENS:
        return np.array([step])
    frame = np.zeros((1, spec.size), np.uint8)
    frame[0, list(step)] = 1  # type: ignore[arg-type]
    return frame
