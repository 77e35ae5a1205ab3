"""Generating in blocks gives the same pieces as step by step."""

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
    """A sampler whose next step depends on the last one only; about every tenth is the end."""

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
        raise AssertionError("generating needs no scores")


class Blocks(Chain):
    """The same, in blocks."""

    lengths = ()

    def run(self, state, params, rng, steps):
        self.lengths += (steps,)
        drawn = []
        for step in range(steps):
            drawn.append(self.sample(state, params.at_step(step), rng.at_step(step)))
            state = self.advance(state, drawn[-1].steps)
        parts = zip(*((each.steps, each.logp, each.masked_prob) for each in drawn), strict=True)
        return Draw(*(np.stack(part, 1) for part in parts)), state


def events_of(sampler, request, constraint=None, spec=None):
    """Return the events in order, those of one piece joined."""
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
def test_blocks_generate_the_same_pieces_as_single_steps(spec, length, width):
    request = GenerationRequest(
        length=length, count=20, seed=5, requested_batch_size=width, sampling=SamplingParams(1.3)
    )
    assert events_of(Blocks(spec), request) == events_of(Chain(spec), request)


@pytest.mark.parametrize("spec", [TOKENS, FRAMES])
@pytest.mark.parametrize("width", [1, 7])
def test_temperature_ramp_within_a_block(spec, width):
    curve = TemperatureRamp(0.2, 2.0, 100)
    request = GenerationRequest(
        length=150,
        count=20,
        seed=5,
        requested_batch_size=width,
        sampling=SamplingParams(curve),
        primer=(1,) if spec is TOKENS else (),
    )
    assert events_of(Blocks(spec), request) == events_of(Chain(spec), request)


def test_rejected_pieces_are_retried_as_with_single_steps():
    request = GenerationRequest(length=150, count=20, seed=5, requested_batch_size=7)
    events = [list(generate(kind(TOKENS), TOKENS, request, accept=short)) for kind in (Blocks, Chain)]
    found = [{each.number: each.seed for each in run if isinstance(each, Finished)} for run in events]
    assert found[0] == found[1]
    assert len(set(found[0].values()) - set(range(5, 25))) == 3


def short(steps):
    return len(steps) < 9


@pytest.mark.parametrize(("spec", "primer"), [(TOKENS, (3, 1, 2)), (FRAMES, ((), (0, 4)))])
def test_primer_counts_toward_the_length(spec, primer):
    request = GenerationRequest(length=70, count=9, primer=primer, requested_batch_size=4)
    events = events_of(Blocks(spec), request)
    assert events == events_of(Chain(spec), request)
    ours = [step for event in events if isinstance(event, Generated) and event.number == 9 for step in event.steps]
    assert tuple(ours[: len(primer)]) == primer
    assert len(ours) <= 70


def test_pieces_end_with_the_end_symbol_or_are_cut_off():
    events = events_of(Blocks(TOKENS), GenerationRequest(length=12, count=60, seed=1))
    complete = {event.number: event.complete for event in events if isinstance(event, Finished)}
    assert set(complete.values()) == {True, False}
    last = {event.number: event.steps[-1] for event in events if isinstance(event, Generated)}
    assert all((last[number] == 0) == ended for number, ended in complete.items())
    assert len(complete) == 60


def test_block_size():
    sampler = Blocks(FRAMES)
    events_of(sampler, GenerationRequest(length=70, count=1))
    assert sampler.lengths == (35, 35)
    assert block_loop.MAX_BLOCK == 64


def test_no_blocks_with_a_constraint():
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
    events_of(sampler, GenerationRequest(length=30, count=2), Anything())
    assert sampler.lengths == ()


class WithoutRun:
    """A network's methods for single steps."""

    def __init__(self, network):
        self.initial_state, self.advance, self.sample = network.initial_state, network.advance, network.sample
        self.gather_rows, self.log_prob = network.gather_rows, network.log_prob


def test_network_generates_the_same_in_blocks(tiny):
    import torch

    torch.manual_seed(0)
    network = tiny.network(TOKENS, tiny.Config()).eval()
    torch.nn.init.normal_(network.output.weight)
    request = GenerationRequest(
        length=90, count=12, seed=3, requested_batch_size=5, sampling=SamplingParams(1.5, top_k=4)
    )
    found = events_of(network, request, spec=TOKENS)
    assert found == events_of(WithoutRun(network), request, spec=TOKENS)
    assert len({event.number for event in found}) == 12
