"""Endings are generated again until the piece closes, whatever the batch size."""

import pytest
from chain_sampler import SPEC, Chain

from composer.api import Constraint
from composer.generation.candidates import Verdict
from composer.generation.endings import ChosenEnding, Endings
from composer.generation.generate import generate
from composer.generation.request import Finished, Generated, GenerationRequest

BEGIN, LENGTH = 4, 9


class Counted(Constraint):
    """LENGTH tokens, then the end."""

    def start(self, primer):
        return len(primer)

    def step(self, state, step):
        return state + 1

    def allowed(self, state):
        return 0b00001 if state == LENGTH else 0b11110

    def complete(self, state):
        return [1] * (LENGTH - state) + [0]


def on_tonic(steps, plan):
    """Prefer a piece that ends with token 3, then higher ones."""
    assert len(steps) == LENGTH + 1
    return 1.0 if steps[-2] == 3 else steps[-2] / 10


class Detour(Counted):
    """After token 4 in the ending, two steps more: they count from 100."""

    def step(self, state, step):
        return state + 1 + (100 if step == 4 and BEGIN <= state < 100 else 0)

    def allowed(self, state):
        return 0b00001 if state in {LENGTH, LENGTH + 102} else 0b11110

    def complete(self, state):
        return [1] * (LENGTH + (102 if state >= 100 else 0) - state) + [0]


def pieces(tries=3, judge=on_tonic, choose=None, accept=None, constraint=None, **fields):
    """Return the steps of each piece, with its own seed and its recorded ending."""
    request = GenerationRequest(**{"length": 60, "count": 40, "seed": 9, **fields})
    endings = Endings(lambda plan: BEGIN, judge, tries) if tries else None
    found = {}
    for event in generate(
        Chain(), SPEC, request, constraint or Counted(), accept=accept, judge=choose, endings=endings
    ):
        if isinstance(event, Generated):
            assert len(event.logp) == len(event.steps)
            steps, chosen = found.setdefault(event.number, ([], event.chosen))
            steps += event.steps
            assert event.chosen == chosen, "what is written first needs it already"
    return found


def test_more_pieces_close_and_all_begin_as_before():
    plain, again = pieces(tries=0), pieces()
    closed = [sum(steps[-2] == 3 for steps, _ in each.values()) for each in (plain, again)]
    assert 2 * closed[0] < closed[1]
    for number, (steps, chosen) in again.items():
        assert steps[:BEGIN] == plain[number][0][:BEGIN]
        assert (chosen is None) == (steps == plain[number][0])
        assert steps[-2] == 3 or on_tonic(steps, "") >= on_tonic(plain[number][0], ""), "the best stays"


@pytest.mark.parametrize("width", [1, 7, 40])
def test_endings_do_not_depend_on_the_batch(width):
    assert pieces(requested_batch_size=width) == pieces()


def test_an_ending_is_reproduced_without_the_others():
    for number, (steps, chosen) in pieces(primer=(1, 2), count=8).items():
        if chosen is None:
            continue
        assert (chosen.seed, chosen.ending.step) == (8 + number, BEGIN)
        alone = pieces(tries=0, primer=(1, 2), count=1, seed=chosen.seed, ending=ChosenEnding(*chosen.ending))
        assert alone[1][0] == steps


@pytest.mark.parametrize("primer", [(), (1, 2, 1, 2)])
def test_each_attempt_fits_the_maximum_length(primer):
    """A first step that needs a longer completion than there is room for is not taken, in later attempts either.

    With a primer, the ending begins with the first step that is sampled.
    """
    options = {"constraint": Detour(), "length": LENGTH + 1, "judge": lambda steps, plan: 0.1 * len(set(steps))}
    options |= {"primer": primer}
    found = pieces(**options)
    assert {len(steps) for steps, _ in found.values()} == {LENGTH + 1}
    for steps, chosen in found.values():
        if chosen is not None:
            alone = pieces(tries=0, **{**options, "count": 1, "seed": chosen.seed, "ending": chosen.ending})
            assert alone[1][0] == steps


def test_a_piece_whose_completion_is_long_fits_the_maximum_length():
    """Its constraint is asked for it early enough; token 4 takes room, but leads no further."""

    class Long(Counted):
        needed = 400

        def step(self, state, step):
            return state + (step != 4)

        def allowed(self, state):
            return 0b00001 if state == self.needed else 0b11110

        def complete(self, state):
            return [1] * (self.needed - state) + [0]

    for length in (401, 402, 430, 500, 600):
        found = pieces(tries=0, constraint=Long(), length=length, count=8)
        assert all(steps[-1] == 0 and len(steps) <= length for steps, _ in found.values())
    assert any(4 in steps[-100:] for steps, _ in found.values()), "there is room to the end"


def test_attempts_are_counted():
    seen = []
    pieces(tries=5, judge=lambda steps, plan: seen.append(steps) or 0.0, count=2)
    assert len(seen) == 10
    seen.clear()
    pieces(tries=5, judge=lambda steps, plan: seen.append(steps) or 1.0, count=2)
    assert len(seen) == 2


def test_endings_of_candidates_and_of_rejected_pieces():
    found = pieces(
        choose=lambda steps, logp, plan: Verdict((steps[0],)), accept=lambda steps: steps[1] != 2, candidates=3, count=9
    )
    for steps, chosen in found.values():
        assert steps[1] != 2
        alone = pieces(tries=0, count=1, seed=chosen.seed, ending=chosen.ending)
        assert chosen.ending is None or alone[1][0] == steps
    assert any(chosen.ending for _, chosen in found.values())


def test_a_piece_that_is_cut_off_keeps_its_first_ending():
    class Endless(Counted):
        def allowed(self, state):
            return 0b11110

        def complete(self, state):
            return ()

    endings = Endings(lambda plan: BEGIN, on_tonic, 3)
    request = GenerationRequest(length=7, count=3, seed=9)
    events = list(generate(Chain(), SPEC, request, Endless(), endings=endings))
    assert [event.complete for event in events if isinstance(event, Finished)] == [False] * 3
    assert all(len(event.steps) == 7 and event.chosen is None for event in events if isinstance(event, Generated))
