"""Plans and position features in generation: drawn by seed, the same in any company, and passed to the sampler."""

from dataclasses import replace

import numpy as np
import pytest

from composer.api import Constraint, GenerationContext, SequenceSpec, StepKind, Unsatisfiable, UsageError
from composer.api.sampling.filters import draw_tokens
from composer.generation.generate import generate
from composer.generation.plans import PlannedConstraints, constraint_of
from composer.generation.request import Generated, GenerationRequest

SPEC = SequenceSpec(StepKind.TOKENS, size=12, end=0, features={"left": 12})


class Countdown(Constraint):
    """So many tokens, then the end; the feature is the number of tokens left."""

    def __init__(self, count):
        self.count = count

    def start(self, primer):
        if len(primer) > self.count:
            raise Unsatisfiable(f"{self.count} tokens are too few")
        return self.count - len(primer)

    def step(self, state, step):
        return state - 1

    def allowed(self, state):
        return 0b111111111110 if state else 1

    def features(self, state):
        return (state,)

    def complete(self, state):
        return [1] * state + [0]


class Lengths:
    """A representation whose plans are numbers of tokens."""

    name, weights = "lengths", {"3": 2, "5": 1, "7": 1}

    def plans(self, controls, context):
        return self.weights

    def plan_labels(self, plan):
        return {"length": plan, "unknown": "x"}

    def constraint(self, controls, context):
        return Countdown(int(context.plan))


class Echo:
    """A sampler that draws the feature of the step, so that a wrong one is seen in the piece."""

    def initial_state(self, conditions, features):
        return np.array(features)

    def advance(self, state, steps, active=None, features=None):
        assert state.shape == features.shape
        return np.array(features)

    def sample(self, state, params, rng):
        return draw_tokens(100.0 * np.eye(12)[state[:, 0]], params, rng)

    def gather_rows(self, state, rows, fresh=None):
        return (state if fresh is None else np.concatenate([state, fresh]))[rows]


def planned(primer=()):
    return constraint_of(Lengths(), None, GenerationContext(primer=primer))


def pieces(request, constraint):
    """Return the steps and the plan of each piece by its number."""
    found = {}
    for event in generate(Echo(), SPEC, request, constraint):
        if isinstance(event, Generated):
            steps, plans = found.setdefault(event.number, ([], set()))
            steps.extend(event.steps)
            plans.add(event.plan)
    return {number: (steps, *plans) for number, (steps, plans) in found.items()}


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_each_piece_has_its_plan_and_features_in_any_company(batch_size):
    request = GenerationRequest(length=12, count=20, seed=5, requested_batch_size=batch_size)
    found = pieces(request, planned())
    assert {plan for _, plan in found.values()} == {"3", "5", "7"}
    assert all(steps == [*range(int(plan), -1, -1)] for steps, plan in found.values())
    alone = pieces(GenerationRequest(length=12, seed=24), planned())
    assert alone[1] == found[20]


def test_pieces_with_the_same_plan_start_with_one_copy_of_the_state(monkeypatch):
    """A batch of thousands would take minutes to start, if each of its rows copied the state of all."""
    copies, gather = [], Echo.gather_rows
    monkeypatch.setattr(Echo, "gather_rows", lambda *given: copies.append(len(given[2])) or gather(*given))
    assert len(pieces(GenerationRequest(20, 200, requested_batch_size=200), planned())) == 200
    assert len(copies) == 1 + 2 * len(Lengths.weights)  # rows are also made idle, those of one length together


def test_a_primer_is_read_with_its_features_and_rules_out_short_plans():
    request = GenerationRequest(length=12, count=9, seed=1, primer=(9, 9, 9, 9), requested_batch_size=4)
    found = pieces(request, planned(request.primer))
    assert {plan for _, plan in found.values()} == {"5", "7"}
    assert all(steps == [9, 9, 9, 9, *range(int(plan) - 4, -1, -1)] for steps, plan in found.values())


def test_a_primer_that_no_plan_fits_is_an_error():
    with pytest.raises(Unsatisfiable, match="tokens are too few"):
        planned((1,) * 9).of_seed(3)


def test_a_plan_in_the_context_is_not_drawn():
    constraint = constraint_of(Lengths(), None, GenerationContext(plan="5"))
    assert isinstance(constraint, Countdown)
    assert constraint.count == 5


def test_plans_are_drawn_by_weight():
    plans = [planned().of_seed(seed)[0] for seed in range(400)]
    assert 160 < plans.count("3") < 240
    assert 60 < plans.count("5") < 140


def test_one_constraint_for_all_pieces_counts_too():
    found = pieces(GenerationRequest(length=12, count=6, requested_batch_size=6), Countdown(4))
    assert all(steps == [4, 3, 2, 1, 0] for steps, _ in found.values())


def test_a_model_with_features_needs_a_constraint():
    with pytest.raises(UsageError, match="needs the constraint"):
        generate(Echo(), SPEC, GenerationRequest(length=5))


def test_a_model_without_features_may_not_know_the_parameter():
    class Old(Echo):
        def initial_state(self, conditions):
            return np.zeros((len(conditions), 1), int)

        def advance(self, state, steps, active=None):
            return state

    events = generate(Old(), replace(SPEC, features={}), GenerationRequest(length=9, count=5), planned())
    assert sum(isinstance(event, Generated) for event in events)


@pytest.mark.parametrize("requested", [{}, {"length": "5"}])
def test_the_labels_of_a_plan_are_conditions_unless_others_were_requested(requested):
    seen = []

    class Listening(Echo):
        def initial_state(self, conditions, features):
            seen.append((conditions[0], int(features[0, 0])))
            return super().initial_state(conditions, features)

    spec = replace(SPEC, conditions={"length": ("3", "5", "7")})
    list(generate(Listening(), spec, GenerationRequest(length=12, count=40, conditions=requested), planned()))
    first, *pieces = seen
    assert first[0] == requested
    assert {left for _, left in pieces} == {3, 5, 7}
    assert all(conditions == (requested or {"length": str(left)}) for conditions, left in pieces)


def test_only_planned_constraints_are_planned():
    assert isinstance(planned(), PlannedConstraints)
