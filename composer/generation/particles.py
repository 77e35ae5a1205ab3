"""Generate pieces given what follows: the rows of a batch are particles, weighted by the steps that a constraint fixes.

Sampling from left to right does not know what comes after a gap. Here, each piece is a population of particles, which
sample the free steps as usual. A particle's weight is multiplied by the probability that the model gives, after its own
past, to what the constraint left: the fixed step, or all allowed ones; and by a factor with which the constraint may
favor some music over other. Where steps become free again, particles of little weight are replaced by copies of others.
At the end, one is drawn by weight (Gordon, Salmond and Smith 1993, "Novel approach to nonlinear/non-Gaussian Bayesian
state estimation"; Doucet, de Freitas and Gordon 2001).

A piece does not depend on other pieces or the batch size, since its rows are its own particles alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from composer.api import Constraint, Sampler, SequenceSpec, Step, StepKind, Unsupported
from composer.api.sampler import State
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG, Draw
from composer.generation.batched_constraint import BatchedConstraint, batched_constraint
from composer.generation.length_limit import next_check
from composer.generation.plans import PlannedConstraints
from composer.generation.primed_state import position_features, prime, steps_by_row
from composer.generation.request import Finished, Generated, GenerationRequest, PieceQueue

__all__ = ["effective_size", "generate_from_particles", "has_exact_probabilities", "systematic_resample"]

RESAMPLE_BELOW = 0.5
"""Share of the particles that the effective sample size must fall below before they are resampled."""
SMALLEST_MASS = 1e-7
"""Lower bound of the probability mass that a rule left, which is computed as one minus another in 32 bits."""

Weights = NDArray[np.float64]


def generate_from_particles(
    sampler: Sampler,
    spec: SequenceSpec,
    request: GenerationRequest,
    constraint: Constraint | PlannedConstraints,
    queue: PieceQueue,
) -> Iterator[Generated | Finished]:
    """Generate each piece from `request.particles` particles, one piece after the other."""
    while number := queue.next():
        seed, plan, own, labels = queue.seed(number), "", constraint, None
        if isinstance(own, PlannedConstraints):
            plan, own = own.of_seed(seed)
            assert isinstance(constraint, PlannedConstraints)
            labels = constraint.labels(plan)
        rules = batched_constraint(own, spec, request.primer, request.particles)
        primed = prime(sampler, spec, request, own, labels)
        particles = _Particles(sampler, spec, request, rules, primed, seed)
        particles.run()
        if request.primer:
            yield Generated.not_sampled(number, request.primer, plan)
        yield from particles.chosen(number, seed, plan)


def has_exact_probabilities(sampler: Sampler, spec: SequenceSpec) -> bool:
    """Return whether the model gives exact probabilities of steps, by which particles are weighted."""
    features = position_features(np.zeros((1, len(spec.features)), np.int64)) if spec.features else {}
    first = np.zeros(1, np.int64) if spec.kind is StepKind.TOKENS else np.zeros((1, spec.size), np.uint8)
    try:
        sampler.log_prob(sampler.initial_state([{}], **features), first)
    except Unsupported:
        return False
    return True


class _Particles:
    """The particles of one piece. `weights` (P,) are logarithms; `alive` (P,) are those that are not finished."""

    def __init__(
        self,
        sampler: Sampler,
        spec: SequenceSpec,
        request: GenerationRequest,
        constraint: BatchedConstraint,
        primed: State,
        seed: int,
    ) -> None:
        self.sampler, self.spec, self.request, self.constraint = sampler, spec, request, constraint
        count = request.particles
        self.state = sampler.gather_rows(primed, np.zeros(count, int))
        self.weights: Weights = np.zeros(count)
        self.alive = np.ones(count, bool)
        self.lengths = np.full(count, len(request.primer))
        self.paths: list[list[tuple[Step, float, float]]] = [[] for _ in range(count)]
        """Each particle's steps, with their log-probabilities and the masked probabilities."""
        self.completions: list[Sequence[Step]] = [()] * count
        self.check_lengths = self.lengths.copy()
        """When the constraint is asked next how it completes each piece; `completions` are what it said a step ago."""
        self.endings: list[Sequence[Step]] = [()] * count
        self._rng = CounterRNG(_seed(seed, "particle", row) if row else seed for row in range(count))
        self._resampling = CounterRNG([_seed(seed, "resample", 0)])
        self._uniforms = 0

    def run(self) -> None:
        """Advance all particles to the ends of their pieces."""
        if self.spec.kind is StepKind.TOKENS:
            self.completions = [self._complete(0)] * len(self.weights)  # all begin alike
            self.check_lengths[:] = self.check_lengths[0]
        ramp = self.request.sampling.ramp
        params = BatchSamplingParams.from_params(self.request.sampling, len(self.weights))
        turn, reported = 0, len(self.request.primer)
        while self.alive.any():
            fixed = self.constraint.fixed_steps()
            active = self._next_rows(fixed)
            if ramp is not None:
                params = params.with_temperature(ramp.at_steps(self.lengths - len(self.request.primer)))
            # numbers by turn and not by length, so that a copy of a shorter particle does not meet its row's old ones
            rng = self._rng.at_steps(np.full(len(active), turn))
            drawn = self.sampler.sample(self.state, self.constraint.constrain(params), rng)
            self._follow(drawn, active, fixed)
            turn += 1
            if self.request.on_steps is not None and (longest := int(self.lengths.max())) > reported:
                self.request.on_steps(longest - reported)
                reported = longest
            if active.all() and self.alive.all() and None in self.constraint.fixed_steps():
                self._resample_if_needed()

    def chosen(self, number: int, seed: int, plan: str) -> Iterator[Generated | Finished]:
        """Yield the steps and the end of one particle, drawn by weight."""
        row = int(systematic_resample(self.weights, self._uniform(), 1)[0])
        steps = [step for step, _, _ in self.paths[row]]
        if steps:
            _, logp, masked = zip(*self.paths[row], strict=True)
            yield Generated(number, steps, logp, masked, plan=plan)
        if self.endings[row]:
            yield Generated.not_sampled(number, self.endings[row], plan)
        complete = self.spec.kind is StepKind.FRAMES or [*steps, *self.endings[row]][-1:] == [self.spec.end]
        yield Finished(number, complete, seed)

    def _next_rows(self, fixed: Sequence[int | None]) -> NDArray[np.bool_]:
        """Return the particles that take the next step; those before a fixed step wait until all have come to it."""
        free = self.alive & np.array([number is None for number in fixed])
        if free.any():
            return np.asarray(free, bool)
        first = min(number for number, alive in zip(fixed, self.alive, strict=True) if alive and number is not None)
        return np.asarray(self.alive & np.array([number == first for number in fixed]), bool)

    def _follow(self, drawn: Draw, active: NDArray[np.bool_], fixed: Sequence[int | None]) -> None:
        """Append the drawn steps to the `active` particles, and weight these."""
        steps = steps_by_row(drawn, self.spec)
        is_fixed = np.array([number is not None for number in fixed])
        left = np.log(np.clip(1 - np.asarray(drawn.masked_prob, np.float64), SMALLEST_MASS, 1))
        factors = np.where(is_fixed, drawn.logp, left) + self.constraint.log_weights(steps)
        self.weights = self.weights + np.where(active, factors, 0)
        self.constraint.advance(steps, active.astype(int).tolist())
        features = position_features(self.constraint.features())
        self.state = self.sampler.advance(self.state, drawn.steps, None if active.all() else active, **features)
        self.lengths = self.lengths + active
        for row in np.flatnonzero(active).tolist():
            self.paths[row].append((steps[row], float(drawn.logp[row]), float(drawn.masked_prob[row])))
            self._finish_if_over(row, steps[row])

    def _finish_if_over(self, row: int, step: Step) -> None:
        """Finish a particle that ended, or that has no room left; one that was cut off has no weight."""
        left = self.request.length - int(self.lengths[row])
        if self.spec.kind is StepKind.FRAMES:
            self.alive[row] = left > 0 and row not in self.constraint.ended
            return
        if step == self.spec.end:
            self.alive[row] = False
        elif self.lengths[row] >= self.check_lengths[row]:
            previous = self.completions[row]
            if len(self._complete(row)) > left and previous:
                self.paths[row].pop()
                self.endings[row] = previous
            if self.endings[row] or left == 0:
                self.alive[row], self.weights[row] = False, -np.inf

    def _complete(self, row: int) -> Sequence[Step]:
        """Return how the constraint completes a particle's piece, and plan the next time that it is asked."""
        found, length = self.constraint.complete(row), int(self.lengths[row])
        self.check_lengths[row] = next_check(self.request.length, length, len(found))
        self.completions[row] = found if self.check_lengths[row] == length + 1 else ()
        return found

    def _resample_if_needed(self) -> None:
        """Replace particles of little weight by copies of others if few have most of the weight."""
        if effective_size(self.weights) >= RESAMPLE_BELOW * len(self.weights):
            return
        rows = systematic_resample(self.weights, self._uniform(), len(self.weights))
        self.state = self.sampler.gather_rows(self.state, rows)
        self.constraint.gather_rows(rows.tolist())
        self.lengths, self.check_lengths = self.lengths[rows], self.check_lengths[rows]
        self.weights = np.zeros(len(rows))
        self.paths = [list(self.paths[row]) for row in rows]
        self.completions = [self.completions[row] for row in rows]

    def _uniform(self) -> float:
        """Return the next random number for choosing among particles."""
        self._uniforms += 1
        return float(self._resampling.at_steps(np.array([self._uniforms])).uniform(1, 1)[0, 0])


def effective_size(weights: Weights) -> float:
    """Return the effective sample size (sum w)^2 / sum w^2 of log-weights (P,); 0 if all weights are 0."""
    if not np.isfinite(weights).any():
        return 0.0
    shares = np.exp(weights - weights.max())
    return float(shares.sum() ** 2 / (shares**2).sum())


def systematic_resample(weights: Weights, uniform: float, count: int) -> NDArray[np.int64]:
    """Return `count` rows, each in proportion to its log-weight, by one random number in [0, 1).

    A row with the share s of the weight comes s `count` times, rounded up or down (Kitagawa 1996). If all weights are
    0, all rows have the same.
    """
    shares = np.exp(weights - weights.max()) if np.isfinite(weights).any() else np.ones(len(weights))
    ends = np.cumsum(shares)
    points = (uniform + np.arange(count)) / count * ends[-1]
    return np.asarray(np.searchsorted(ends, points, side="right").clip(max=len(ends) - 1), np.int64)


def _seed(seed: int, name: str, row: int) -> int:
    """Return a seed of 63 bits for the `name`d random numbers of a piece."""
    digest = hashlib.blake2b(f"{name} {seed} {row}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
