"""Many steps at a time on a network's device: what is kept, what is made anew, and what becomes of graphs that fail."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from composer.api import FrameRule, Limit, SequenceSpec, StepKind, Unsupported
from composer.api.sampler import BlockSampler
from composer.api.sampling.filters import CounterRNG, SamplingParams
from composer.api.sampling.torch_rng import TorchCounterRNG
from composer.toolkit.models import device_loop as module
from composer.toolkit.models.device_loop import GraphedStep
from composer_attn_lstm import AttnLstm
from composer_lstm import Lstm, LstmConfig
from composer_rnnrbm import RnnRbm

TOKENS = SequenceSpec(StepKind.TOKENS, size=11, end=0, conditions={"rhythm": ("jig", "reel")})
FRAMES = SequenceSpec(StepKind.FRAMES, size=12)
CUDA = torch.device("cuda")


def network(spec=TOKENS):
    torch.manual_seed(0)
    made = Lstm().network(spec, LstmConfig(hidden=8, embedding=4)).eval()
    torch.nn.init.normal_(made.output.weight)
    return made


def run(made, params, steps=6, seed=0, state=None):
    rows = len(params.temperature)
    state = made.initial_state([{"rhythm": "jig"}, {}][:rows]) if state is None else state
    return made.run(state, params, CounterRNG(range(seed, seed + rows)).stream_from(np.zeros(rows, int)), steps)


def test_a_network_of_steps_can_run_and_a_sampler_in_numpy_cannot():
    made = network()
    weights = {name: tensor.numpy() for name, tensor in made.state_dict().items()}
    assert isinstance(made, BlockSampler)
    assert not isinstance(Lstm().sampler(TOKENS, made.config, weights), BlockSampler)


def test_what_is_made_for_a_run_serves_the_next_of_its_kind():
    made = network()
    first, _ = run(made, SamplingParams.for_rows(2))
    loop = made.device_loop._tensor_loop
    second, _ = run(made, SamplingParams.for_rows(2), seed=50)
    again, _ = run(made, SamplingParams.for_rows(2, temperature=1.0))
    assert made.device_loop._tensor_loop is loop
    assert (first.steps == again.steps).all()
    assert (first.steps != second.steps).any()
    for other in (SamplingParams.for_rows(2, top_k=2), SamplingParams.for_rows(1)):
        run(made, other)
        assert made.device_loop._tensor_loop is not loop


def test_new_weights_are_heard():
    made, other = network(), network()
    torch.nn.init.normal_(other.output.weight, std=3)
    before, _ = run(made, SamplingParams.for_rows(2))
    made.load_state_dict(other.state_dict())
    expected, _ = run(other, SamplingParams.for_rows(2))
    assert (run(made, SamplingParams.for_rows(2))[0].steps == expected.steps).all()
    assert (before.steps != expected.steps).any()


def test_what_a_run_gave_is_not_changed_by_the_next():
    made = network()
    drawn, state = run(made, SamplingParams.for_rows(2))
    kept = drawn.steps.copy(), [part.clone() for part in state.layers]
    run(made, SamplingParams.for_rows(2), seed=9)
    assert (drawn.steps == kept[0]).all()
    assert all(torch.equal(*pair) for pair in zip(state.layers, kept[1], strict=True))


def test_the_steps_of_a_row_come_together():
    made = network()
    drawn, _ = run(made, SamplingParams.for_rows(2, temperature=0), steps=4)
    assert drawn.steps.shape == drawn.logp.shape == drawn.masked_prob.shape == (2, 4)
    assert (drawn.masked_prob == 0).all()
    frames, _ = run(network(FRAMES), SamplingParams.for_rows(2), steps=4)
    assert frames.steps.shape == (2, 4, 12)


def test_a_rule_that_looks_at_the_frame_itself_is_for_single_steps():
    made = network(FRAMES)
    how = SamplingParams.for_rows(2, rule=[None, FrameRule(project=lambda frame: frame[:1])])
    with pytest.raises(Unsupported, match="depend on the frame itself"):
        run(made, how)
    drawn = made.sample(made.initial_state([{}] * 2), how, CounterRNG([1, 2]).at_steps(np.zeros(2, int)))
    assert drawn.steps[1].sum() <= 1


def test_on_cuda_a_step_is_recorded_and_replayed(monkeypatch):
    taken = []
    monkeypatch.setattr(module, "capture_graph", lambda step, reset, device: lambda: taken.append("replayed"))
    steps = GraphedStep(lambda: taken.append("called"), lambda: None, CUDA)
    steps(3)
    assert taken == ["replayed"] * 3
    assert steps.no_graph_reason == ""


def test_where_no_graph_can_be_recorded_steps_are_taken_one_by_one(monkeypatch):
    def refuse(step, reset, device):
        raise RuntimeError("operation not permitted when stream is capturing\nand much more")

    monkeypatch.setattr(module, "capture_graph", refuse)
    taken = []
    steps = GraphedStep(lambda: taken.append("called"), lambda: None, CUDA)
    steps(3)
    assert taken == ["called"] * 3
    assert steps.no_graph_reason == "operation not permitted when stream is capturing"


def test_elsewhere_nothing_is_recorded(monkeypatch):
    monkeypatch.setattr(module, "capture_graph", None)
    made = network()
    run(made, SamplingParams.for_rows(2))
    assert made.device_loop.no_graph_reason == ""


class Watch(TorchDispatchMode):
    """Notes every operation that takes a tensor which is not on the device `meta`."""

    def __init__(self):
        super().__init__()
        self.count, self.elsewhere = 0, []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        tensors = [each for each in module._leaves((args, kwargs or {})) if isinstance(each, torch.Tensor)]
        if any(tensor.device.type != "meta" for tensor in tensors):
            self.elsewhere.append(str(function))
        return function(*args, **(kwargs or {}))


WAYS = [
    SamplingParams.for_rows(2),
    SamplingParams.for_rows(2, temperature=[0, 0.5], top_k=3, top_p=0.9, min_p=0.1),
    SamplingParams.for_rows(2).with_temperature(np.full((4, 2), 0.7, np.float32)),
]


@pytest.mark.parametrize(
    ("model", "spec"),
    [(Lstm, TOKENS), (Lstm, FRAMES), (AttnLstm, TOKENS), (AttnLstm, FRAMES), (RnnRbm, FRAMES)],
    ids=lambda value: getattr(value, "name", None) or value.kind,
)
def test_a_step_neither_waits_for_its_device_nor_reaches_beyond_it(model, spec):
    """So that it can be a graph. Tensors on the device `meta` have no values: to ask for one is an error."""
    made = model().network(spec, model.Config()).to("meta").eval()
    rule = [None, FrameRule(must_be_off=1, must_be_on=2, limits=(Limit(12, 1),))]
    if spec is TOKENS:
        rule = np.ones((2, spec.size), bool)
    for how in (way.with_mask(each) for way in WAYS for each in (None, rule)):
        rng = TorchCounterRNG.from_stream(CounterRNG([1, 2]).stream_from(np.zeros(2, int)), 4, made.device)
        with torch.no_grad():
            loop = module._TensorLoop(
                made, (made.initial_state([{}, {}]), made.device_loop._on_device(how), rng), 4, []
            )
            with Watch() as watch:
                loop._step()
        assert watch.count > 20
        assert watch.elsewhere == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_a_graph_draws_what_single_steps_draw():
    made = network().cuda()
    drawn, _ = run(made, SamplingParams.for_rows(2), steps=40)
    assert made.device_loop.no_graph_reason == ""
    state, rng = made.initial_state([{"rhythm": "jig"}, {}]), CounterRNG([0, 1])
    for step in range(40):
        single = made.sample(state, SamplingParams.for_rows(2), rng.at_steps(np.full(2, step)))
        assert (single.steps == drawn.steps[:, step]).all()
        state = made.advance(state, single.steps)
