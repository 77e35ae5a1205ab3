"""Generation: order, seeds, primers, maximum length, and independence from the batch size."""

import numpy as np
import pytest
from chain_sampler import SPEC, Chain

from composer.api import Constraint, UsageError
from composer.api.sampling.params import SamplingParams, TemperatureRamp
from composer.generation.generate import generate
from composer.generation.request import MAX_ATTEMPTS, Finished, Generated, GenerationRequest


class Counting(Constraint):
    """Exactly three tokens that are not 4, then the end."""

    def start(self, primer):
        return len(primer)

    def step(self, state, step):
        return state + 1

    def allowed(self, state):
        return 0b00001 if state == 3 else 0b01110

    def complete(self, state):
        return [1] * (3 - state) + [0]


def pieces(request, constraint=None):
    """Return each piece's steps and whether it is complete; check that pieces come in order."""
    found, ends = {}, {}
    for event in generate(Chain(), SPEC, request, constraint):
        if isinstance(event, Generated):
            assert event.number == len(ends) + 1
            found.setdefault(event.number, []).extend(event.steps)
        if isinstance(event, Finished):
            ends[event.number] = event.complete
    return found, ends


@pytest.mark.parametrize("width", [1, 2, 7, 40, 100])
def test_pieces_do_not_depend_on_the_batch_size(width):
    alone, _ = pieces(GenerationRequest(length=60, count=40, seed=9, requested_batch_size=1))
    together, ends = pieces(GenerationRequest(length=60, count=40, seed=9, requested_batch_size=width))
    assert together == alone
    assert len(ends) == 40


def test_each_piece_can_be_reproduced_alone():
    many, _ = pieces(GenerationRequest(length=60, count=12, seed=100))
    assert pieces(GenerationRequest(length=60, seed=104))[0][1] == many[5]


def test_pieces_end_with_the_end_symbol_or_are_cut_off():
    found, ends = pieces(GenerationRequest(length=8, count=50, seed=1))
    assert {True, False} == set(ends.values())
    for number, steps in found.items():
        assert len(steps) <= 8
        assert ends[number] == (steps[-1] == 0)


def test_every_piece_begins_with_the_primer():
    found, _ = pieces(GenerationRequest(length=30, count=5, primer=(3, 1, 2)))
    assert all(steps[:3] == [3, 1, 2] for steps in found.values())


def test_primer_as_long_as_the_piece():
    with pytest.raises(UsageError, match="the primer, which has 3 steps"):
        list(generate(Chain(), SPEC, GenerationRequest(length=3, primer=(1, 2, 3))))


@pytest.mark.parametrize("length", [2, 10])
def test_constraint_is_enforced_and_closes_pieces(length):
    found, ends = pieces(GenerationRequest(length=length, count=20, seed=4), Counting())
    assert all(ends.values())
    for steps in found.values():
        assert steps[-1] == 0
        assert len(steps) == 4
        assert 4 not in steps


class Open(Counting):
    """Any tokens but 4, and no ending that completes a piece."""

    def allowed(self, state):
        return 0b01111

    def complete(self, state):
        return ()


def test_pieces_that_the_constraint_cannot_close_are_cut_off():
    found, ends = pieces(GenerationRequest(length=8, count=50, seed=1), Open())
    assert {True, False} == set(ends.values())
    for number, steps in found.items():
        assert len(steps) <= 8
        assert ends[number] == (steps[-1] == 0)


def test_steps_are_emitted_at_once():
    """The first steps of the first piece come before the second piece is finished."""
    events = generate(Chain(), SPEC, GenerationRequest(length=60, count=30, seed=2, requested_batch_size=30))
    assert next(events).number == 1


class Triples(Counting):
    """Any number of tokens in threes, then the end."""

    def allowed(self, state):
        return 0b01110 if state % 3 else 0b01111

    def complete(self, state):
        return [1] * (-state % 3) + [0]


@pytest.mark.parametrize("length", [4, 5, 6, 7, 30])
def test_pieces_are_closed_within_their_length(length):
    found, ends = pieces(GenerationRequest(length=length, count=20, seed=6), Triples())
    assert all(ends.values())
    for steps in found.values():
        assert len(steps) <= length
        assert steps[-1] == 0
        assert len(steps) % 3 == 1


CURVE = TemperatureRamp(3, 0.5, 20)
RAMPED = SamplingParams(CURVE)


def test_ramp_starts_after_the_primer():
    assert CURVE.at_steps(np.array([0, 19, 20, 1000])).tolist() == [3, 0.5, 0.5, 0.5]
    assert CURVE.at_steps(np.array([[0], [1]])).shape == (2, 1)
    assert TemperatureRamp(0.5, 2, 1).at_steps(np.array([0, 1])).tolist() == [0.5, 2]
    assert str(CURVE) == "3..0.5/20"


@pytest.mark.parametrize("width", [1, 2, 40])
def test_ramped_pieces_do_not_depend_on_the_batch_size(width):
    wanted = {"length": 60, "count": 40, "seed": 9, "sampling": RAMPED}
    alone, _ = pieces(GenerationRequest(**wanted, requested_batch_size=1))
    assert pieces(GenerationRequest(**wanted, requested_batch_size=width))[0] == alone
    assert pieces(GenerationRequest(length=60, seed=12, sampling=RAMPED))[0][1] == alone[4]
    assert alone != pieces(GenerationRequest(length=60, count=40, seed=9, sampling=SamplingParams(3)))[0]


def test_ramp_starts_with_its_first_temperature_and_may_be_level():
    found = pieces(GenerationRequest(length=60, count=40, seed=9, sampling=RAMPED))[0]
    hot = pieces(GenerationRequest(length=60, count=40, seed=9, sampling=SamplingParams(3.0)))[0]
    assert [steps[0] for steps in found.values()] == [steps[0] for steps in hot.values()]
    level = GenerationRequest(length=30, count=30, seed=3, sampling=SamplingParams(TemperatureRamp(0.7, 0.7, 9)))
    assert pieces(level)[0] == pieces(GenerationRequest(length=30, count=30, seed=3, sampling=SamplingParams(0.7)))[0]


def few(steps):
    return len(steps) < 8


class TestAccept:
    def accepted(self, request, accept=few, constraint=None, ordered=True):
        found = {}
        for event in generate(Chain(), SPEC, request, constraint, ordered=ordered, accept=accept):
            steps, ended = found.setdefault(event.number, ([], []))
            assert not ended, "no event of a piece may come after its end"
            if isinstance(event, Generated):
                steps.extend(event.steps)
            else:
                ended.append(event)
        return {number: (steps, ended[0]) for number, (steps, ended) in found.items()}

    def test_rejected_pieces_are_retried(self):
        found = self.accepted(GenerationRequest(length=60, count=40, seed=9))
        assert list(found) == list(range(1, 41))
        assert all(len(steps) < 8 and ended.accepted for steps, ended in found.values())
        first, _ = pieces(GenerationRequest(length=60, count=40, seed=9))
        kept = [number for number, steps in first.items() if len(steps) < 8]
        assert 0 < len(kept) < 40
        for number in kept:  # pieces accepted at once are the same without `accept`
            assert found[number] == (first[number], Finished(number, True, 8 + number))

    @pytest.mark.parametrize("width", [1, 2, 7, 100])
    def test_pieces_do_not_depend_on_rejections_of_others(self, width):
        alone = {n: self.accepted(GenerationRequest(length=60, count=40, seed=9, numbers=[n]))[n] for n in range(1, 41)}
        assert self.accepted(GenerationRequest(length=60, count=40, seed=9, requested_batch_size=width)) == alone
        assert (
            self.accepted(GenerationRequest(length=60, count=40, seed=9, requested_batch_size=width), ordered=False)
            == alone
        )

    def test_retried_pieces_can_be_reproduced_with_their_seed(self):
        for number, (steps, ended) in self.accepted(GenerationRequest(length=60, count=40, seed=9)).items():
            assert pieces(GenerationRequest(length=60, seed=ended.seed))[0][1] == steps, number

    def test_accept_sees_primer_and_end(self):
        seen = []
        self.accepted(GenerationRequest(length=60, primer=(3, 1)), lambda steps: seen.append(steps) or True)
        assert seen[0][:2] == [3, 1]
        assert seen[0][-1] == 0

    def test_attempts_are_limited(self):
        tried = []
        found = self.accepted(GenerationRequest(length=20, count=3, seed=9), tried.append)
        assert len(tried) == 3 * MAX_ATTEMPTS
        assert [ended.accepted for _, ended in found.values()] == [False] * 3
        assert not any(steps for steps, _ in found.values())
