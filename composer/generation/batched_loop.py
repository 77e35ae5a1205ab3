"""The loop that composes: a row for each piece, all rows at a time, and the next piece for a row whose piece is over.

What is drawn is kept in arrays until a piece is over, but for the piece whose turn it is: that one is told step by
step.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import Constraint, Sampler, SequenceSpec, Step, StepKind
from composer.api.sampler import BlockSampler
from composer.api.sampling.filters import CounterRNG, Draw, SamplingParams
from composer.generation.batched_constraint import Anything, Rules, rules
from composer.generation.generate import Drew, Ended, Request, Seats, Turn
from composer.generation.temperature import TemperatureCurve

CLOSING = 100
"""So many steps before its length a piece is watched, so that an automaton can complete it in time."""


def events(
    sampler: Sampler, spec: SequenceSpec, request: Request, constraint: Constraint | None, seats: Seats, turn: Turn
) -> Iterator[Drew | Ended]:
    """Compose `request.rows` pieces at a time. The events of a piece come in order, those of different ones in any.

    What the consumer does of a piece that has ended comes before its row's next one.
    """
    how, curve = _how(request)
    primed = sampler.initial_state([request.conditions])
    for step in request.primer:
        primed = sampler.advance(primed, _as_array(step, spec))
    if constraint is None and isinstance(sampler, BlockSampler):
        from composer.generation.block_loop import in_blocks

        yield from in_blocks(sampler, spec, request, seats, how, curve, primed)
        return
    rows = _Rows(spec, request, rules(constraint, spec, request.primer, request.rows), seats, turn)
    places = np.arange(request.rows)
    state = sampler.gather_rows(primed, np.zeros_like(places))
    yield from rows.seat(places.tolist())
    while any(rows.numbers):
        if curve is not None:
            how = how.with_temperature(curve.at(rows.taken - len(request.primer)))
        drawn = sampler.sample(state, rows.rules.under(how), rows.noise.at_steps(rows.taken))
        state = sampler.advance(state, drawn.steps)
        over = yield from rows.take(drawn)
        if over:
            state = sampler.gather_rows(state, np.where(np.isin(places, over), -1, places), primed)
            yield from rows.seat(over)


def _how(request: Request) -> tuple[SamplingParams, TemperatureCurve | None]:
    """How steps are drawn, and the curve of their temperature where that changes."""
    temperature = request.temperature
    curve = None if isinstance(temperature, int | float) else temperature
    how = SamplingParams.for_rows(
        request.rows,
        temperature=temperature if isinstance(temperature, int | float) else temperature.first,
        top_k=request.top_k,
        top_p=request.top_p,
        min_p=request.min_p,
    )
    return how, curve


class _Rows:
    """Where pieces are composed.

    Per row: the number of its piece (0 when idle), how many steps the piece has `taken`, primer and all, those that
    were drawn and not told yet, and the ending that its automaton knew a step ago, where the piece is near its length.
    Python's own lists, as there is little to do for most rows at most steps, and none of it is arithmetic.
    """

    def __init__(self, spec: SequenceSpec, request: Request, rules: Rules, seats: Seats, turn: Turn) -> None:
        self.spec, self.request, self.rules, self.seats, self.turn = spec, request, rules, seats, turn
        self.numbers = [0] * request.rows
        self.taken = np.zeros(request.rows, np.int64)
        self.left = request.length
        """How many steps the row with the fewest left has."""
        self.closes = spec.kind is StepKind.TOKENS and not isinstance(rules, Anything)
        self.endings: list[Sequence[Step]] = [()] * request.rows
        self.untold = [_Untold() for _ in self.numbers]

    def seat(self, idle: Sequence[int]) -> Iterator[Drew]:
        """Give each idle row the next piece, beginning with its primer."""
        for row in idle:
            self.numbers[row] = number = self.seats.next()
            self.endings[row] = ()
            self.untold[row].forget()
            if number and self.request.primer:
                yield Drew.given(number, self.request.primer)
        self.taken[idle] = len(self.request.primer)
        taken = (taken for taken, number in zip(self.taken.tolist(), self.numbers, strict=True) if number)
        self.left = self.request.length - max(taken, default=0)
        self.rules.begin(idle)
        self.noise = CounterRNG(map(self.seats.seed, self.numbers))

    def take(self, drawn: Draw) -> Generator[Drew | Ended, None, list[int]]:
        """Keep what was drawn, and tell what is to be told now; the rows whose pieces are over."""
        steps = self._steps(drawn)
        for untold, *figures in zip(self.untold, steps, drawn.logp.tolist(), drawn.masked_prob.tolist(), strict=True):
            untold.add(*figures)
        self.taken += 1
        self.left -= 1
        self.rules.follow(steps, self.numbers)
        over: list[int] = []
        if self.left < (CLOSING if self.closes else 1) or self.spec.end in steps:
            for row, number in enumerate(self.numbers):
                if number and (yield from self._judged(row, steps[row])):
                    over.append(row)
        current = self.turn.current
        if current and current in self.numbers:
            yield from self._tell(self.numbers.index(current))
        return over

    def _judged(self, row: int, step: Step) -> Generator[Drew | Ended, None, bool]:
        """End the piece in `row` where its end was drawn, where it is as long as may be, or where it must close now."""
        left = self.request.length - int(self.taken[row])
        if step == self.spec.end:
            yield from self._end(row, (), whole=True)
            return True
        if self.closes and left < CLOSING:
            closing, self.endings[row] = self.endings[row], self.rules.complete(row)
            if closing and len(self.endings[row]) > left:
                # the step would lead too far from the end, and is not taken
                self.untold[row].drop()
                yield from self._end(row, closing, whole=True)
                return True
        if left > 0:
            return False
        frames = self.spec.kind is StepKind.FRAMES  # which are whole at any length
        ending = () if frames else self.endings[row]
        yield from self._end(row, ending, whole=frames or bool(ending))
        return True

    def _end(self, row: int, ending: Sequence[Step], *, whole: bool) -> Iterator[Drew | Ended]:
        """Tell the rest of a piece, and the `ending` that its automaton adds."""
        number = self.numbers[row]
        yield from self._tell(row)
        if ending:
            yield Drew.given(number, ending)
        yield Ended(number, whole, self.seats.seed(number))
        self.numbers[row] = 0

    def _tell(self, row: int) -> Iterator[Drew]:
        """The steps of a row's piece that were not told yet."""
        untold = self.untold[row]
        if untold.steps:
            yield Drew(self.numbers[row], *untold.handed())

    def _steps(self, drawn: Draw) -> Sequence[Step]:
        """What was drawn, row by row."""
        if self.spec.kind is StepKind.TOKENS:
            steps: Sequence[Step] = drawn.steps.tolist()
            return steps
        return [tuple(np.flatnonzero(frame).tolist()) for frame in drawn.steps]


class _Untold:
    """Steps of a piece that were drawn and not told yet, with what is known of each."""

    __slots__ = ("logp", "masked_prob", "steps")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Keep nothing."""
        self.steps: list[Step] = []
        self.logp: list[float] = []
        self.masked_prob: list[float] = []

    def add(self, step: Step, logp: float, refused: float) -> None:
        """Keep one more."""
        self.steps.append(step)
        self.logp.append(logp)
        self.masked_prob.append(refused)

    def drop(self) -> None:
        """Keep the last one no longer."""
        del self.steps[-1:], self.logp[-1:], self.masked_prob[-1:]

    def handed(self) -> tuple[Sequence[Step], Sequence[float], Sequence[float]]:
        """All that was kept, which is kept no longer."""
        handed = self.steps, self.logp, self.masked_prob
        self.forget()
        return handed


def _as_array(step: Step, spec: SequenceSpec) -> NDArray[Any]:
    """One step as the steps of a batch of one row."""
    if spec.kind is StepKind.TOKENS:
        return np.array([step])
    frame = np.zeros((1, spec.size), np.uint8)
    frame[0, list(step)] = 1  # type: ignore[arg-type]
    return frame
