"""The generation loop: a batch with a row for each piece; a row whose piece is finished gets the next piece.

Steps are buffered until their piece is finished, but for the piece that is next in the output.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import Constraint, Sampler, SequenceSpec, Step, StepKind
from composer.api.sampler import BlockSampler, State
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG, Draw
from composer.generation.batched_constraint import batched_constraint
from composer.generation.block_loop import generate_in_blocks
from composer.generation.plans import PlannedConstraints
from composer.generation.request import Finished, Generated, GenerationRequest, OutputOrder, PieceQueue

STEPS_TO_CLOSE = 100
"""How many steps before its maximum length a piece is checked for whether its constraint must close it."""


def generate_batched(
    sampler: Sampler,
    spec: SequenceSpec,
    request: GenerationRequest,
    constraint: Constraint | PlannedConstraints | None,
    queue: PieceQueue,
    order: OutputOrder,
) -> Iterator[Generated | Finished]:
    """Generate `request.batch_size` pieces at a time; a piece's own events come in order.

    The consumer handles the end of a piece before its row gets the next one.
    """
    params, ramp = BatchSamplingParams.from_params(request.sampling, request.batch_size), request.sampling.ramp
    if constraint is None and isinstance(sampler, BlockSampler) and not spec.features:
        yield from generate_in_blocks(sampler, spec, request, queue, params, prime(sampler, spec, request, None))
        return
    batch, rows = _Batch(sampler, spec, request, constraint, queue, order), range(request.batch_size)
    state = sampler.gather_rows(batch.default_state, np.zeros(len(rows), int))
    yield from batch.start_pieces(rows)
    state = batch.primed(state, rows)
    while any(batch.piece_numbers):
        if ramp is not None:
            params = params.with_temperature(ramp.at_steps(batch.lengths - len(request.primer)))
        drawn = sampler.sample(state, batch.constraint.constrain(params), batch.rng.at_steps(batch.lengths))
        steps = batch.follow(drawn)
        state = sampler.advance(state, drawn.steps, **position_features(batch.constraint.features()))
        finished = yield from batch.append(drawn, steps)
        if finished:
            yield from batch.start_pieces(finished)
            state = batch.primed(state, finished)


def prime(
    sampler: Sampler,
    spec: SequenceSpec,
    request: GenerationRequest,
    constraint: Constraint | None,
    labels: Mapping[str, str] | None = None,
) -> State:
    """Return the state of one row after the primer, with the position features that `constraint` counts.

    Those of the `labels` that the model knows, and that were not requested otherwise, are conditions.
    """
    known = {name: label for name, label in (labels or {}).items() if label in spec.conditions.get(name, ())}

    def features(state: int | None) -> dict[str, Any]:
        return {} if state is None or constraint is None else position_features(np.array([constraint.features(state)]))

    followed = constraint.start(()) if constraint is not None and spec.features else None
    primed = sampler.initial_state([{**known, **request.conditions}], **features(followed))
    for step in request.primer:
        followed = None if followed is None or constraint is None else constraint.step(followed, step)
        primed = sampler.advance(primed, _as_array(step, spec), **features(followed))
    return primed


def position_features(values: NDArray[np.int64] | None) -> dict[str, Any]:
    """Return the parameter of a sampler for position features; none if there are none."""
    return {} if values is None else {"features": values}


def steps_by_row(drawn: Draw, spec: SequenceSpec) -> Sequence[Step]:
    """Return the drawn steps, frames as active units."""
    if spec.kind is StepKind.TOKENS:
        steps: Sequence[Step] = drawn.steps.tolist()
        return steps
    return [tuple(np.flatnonzero(frame).tolist()) for frame in drawn.steps]


class _Batch:
    """The pieces that are being generated.

    Per row: the number of its piece (0 if idle), the piece's length so far with its primer, the steps that were sampled
    but not emitted, and, near the maximum length, the ending that the constraint knew a step ago. Most are lists, since
    most steps change few rows.
    """

    def __init__(
        self,
        sampler: Sampler,
        spec: SequenceSpec,
        request: GenerationRequest,
        constraint: Constraint | PlannedConstraints | None,
        queue: PieceQueue,
        order: OutputOrder,
    ) -> None:
        self.sampler, self.spec, self.request, self.queue, self.order = sampler, spec, request, queue, order
        self._planned = constraint if isinstance(constraint, PlannedConstraints) else None
        first = constraint.of_seed(request.seed)[1] if isinstance(constraint, PlannedConstraints) else constraint
        self.default_state = prime(sampler, spec, request, first)
        self.constraint = batched_constraint(
            first, spec, request.primer, request.batch_size, same_in_all_rows=self._planned is None
        )
        self.plans = [""] * request.batch_size
        self.piece_numbers = [0] * request.batch_size
        self.lengths = np.zeros(request.batch_size, np.int64)
        self.steps_left = request.length
        """Steps that the longest piece has left."""
        self.must_close = spec.kind is StepKind.TOKENS and constraint is not None
        self.completions: list[Sequence[Step]] = [()] * request.batch_size
        self.pending = [_PendingSteps() for _ in self.piece_numbers]

    def start_pieces(self, idle: Sequence[int]) -> Iterator[Generated]:
        """Start the next piece, with its primer, in each idle row."""
        for row in idle:
            self.piece_numbers[row] = number = self.queue.next()
            self.completions[row] = ()
            self.pending[row].clear()
            if self._planned is not None:
                self.plans[row], constraint = self._planned.of_seed(self._seed(row))
                self.constraint.start_rows([row], constraint)
            if number and self.request.primer:
                yield Generated.not_sampled(number, self.request.primer, self.plans[row])
        self.lengths[idle] = len(self.request.primer)
        lengths = (length for length, number in zip(self.lengths.tolist(), self.piece_numbers, strict=True) if number)
        self.steps_left = self.request.length - max(lengths, default=0)
        if self._planned is None:
            self.constraint.start_rows(idle)
        self.rng = CounterRNG(map(self.queue.seed, self.piece_numbers))

    def primed(self, state: State, rows: Sequence[int]) -> State:
        """Return the sampler's state with these rows as after the primer of their new pieces."""
        every = np.arange(self.request.batch_size)
        if self._planned is None:
            return self.sampler.gather_rows(state, np.where(np.isin(every, rows), -1, every), self.default_state)
        for row in rows:
            plan, constraint = self._planned.of_seed(self._seed(row))
            primed = prime(self.sampler, self.spec, self.request, constraint, self._planned.labels(plan))
            state = self.sampler.gather_rows(state, np.where(every == row, -1, every), primed)
        return state

    def _seed(self, row: int) -> int:
        """Return the seed of a row's piece; an idle row has that of the first piece."""
        number = self.piece_numbers[row]
        return self.queue.seed(number) if number else self.request.seed

    def follow(self, drawn: Draw) -> Sequence[Step]:
        """Follow the constraint one step in each row, and return the steps."""
        steps = steps_by_row(drawn, self.spec)
        self.constraint.advance(steps, self.piece_numbers)
        return steps

    def append(self, drawn: Draw, steps: Sequence[Step]) -> Generator[Generated | Finished, None, list[int]]:
        """Append one step to each piece and yield what is due; return the rows whose pieces are finished."""
        for pending, *values in zip(self.pending, steps, drawn.logp.tolist(), drawn.masked_prob.tolist(), strict=True):
            pending.add(*values)
        self.lengths += 1
        self.steps_left -= 1
        finished: list[int] = []
        near_end = self.steps_left < (STEPS_TO_CLOSE if self.must_close else 1)
        if near_end or self.constraint.ended or self.spec.end in steps:
            for row, number in enumerate(self.piece_numbers):
                if number and (yield from self._finish_if_over(row, steps[row])):
                    finished.append(row)
        current = self.order.current
        if current and current in self.piece_numbers:
            yield from self._emit_pending(self.piece_numbers.index(current))
        return finished

    def _finish_if_over(self, row: int, step: Step) -> Generator[Generated | Finished, None, bool]:
        """Finish a piece that ended, that reached its maximum length, or that must close now."""
        left = self.request.length - int(self.lengths[row])
        if step == self.spec.end or row in self.constraint.ended:
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
            yield Generated.not_sampled(number, ending, self.plans[row])
        yield Finished(number, complete, self.queue.seed(number))
        self.piece_numbers[row] = 0

    def _emit_pending(self, row: int) -> Iterator[Generated]:
        """Yield the steps of a row's piece that were not emitted yet."""
        pending = self.pending[row]
        if pending.steps:
            yield Generated(self.piece_numbers[row], *pending.take_all(), plan=self.plans[row])


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
