"""Frames that the constraint does not favor are drawn again, whatever the batch size."""

from math import inf, log

import numpy as np
import pytest

from composer.api import Constraint, FrameRule, SequenceSpec, StepKind
from composer.api.sampling.filters import draw_frames
from composer.api.sampling.params import SamplingParams
from composer.generation.batched_loop import MAX_REDRAWS
from composer.generation.endings import Endings
from composer.generation.generate import generate
from composer.generation.request import Generated, GenerationRequest

SPEC = SequenceSpec(StepKind.FRAMES, size=3)


class Coins:
    """A sampler of frames of three units; the first is more likely after itself. It counts its steps.

    Like one that draws some rows jointly, it uses numbers because of other rows too.
    """

    sampled = 0

    def initial_state(self, conditions):
        return np.zeros((len(conditions), 2))

    def advance(self, state, steps, active=None):
        after = np.stack([steps[:, 0], state[:, 1] + 1], axis=1)
        return after if active is None else np.where(active[:, None], after, state)

    def sample(self, state, params, rng):
        logits = np.stack([state[:, 0] - 0.5, 0 * state[:, 1], 0 * state[:, 1]], axis=1)
        self.sampled += 1
        drawn = draw_frames(logits, params, rng)
        rng.uniform(len(state), len(state))
        return drawn

    def gather_rows(self, state, rows, fresh=None):
        return (state if fresh is None else np.concatenate([state, fresh]))[rows]


class Favoring(Constraint):
    """All frames; those with the first unit have a factor."""

    def __init__(self, factor):
        self.weight = log(factor) if factor else -inf

    def start(self, primer):
        return len(primer)

    def step(self, state, step):
        return state + 1

    def allowed(self, state):
        return FrameRule()

    def log_weight(self, state, step):
        return self.weight if 0 in step else 0.0

    def complete(self, state):
        return ()


def pieces(factor, endings=None, **fields):
    request = GenerationRequest(**{"length": 12, "count": 60, "seed": 3, **fields})
    found = {}
    for event in generate(Coins(), SPEC, request, Favoring(factor), endings=endings):
        if isinstance(event, Generated):
            found.setdefault(event.number, ([], event.chosen))[0].extend(event.steps)
    return found


class Fixed(Favoring):
    """The first unit alone, with a factor."""

    def allowed(self, state):
        return FrameRule(must_be_on=0b001, must_be_off=0b110)


def share(found):
    return np.mean([0 in step for steps, _ in found.values() for step in steps])


def test_a_frame_is_taken_as_often_as_its_factor_says():
    assert share(pieces(1)) > 0.4
    assert share(pieces(0)) == 0, f"{MAX_REDRAWS} draws are enough"
    # p f / (1 - p (1 - f)) of a frame after one without the first unit, where p = 0.38
    assert 0.1 < share(pieces(0.25)) < 0.2
    assert all(len(steps) == 12 for steps, _ in pieces(0.25).values())


@pytest.mark.parametrize("width", [1, 7])
def test_redraws_do_not_depend_on_the_batch(width):
    assert pieces(0.25, requested_batch_size=width) == pieces(0.25)


@pytest.mark.parametrize(("rule", "temperature"), [(Fixed(0), 1), (Favoring(0), 0)])
def test_frames_that_cannot_differ_are_drawn_once(rule, temperature):
    """The most likely frame after one with the first unit has it too."""
    sampler, first = Coins(), ((0,),)
    sampling = SamplingParams(temperature=temperature)
    request = GenerationRequest(length=12, count=3, sampling=sampling, primer=first)
    steps = [step for event in generate(sampler, SPEC, request, rule) for step in getattr(event, "steps", ())]
    assert len(steps) == 36
    assert all(0 in step for step in steps)
    assert sampler.sampled == 11


def test_an_ending_with_redraws_is_reproduced():
    endings = Endings(lambda plan: 6, lambda steps, plan: float(steps[-1] == (1, 2)), 4)
    found = pieces(0.25, endings, count=20)
    assert any(chosen for _, chosen in found.values())
    for steps, chosen in found.values():
        if chosen is not None:
            assert pieces(0.25, count=1, seed=chosen.seed, ending=chosen.ending)[1][0] == steps
