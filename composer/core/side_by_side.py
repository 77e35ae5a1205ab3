"""The loop that composes: a row for each piece, all rows at a time, and the next piece for a row whose piece is over.

What is drawn is kept in arrays until a piece is over, but for the piece whose turn it is: that one is told step by
step.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import Constraint, Kind, Sampler, SequenceSpec, Step
from composer.api.model import Running
from composer.api.sampling import CounterNoise, Drawn, How
from composer.core.automata import Rules, rules
from composer.core.generation import Drew, Ended, Request, Turn

CLOSING = 100
"""So many steps before its length a piece is watched, so that an automaton can complete it in time."""


def events(
    sampler: Sampler, spec: SequenceSpec, request: Request, constraint: Constraint | None, turn: Turn
) -> Iterator[Drew | Ended]:
    """Compose `request.rows` pieces at a time. The events of a piece come in order, those of different ones in any."""
    how = How.of(
        request.rows,
        temperature=request.temperature,
        top_k=request.top_k,
        top_p=request.top_p,
        min_p=request.min_p,
    )
    primed = sampler.begin([request.conditions])
    for step in request.primer:
        primed = sampler.observe(primed, _as_array(step, spec))
    if constraint is None and isinstance(sampler, Running):
        from composer.core.blockwise import in_blocks

        yield from in_blocks(sampler, spec, request, how, primed)
        return
    rows = _Rows(spec, request, rules(constraint, spec, request.primer, request.rows), turn)
    places = np.arange(request.rows)
    state = sampler.select(primed, np.zeros_like(places))
    yield from rows.seat(places)
    while rows.numbers.any():
        drawn = sampler.sample(state, rows.rules.under(how), rows.noise.at(rows.taken))
        state = sampler.observe(state, drawn.steps)
        over = yield from rows.take(drawn)
        if len(over):
            state = sampler.select(state, np.where(np.isin(places, over), -1, places), primed)
            yield from rows.seat(over)


class _Rows:
    """Where pieces are composed.

    Per row: the number of its piece (0 when idle), how many steps the piece has `taken`, primer and all, how many of
    them were `told`, and the `endings` that its automaton knew a step ago, where the piece is near its length.
    """

    def __init__(self, spec: SequenceSpec, request: Request, rules: Rules, turn: Turn) -> None:
        self.spec, self.request, self.rules, self.turn = spec, request, rules, turn
        self.numbers, self.taken, self.told = (np.zeros(request.rows, np.int64) for _ in range(3))
        self.endings: dict[int, Sequence[Step]] = {}
        self._waiting = iter(request.pieces)
        self._kept = _Kept(request.rows)

    def seat(self, idle: NDArray[Any]) -> Iterator[Drew]:
        """Give each idle row the next piece, beginning with its primer."""
        for row in idle.tolist():
            self.numbers[row] = number = next(self._waiting, 0)
            self.endings.pop(row, None)
            if number and self.request.primer:
                yield Drew.given(number, self.request.primer)
        self.taken[idle] = self.told[idle] = len(self.request.primer)
        self.rules.begin(idle)
        self.noise = CounterNoise(self.request.seed + number - 1 for number in self.numbers.tolist())

    def take(self, drawn: Drawn) -> Generator[Drew | Ended, None, NDArray[Any]]:
        """Keep what was drawn, and tell what is to be told now; the rows whose pieces are over."""
        steps, busy = drawn.steps, self.numbers > 0
        self._kept.put(self.taken - len(self.request.primer), drawn)
        self.taken += 1
        left = self.request.length - self.taken
        ended = steps == self.spec.end if self.spec.kind is Kind.TOKENS else np.zeros_like(busy)
        over = busy & (ended | (left <= 0))
        self.rules.follow(steps, busy)
        if self.spec.kind is Kind.TOKENS and left.min() < CLOSING:
            for row in np.flatnonzero(busy & ~ended & (left < CLOSING)).tolist():
                if closing := self._closing(row, int(left[row])):
                    over[row], busy[row] = True, False
                    yield from self._tell(row, int(self.taken[row]) - 1)
                    yield Drew.given(int(self.numbers[row]), closing)
                    yield Ended(int(self.numbers[row]), True)
        for row in np.flatnonzero(busy & (over | (self.numbers == self.turn.current))).tolist():
            yield from self._tell(row, int(self.taken[row]))
            if over[row]:
                yield from self._end(row, bool(ended[row]))
        return np.flatnonzero(over)

    def _closing(self, row: int, left: int) -> Sequence[Step]:
        """How a piece must end in place of the step just drawn, where that would lead too far from the end."""
        before, after = self.endings.get(row, ()), self.rules.complete(row)
        self.endings[row] = after
        return before if len(after) > left else ()

    def _tell(self, row: int, upto: int) -> Iterator[Drew]:
        """The steps of a row's piece that were not told yet, before step `upto`."""
        opened = len(self.request.primer)
        if self.told[row] < upto:
            yield Drew(int(self.numbers[row]), *self._kept.between(row, int(self.told[row]) - opened, upto - opened))
            self.told[row] = upto

    def _end(self, row: int, ended: bool) -> Iterator[Drew | Ended]:
        """Where a piece is cut at its length, an automaton that can still closes it; frames are whole at any length."""
        number, whole = int(self.numbers[row]), ended or self.spec.kind is Kind.FRAMES
        if not whole and (ending := self.rules.complete(row)):
            yield Drew.given(number, ending)
            whole = True
        yield Ended(number, whole)


class _Kept:
    """What was drawn in each of B rows: steps (B, N), or frames (B, N, ceil(V / 8)) as bits, and their two figures."""

    def __init__(self, rows: int) -> None:
        self._rows = np.arange(rows)
        self._steps: NDArray[Any] = np.empty((rows, 0), np.int32)
        self._figures = np.empty((rows, 0, 2))
        self._units = 0

    def put(self, at: NDArray[Any], drawn: Drawn) -> None:
        """Keep a step of each row, as its step number `at` (B,)."""
        steps = drawn.steps
        if steps.ndim > 1:
            self._units, steps = steps.shape[1], np.packbits(steps, axis=1)
        most = self._figures.shape[1]
        if at.max() >= most:
            room = max(64, 2 * most)
            self._steps = _widened(self._steps, (len(at), room, *steps.shape[1:]), steps.dtype)
            self._figures = _widened(self._figures, (len(at), room, 2), self._figures.dtype)
        self._steps[self._rows, at] = steps
        self._figures[self._rows, at, 0], self._figures[self._rows, at, 1] = drawn.logp, drawn.refused

    def between(self, row: int, start: int, stop: int) -> tuple[Sequence[Step], Sequence[float], Sequence[float]]:
        """Steps, logp and refused of a row from number `start` to `stop - 1`."""
        steps: Sequence[Step] = self._steps[row, start:stop].tolist()
        if self._units:
            frames = np.unpackbits(self._steps[row, start:stop], axis=1, count=self._units)
            steps = [tuple(np.flatnonzero(frame).tolist()) for frame in frames]
        logp, refused = self._figures[row, start:stop].T.tolist()
        return steps, logp, refused


def _widened(kept: NDArray[Any], shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """What was kept, with more room after it."""
    wide = np.empty(shape, dtype)
    if kept.shape[1]:
        wide[:, : kept.shape[1]] = kept
    return wide


def _as_array(step: Step, spec: SequenceSpec) -> NDArray[Any]:
    """One step as the steps of a batch of one row."""
    if spec.kind is Kind.TOKENS:
        return np.array([step])
    frame = np.zeros((1, spec.size), np.uint8)
    frame[0, list(step)] = 1  # type: ignore[arg-type]
    return frame
