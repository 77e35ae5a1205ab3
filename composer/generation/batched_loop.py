"""The generation loop: a batch with a row for each piece; a row whose piece is finished gets the next piece.

Steps are buffered until their piece is finished, but for the piece that is next in the output. A piece that does not
close goes back to the state before its ending.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from composer.api import Constraint, FrameRule, Sampler, SequenceSpec, Step, StepKind
from composer.api.sampler import BlockSampler, State
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG, Draw
from composer.generation.batched_constraint import batched_constraint
from composer.generation.block_loop import generate_in_blocks
from composer.generation.endings import CLOSES, Attempt, ChosenEnding, EndingInProgress, Endings
from composer.generation.length_limit import next_check
from composer.generation.pending_steps import PendingSteps
from composer.generation.plans import PlannedConstraints
from composer.generation.primed_state import position_features, prime, steps_by_row
from composer.generation.request import Chosen, Finished, Generated, GenerationRequest, OutputOrder, PieceQueue

MAX_REDRAWS = 16
"""How often a frame that the constraint does not favor is drawn again, before it is taken."""
REDRAWS = 0x5265647261777321
"""Turns the seed of a piece into that of the numbers that decide about redraws."""
NEVER = 2**62


def generate_batched(
    sampler: Sampler,
    spec: SequenceSpec,
    request: GenerationRequest,
    constraint: Constraint | PlannedConstraints | None,
    queue: PieceQueue,
    order: OutputOrder,
    endings: Endings | None = None,
) -> Iterator[Generated | Finished]:
    """Generate `request.batch_size` pieces at a time; a piece's own events come in order.

    The consumer handles the end of a piece before its row gets the next one.
    """
    params, ramp = BatchSamplingParams.from_params(request.sampling, request.batch_size), request.sampling.ramp
    if constraint is None and isinstance(sampler, BlockSampler) and not spec.features:
        yield from generate_in_blocks(sampler, spec, request, queue, params, prime(sampler, spec, request, None))
        return
    batch, rows = _Batch(sampler, spec, request, constraint, queue, order, endings), range(request.batch_size)
    state = sampler.gather_rows(batch.default_state, np.zeros(len(rows), int))
    yield from batch.start_pieces(rows)
    state = batch.primed(state, rows)
    while any(batch.piece_numbers):
        if ramp is not None:
            params = params.with_temperature(ramp.at_steps(batch.lengths - len(request.primer)))
        batch.begin_endings(state)
        constrained = batch.constraint.constrain(params)
        drawn = sampler.sample(state, constrained, batch.rng.at_steps(batch.draws))
        steps = batch.follow(drawn, constrained)
        state = sampler.advance(state, drawn.steps, batch.active, **position_features(batch.constraint.features()))
        finished = yield from batch.append(drawn, steps)
        state = batch.rewound(state)
        if finished:
            yield from batch.start_pieces(finished)
            state = batch.primed(state, finished)


class _Batch:
    """The pieces that are being generated.

    Per row: the number of its piece (0 if idle), the piece's length so far with its primer, how many `draws` of random
    numbers led there, the steps that were sampled but not emitted, the ending that may be generated again, the length
    at which the constraint is asked next how it completes the piece, and what it answered if that was a step ago. Most
    are lists, since most steps change few rows.
    """

    def __init__(
        self,
        sampler: Sampler,
        spec: SequenceSpec,
        request: GenerationRequest,
        constraint: Constraint | PlannedConstraints | None,
        queue: PieceQueue,
        order: OutputOrder,
        endings: Endings | None,
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
        self.lengths, self.draws = np.zeros((2, request.batch_size), np.int64)
        self.active: NDArray[np.bool_] | None = None
        """The rows (B,) whose last step was taken, and not to be drawn again; None if all."""
        self.redraws = [0] * request.batch_size
        """How often the next step of each row was drawn in vain."""
        self.steps_left = request.length
        """Steps that the longest piece has left."""
        self.must_close = spec.kind is StepKind.TOKENS and constraint is not None
        self.completions: list[Sequence[Step]] = [()] * request.batch_size
        self.check_lengths = np.full(request.batch_size, NEVER)
        self.pending = [PendingSteps() for _ in self.piece_numbers]
        self._how_to_end = endings
        self.ending_steps = np.full(request.batch_size, -1)
        self.endings: list[EndingInProgress | None] = [None] * request.batch_size
        self._to_rewind: list[int] = []

    def start_pieces(self, idle: Sequence[int]) -> Iterator[Generated]:
        """Start the next piece, with its primer, in each idle row."""
        for row in idle:
            self.piece_numbers[row] = number = self.queue.next()
            self.endings[row] = None
            self.pending[row].clear()
            if self._planned is not None:
                self.plans[row], constraint = self._planned.of_seed(self._seed(row))
                self.constraint.start_rows([row], constraint)
            if number and self.request.primer and self._how_to_end is None:
                yield Generated.not_sampled(number, self.request.primer, self.plans[row])
            self.ending_steps[row] = self._ending_step(self.plans[row])
        self.lengths[idle] = self.draws[idle] = len(self.request.primer)
        self._count_steps_left()
        if self._planned is None:
            self.constraint.start_rows(idle)
        for row in idle:
            self.check_lengths[row] = NEVER
            self.completions[row] = ()
            if self.must_close and self.piece_numbers[row]:
                self._complete(row)
        seeds = [*map(self.queue.seed, self.piece_numbers)]
        # numbers of their own for redraws: how many the sampler uses may depend on the other rows
        self.rng, self._redraw_rng = CounterRNG(seeds), CounterRNG(seed ^ REDRAWS for seed in seeds)

    def _ending_step(self, plan: str) -> int:
        """Return the number of steps before the ending of a piece with this plan, -1 if it has none."""
        if self.request.ending is not None:
            return self.request.ending.step
        first = self._how_to_end.first_step(plan) if self._how_to_end is not None else None
        return -1 if first is None else max(first, len(self.request.primer))

    def _count_steps_left(self) -> None:
        lengths = (length for length, number in zip(self.lengths.tolist(), self.piece_numbers, strict=True) if number)
        self.steps_left = self.request.length - max(lengths, default=0)

    def _complete(self, row: int) -> Sequence[Step]:
        """Return how the constraint completes a row's piece, and plan the next time that it is asked."""
        found, length = self.constraint.complete(row), int(self.lengths[row])
        self.check_lengths[row] = next_check(self.request.length, length, len(found))
        self.completions[row] = found if self.check_lengths[row] == length + 1 else ()
        return found

    def begin_endings(self, state: State) -> None:
        """Remember the state of each row whose ending begins, or begin the recorded ending."""
        for row in np.flatnonzero(self.lengths == self.ending_steps).tolist():
            self.check_lengths[row] = self.lengths[row] + 1 if self.must_close and self.piece_numbers[row] else NEVER
            if self.request.ending is not None:
                self.draws[row] = max(self.draws[row], self.request.ending.draws)
            elif self.endings[row] is None and self.piece_numbers[row]:
                own = self.sampler.gather_rows(state, np.array([row]))
                before = own, self.constraint.row_state(row), self.completions[row]
                self.endings[row] = EndingInProgress(int(self.lengths[row]), int(self.draws[row]), *before)

    def rewound(self, state: State) -> State:
        """Return the sampler's state with those rows as before their ending that are to end otherwise."""
        every = np.arange(self.request.batch_size)
        while self._to_rewind:
            row = self._to_rewind.pop()
            ending = self.endings[row]
            assert ending is not None
            state = self.sampler.gather_rows(state, np.where(every == row, -1, every), ending.state)
        return state

    def primed(self, state: State, rows: Sequence[int]) -> State:
        """Return the sampler's state with these rows as after the primer of their new pieces."""
        every = np.arange(self.request.batch_size)
        if self._planned is None:
            return self.sampler.gather_rows(state, np.where(np.isin(every, rows), -1, every), self.default_state)
        by_plan = dict[str, list[int]]()
        for row in rows:
            by_plan.setdefault(self._planned.of_seed(self._seed(row))[0], []).append(row)
        for plan, same in by_plan.items():  # each copies the state of all rows
            _, constraint = self._planned.of_seed(self._seed(same[0]))
            primed = prime(self.sampler, self.spec, self.request, constraint, self._planned.labels(plan))
            state = self.sampler.gather_rows(state, np.where(np.isin(every, same), -1, every), primed)
        return state

    def _seed(self, row: int) -> int:
        """Return the seed of a row's piece; an idle row has that of the first piece."""
        number = self.piece_numbers[row]
        return self.queue.seed(number) if number else self.request.seed

    def follow(self, drawn: Draw, params: BatchSamplingParams) -> Sequence[Step]:
        """Follow the constraint one step in each row whose step, drawn with `params`, is taken; return the steps."""
        steps, numbers = steps_by_row(drawn, self.spec), self.piece_numbers
        again = self._to_draw_again(steps, params) if self.spec.kind is StepKind.FRAMES else ()
        self.active = None
        if again:
            self.active = np.ones(len(numbers), bool)
            self.active[again] = False
            numbers = [0 if row in again else number for row, number in enumerate(numbers)]
        self.redraws = [redraws + 1 if row in again else 0 for row, redraws in enumerate(self.redraws)]
        self.constraint.advance(steps, numbers)
        return steps

    def _to_draw_again(self, steps: Sequence[Step], params: BatchSamplingParams) -> Sequence[int]:
        """Return the rows whose frame is not taken, by the factor that the constraint gives it.

        A frame that would come out the same is taken.
        """
        weights = self.constraint.log_weights(steps)
        if not any(weights):
            return ()
        is_taken = self._redraw_rng.at_steps(self.draws).uniform(len(weights), 1)[:, 0] < np.exp(weights)
        assert params.rule is not None
        is_taken |= params.is_greedy | _fixed_as_a_whole(params.rule, self.spec.size)
        rows = enumerate(zip(self.piece_numbers, self.redraws, strict=True))
        return [row for row, (number, redraws) in rows if number and redraws < MAX_REDRAWS and not is_taken[row]]

    def append(self, drawn: Draw, steps: Sequence[Step]) -> Generator[Generated | Finished, None, list[int]]:
        """Append one step to each piece and yield what is due; return the rows whose pieces are finished."""
        taken = [True] * len(self.pending) if self.active is None else self.active.tolist()
        values = zip(steps, drawn.logp.tolist(), drawn.masked_prob.tolist(), strict=True)
        for pending, value, is_taken in zip(self.pending, values, taken, strict=True):
            if is_taken:
                pending.add(*value)
        self.lengths += taken
        self.draws += 1
        self.steps_left -= 1
        finished: list[int] = []
        near_end = self.steps_left < 1 or (self.lengths >= self.check_lengths).any()
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
            return (yield from self._finish(row, (), complete=True))
        if self.lengths[row] >= self.check_lengths[row]:
            previous = self.completions[row]
            if len(self._complete(row)) > left and previous:
                # after this step the ending would no longer fit
                self.pending[row].cut(-1)
                return (yield from self._finish(row, previous, complete=True))
        if left > 0:
            return False
        frames = self.spec.kind is StepKind.FRAMES  # complete at any length
        ending = () if frames else self.completions[row]
        return (yield from self._finish(row, ending, complete=frames or bool(ending)))

    def _finish(
        self, row: int, completion: Sequence[Step], *, complete: bool
    ) -> Generator[Generated | Finished, None, bool]:
        """Yield the rest of a piece and the `completion` that its constraint adds, unless it ends again otherwise."""
        number, chosen, ending = self.piece_numbers[row], None, self.endings[row]
        if ending is not None:
            if self._ends_again(row, ending, completion, complete):
                return False
            assert ending.best is not None
            completion, complete = ending.best.completion, ending.best.complete
            chosen = self._chosen(number, ending.chosen)
        if self.request.primer and self._how_to_end is not None:  # only now is it known how to reproduce the piece
            yield Generated.not_sampled(number, self.request.primer, self.plans[row], chosen)
        yield from self._emit_pending(row, chosen)
        if completion:
            yield Generated.not_sampled(number, completion, self.plans[row], chosen)
        yield Finished(number, complete, self.queue.seed(number))
        self.piece_numbers[row] = 0
        return True

    def _ends_again(self, row: int, ending: EndingInProgress, completion: Sequence[Step], complete: bool) -> bool:
        """Judge the ending of a row's piece. Go back to before it, or take the best attempt and return False."""
        how, pending, begun = self._how_to_end, self.pending[row], ending.step - len(self.request.primer)
        assert how is not None
        steps = (*self.request.primer, *pending.steps, *completion)
        value = how.judge(steps, self.plans[row]) if complete else -1.0
        ending.add(Attempt(value, ending.draws, *pending.after(begun), completion, complete))
        pending.cut(begun)
        assert ending.best is not None
        if value >= CLOSES or ending.attempts >= how.tries:
            pending.extend(ending.best.steps, ending.best.logp, ending.best.masked_prob)
            return False
        self.lengths[row], ending.draws, self.completions[row] = ending.step, int(self.draws[row]), ending.completion
        self.constraint.restore_row(row, ending.constraint_state)
        self._to_rewind.append(row)
        self._count_steps_left()
        return True

    def _chosen(self, number: int, ending: ChosenEnding | None) -> Chosen | None:
        """Return how the piece with this ending is reproduced; None if its seed is enough."""
        if ending is None:
            return None
        return self.queue.current_candidate(number)._replace(seed=self.queue.seed(number), ending=ending)

    def _emit_pending(self, row: int, chosen: Chosen | None = None) -> Iterator[Generated]:
        """Yield the steps of a row's piece that were not emitted yet."""
        pending = self.pending[row]
        if pending.steps:
            yield Generated(self.piece_numbers[row], *pending.take_all(), plan=self.plans[row], chosen=chosen)


def _fixed_as_a_whole(rules: Iterable[FrameRule | None], size: int) -> NDArray[np.bool_]:
    """Return in which rows (B,) the rule of a frame of `size` units leaves none of them free."""
    every = (1 << size) - 1
    return np.array([rule is not None and rule.must_be_off | rule.must_be_on == every for rule in rules])
