"""Composing in blocks: the same pieces as step by step, whatever ends within a block."""

import numpy as np
import pytest

from composer.api import Constraint, SequenceSpec, StepKind
from composer.api.sampling.filters import Draw, draw_frames, draw_tokens
from composer.api.sampling.params import SamplingParams, TemperatureRamp
from composer.generation import block_loop
from composer.generation.generate import generate
from composer.generation.request import Finished, Generated, GenerationRequest

TOKENS = SequenceSpec(StepKind.TOKENS, size=5, end=0)
FRAMES = SequenceSpec(StepKind.FRAMES, size=5)


class Chain:
    """A sampler whose next step depends on the last one alone; the end comes about every tenth."""

    logits = np.random.default_rng(3).normal(size=(5, 5)) - [1.0, 0, 0, 0, 0]

    def __init__(self, spec):
        self.spec = spec

    def initial_state(self, conditions):
        return np.zeros(len(conditions), int)

    def advance(self, state, steps, active=None):
        return steps if self.spec is TOKENS else steps.sum(1, dtype=int) % 5

    def sample(self, state, params, rng):
        draw = draw_tokens if self.spec is TOKENS else draw_frames
        return draw(self.logits[state], params, rng)

    def gather_rows(self, state, rows, fresh=None):
        return (state if fresh is None else np.concatenate([state, fresh]))[rows]

    def log_prob(self, state, steps):
        raise AssertionError("composing asks for no scores")


class Blocks(Chain):
    """The same, many steps at a time."""

    lengths = ()

    def run(self, state, params, rng, steps):
        self.lengths += (steps,)
        drawn = []
        for step in range(steps):
            drawn.append(self.sample(state, params.at_step(step), rng.at_step(step)))
            state = self.advance(state, drawn[-1].steps)
        parts = zip(*((each.steps, each.logp, each.masked_prob) for each in drawn), strict=True)
        return Draw(*(np.stack(part, 1) for part in parts)), state


def composed(sampler, request, constraint=None, spec=None):
    """What is told, in order, with all that is told of one piece put together."""
    found = []
    for event in generate(sampler, spec or sampler.spec, request, constraint):
        if (
            isinstance(event, Generated)
            and found
            and isinstance(found[-1], Generated)
            and found[-1].number == event.number
        ):
            before = found.pop()
            both = ([*getattr(before, name), *getattr(event, name)] for name in ("steps", "logp", "masked_prob"))
            found.append(Generated(event.number, *both))
        else:
            found.append(event)
    return found


@pytest.mark.parametrize("spec", [TOKENS, FRAMES])
@pytest.mark.parametrize("length", [1, 5, 64, 65, 150])
@pytest.mark.parametrize("width", [1, 7, 40])
def test_pieces_are_the_same_as_step_by_step(spec, length, width):
    request = GenerationRequest(
        length=length, count=20, seed=5, requested_batch_size=width, sampling=SamplingParams(1.3)
    )
    assert composed(Blocks(spec), request) == composed(Chain(spec), request)


@pytest.mark.parametrize("spec", [TOKENS, FRAMES])
@pytest.mark.parametrize("width", [1, 7])
def test_a_temperature_changes_within_a_block_as_step_by_step(spec, width):
    curve = TemperatureRamp(0.2, 2.0, 100)
    request = GenerationRequest(
        length=150,
        count=20,
        seed=5,
        requested_batch_size=width,
        sampling=SamplingParams(curve),
        primer=(1,) if spec is TOKENS else (),
    )
    assert composed(Blocks(spec), request) == composed(Chain(spec), request)


def test_what_a_judge_refuses_is_composed_again_as_step_by_step():
    request = GenerationRequest(length=150, count=20, seed=5, requested_batch_size=7)
    events = [list(generate(kind(TOKENS), TOKENS, request, accept=short)) for kind in (Blocks, Chain)]
    found = [{each.number: each.seed for each in run if isinstance(each, Finished)} for run in events]
    assert found[0] == found[1]
    assert len(set(found[0].values()) - set(range(5, 25))) == 3


def short(steps):
    return len(steps) < 9


@pytest.mark.parametrize(("spec", "primer"), [(TOKENS, (3, 1, 2)), (FRAMES, ((), (0, 4)))])
def test_a_primer_opens_every_piece_and_is_part_of_its_length(spec, primer):
    request = GenerationRequest(length=70, count=9, primer=primer, requested_batch_size=4)
    events = composed(Blocks(spec), request)
    assert events == composed(Chain(spec), request)
    ours = [step for event in events if isinstance(event, Generated) and event.number == 9 for step in event.steps]
    assert tuple(ours[: len(primer)]) == primer
    assert len(ours) <= 70


def test_a_piece_ends_with_its_end_symbol_or_is_cut():
    events = composed(Blocks(TOKENS), GenerationRequest(length=12, count=60, seed=1))
    whole = {event.number: event.complete for event in events if isinstance(event, Finished)}
    assert set(whole.values()) == {True, False}
    last = {event.number: event.steps[-1] for event in events if isinstance(event, Generated)}
    assert all((last[number] == 0) == ended for number, ended in whole.items())
    assert len(whole) == 60


def test_blocks_are_of_one_length_and_few_steps_are_too_many():
    sampler = Blocks(FRAMES)
    composed(sampler, GenerationRequest(length=70, count=1))
    assert sampler.lengths == (35, 35)
    assert block_loop.MAX_BLOCK == 64


def test_an_automaton_must_see_every_step():
    class Anything(Constraint):
        def start(self, primer):
            return 0

        def step(self, state, step):
            return 0

        def allowed(self, state):
            return 0b11111

        def complete(self, state):
            return (0,)

    sampler = Blocks(TOKENS)
    composed(sampler, GenerationRequest(length=30, count=2), Anything())
    assert sampler.lengths == ()


class WithoutRun:
    """A network's methods for single steps."""

    def __init__(self, network):
        self.initial_state, self.advance, self.sample = network.initial_state, network.advance, network.sample
        self.gather_rows, self.log_prob = network.gather_rows, network.log_prob


def test_a_network_composes_in_blocks_what_it_composes_step_by_step(tiny):
    import torch

    torch.manual_seed(0)
    network = tiny.network(TOKENS, tiny.Config()).eval()
    torch.nn.init.normal_(network.output.weight)
    request = GenerationRequest(
        length=90, count=12, seed=3, requested_batch_size=5, sampling=SamplingParams(1.5, top_k=4)
    )
    found = composed(network, request, spec=TOKENS)
    assert found == composed(WithoutRun(network), request, spec=TOKENS)
    assert len({event.number for event in found}) == 12
