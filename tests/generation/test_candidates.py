"""Each piece is the best of several candidates, whatever the batch size."""

import pytest
from chain_sampler import SPEC, Chain

from composer.generation.candidates import Verdict
from composer.generation.generate import generate
from composer.generation.request import Finished, Generated, GenerationRequest


def by_length(steps, logp, plan):
    """Prefer long pieces, and stop at one of 9 steps or more."""
    assert len(logp) == len(steps)
    return Verdict((len(steps),), enough=len(steps) >= 9)


def chosen(judge=by_length, accept=None, ordered=True, **fields):
    """Return the steps and the seed of each piece."""
    request = GenerationRequest(**{"length": 60, "count": 30, "seed": 9, "candidates": 4, **fields})
    found = {}
    for event in generate(Chain(), SPEC, request, ordered=ordered, accept=accept, judge=judge):
        if isinstance(event, Generated):
            steps, seeds = found.setdefault(event.number, ([], set()))
            steps += event.steps
            seeds.add(event.chosen.seed)
    return {number: (steps, *seeds) for number, (steps, seeds) in found.items()}


def alone(seed):
    request = GenerationRequest(length=60, seed=seed)
    return [step for each in generate(Chain(), SPEC, request) if isinstance(each, Generated) for step in each.steps]


def test_pieces_are_those_of_their_own_seeds():
    found = chosen()
    assert list(found) == list(range(1, 31))
    assert all(steps == alone(seed) for steps, seed in found.values())
    assert len({seed for _, seed in found.values()}) == 30
    assert any(seed == 8 + number for number, (_, seed) in found.items()), "the first candidate has the piece's seed"
    assert any(seed != 8 + number for number, (_, seed) in found.items())


def test_first_good_enough_candidate_wins_else_the_best():
    longest = chosen(lambda steps, logp, plan: Verdict((len(steps),)))
    for number, (steps, seed) in chosen().items():
        first = alone(8 + number)
        if len(first) >= 9:
            assert steps == first
            assert seed == 8 + number
        elif len(steps) < 9:
            assert steps == longest[number][0]


@pytest.mark.parametrize("width", [1, 2, 7, 100])
def test_choice_does_not_depend_on_the_batch(width):
    everything = chosen()
    assert chosen(requested_batch_size=width) == everything
    assert chosen(requested_batch_size=width, ordered=False) == everything
    assert chosen(numbers=[3, 17]) == {number: everything[number] for number in (3, 17)}


def test_nothing_is_generated_after_a_good_candidate():
    seen = []

    def first(steps, logp, plan):
        seen.append(tuple(steps))
        return Verdict((), enough=True)

    found = chosen(first)
    assert len(seen) == 30
    assert all(seed == 8 + number for number, (_, seed) in found.items())


def test_with_a_primer_and_rejected_candidates():
    found = chosen(lambda steps, logp, plan: Verdict((len(steps),)), lambda steps: len(steps) < 12, primer=(1, 2))
    assert list(found) == list(range(1, 31))
    assert all(steps[:2] == [1, 2] and 2 < len(steps) < 12 for steps, _ in found.values())


def test_unusable_candidates_come_after_truncated_ones():
    def audible(steps, logp, plan):
        return Verdict((), usable=len(steps) > 4)

    found = chosen(audible, length=6)
    assert sum(len(steps) > 4 for steps, _ in found.values()) > sum(len(alone(8 + n)) > 4 for n in range(1, 31))


def test_truncated_candidates_come_last():
    request = GenerationRequest(length=6, count=20, seed=9, candidates=4)
    events = generate(Chain(), SPEC, request, judge=by_length)
    ends = [event.complete for event in events if isinstance(event, Finished)]
    plain = generate(Chain(), SPEC, GenerationRequest(length=6, count=20, seed=9))
    assert sum(ends) > sum(event.complete for event in plain if isinstance(event, Finished))
