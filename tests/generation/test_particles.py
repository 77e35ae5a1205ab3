"""Particles: pieces are sampled from the model's distribution given the steps that are fixed later."""

from collections import Counter

import numpy as np
import pytest

from composer.api import Constraint, SequenceSpec, StepKind, Unsupported
from composer.api.sampling.filters import draw_tokens, log_softmax
from composer.generation.generate import generate
from composer.generation.particles import effective_size, has_exact_probabilities, systematic_resample
from composer.generation.request import Finished, Generated, GenerationRequest

SPEC = SequenceSpec(StepKind.TOKENS, size=3, end=0)
A, B = 1, 2
LOGITS = np.log(np.array([[0.02, 0.49, 0.49], [0.02, 0.9, 0.08], [0.02, 0.08, 0.9]]))
"""After the start, either letter; after a letter, most likely the same one again."""


class Chain:
    """A sampler whose next token depends on the last one only."""

    def initial_state(self, conditions):
        return np.zeros(len(conditions), int)

    def advance(self, state, steps, active=None):
        return steps if active is None else np.where(active, steps, state)

    def sample(self, state, params, rng):
        return draw_tokens(LOGITS[state], params, rng)

    def gather_rows(self, state, rows, fresh=None):
        return (state if fresh is None else np.concatenate([state, fresh]))[rows]

    def log_prob(self, state, steps):
        return log_softmax(LOGITS[state])[np.arange(len(state)), steps]


class Gap(Constraint):
    """One free letter, then the letters `after`, then the end; a state is the number of steps."""

    def __init__(self, after):
        self.after = after

    def start(self, primer):
        return len(primer)

    def step(self, state, step):
        return state + 1

    def allowed(self, state):
        if state == 0:
            return 0b110
        return 1 << (self.after[state - 1] if state <= len(self.after) else 0)

    def fixed_step(self, state):
        return state if state else None

    def complete(self, state):
        return [A] * (state == 0) + list(self.after[max(state - 1, 0) :]) + [0]


class Lengths(Constraint):
    """Some As, closed by a B, then B, A and the end, so that gaps differ in length, the state below 10."""

    def start(self, primer):
        return 0

    def step(self, state, step):
        return 10 if state < 10 and step == B else state + 1

    def allowed(self, state):
        if state < 10:
            return 0b100 if state == 4 else 0b110
        return 1 << (B, A, 0)[state - 10]

    def fixed_step(self, state):
        return state if state >= 10 else None

    def complete(self, state):
        return [B, B, A, 0] if state < 10 else [B, A, 0][state - 10 :]


def pieces(constraint, **request):
    found = {}
    for event in generate(Chain(), SPEC, GenerationRequest(**{"length": 20, **request}), constraint):
        if isinstance(event, Generated):
            found.setdefault(event.number, []).extend(event.steps)
        else:
            assert event.complete
    return [found[number] for number in sorted(found)]


def test_what_follows_decides_the_gap():
    """From left to right, each letter comes half of the time; given that B follows, B is 0.9 / (0.9 + 0.08) likely."""
    blind = Counter(piece[0] for piece in pieces(Gap([B]), count=400, seed=1))
    informed = Counter(piece[0] for piece in pieces(Gap([B]), count=400, seed=1, particles=16))
    assert blind[B] / 400 == pytest.approx(0.5, abs=0.07)
    assert informed[B] / 400 == pytest.approx(0.918, abs=0.05)


class Favored(Gap):
    """A gap whose letter A has nine times the weight of B."""

    def log_weight(self, state, step):
        return np.log(9) if state == 0 and step == A else 0.0


def test_the_constraint_favors_some_pieces():
    """Both letters are equally likely, and what follows is as likely after either."""
    found = Counter(piece[0] for piece in pieces(Favored([]), count=200, seed=1, particles=12))
    assert found[A] / 200 == pytest.approx(0.9, abs=0.06)


def test_gaps_of_different_length_are_compared_at_the_same_place():
    """They are as likely as in the model among the pieces that the constraint allows."""
    found = [len(piece) - 4 for piece in pieces(Lengths(), count=400, seed=3, particles=32)]
    likelihoods = [0.49] + [0.49 * 0.9**more * 0.08 for more in range(4)]  # of 0 to 4 As before the B
    for length, likelihood in enumerate(likelihoods):
        assert found.count(length) / 400 == pytest.approx(likelihood / sum(likelihoods), abs=0.06)


def test_pieces_do_not_depend_on_the_batch_size_or_each_other():
    together = pieces(Lengths(), count=6, seed=5, particles=8, requested_batch_size=4)
    assert pieces(Lengths(), count=6, seed=5, particles=8, requested_batch_size=1) == together
    assert pieces(Lengths(), seed=8, particles=8) == together[3:4]


def test_the_steps_of_the_piece_are_counted_before_a_particle_is_chosen():
    counts = []
    first, *_ = generate(
        Chain(), SPEC, GenerationRequest(length=9, seed=2, particles=4, on_steps=counts.append), Gap([B])
    )
    assert isinstance(first, Generated)
    assert counts == [1, 1, 1]


def test_a_piece_that_is_too_long_is_closed():
    events = list(generate(Chain(), SPEC, GenerationRequest(length=4, seed=2, particles=4), Lengths()))
    steps = [step for event in events if isinstance(event, Generated) for step in event.steps]
    assert steps == [B, B, A, 0]
    assert events[-1] == Finished(1, True, 2)


def test_a_piece_whose_completion_is_long_fits_the_maximum_length():
    """Its constraint is asked for it early enough, also before the first step; A is a detour that needs more room."""

    class Detours(Constraint):
        """A state is how many more steps the completion has; an A adds some."""

        def start(self, primer):
            return 150

        def step(self, state, step):
            return state + 2 if step == A else state - 1

        def allowed(self, state):
            return 0b110 if state else 0b001

        def complete(self, state):
            return [B] * state + [0]

    for length in (151, 160, 240, 300):
        for piece in pieces(Detours(), length=length, count=3, particles=4):
            assert len(piece) <= length
            assert piece[-1] == 0


def test_effective_size():
    assert effective_size(np.zeros(8)) == 8
    assert effective_size(np.array([0.0, -np.inf, -np.inf])) == 1
    assert effective_size(np.full(3, -np.inf)) == 0


def test_rows_are_resampled_by_weight():
    weights = np.log(np.array([0.5, 0.25, 0.25, 1e-9]))
    assert systematic_resample(weights, 0.3, 4).tolist() == [0, 0, 1, 2]
    assert systematic_resample(np.full(4, -np.inf), 0.3, 4).tolist() == [0, 1, 2, 3]


def test_models_without_exact_probabilities():
    class Approximate(Chain):
        def log_prob(self, state, steps):
            raise Unsupported("no exact probability")

    assert has_exact_probabilities(Chain(), SPEC)
    assert not has_exact_probabilities(Approximate(), SPEC)
