"""Generation on a network's device: reuse of buffers, CUDA graphs and the fallback without them."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from composer.api import FrameRule, Limit, SequenceSpec, StepKind, Unsupported
from composer.api.sampler import BlockSampler
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG
from composer.api.sampling.torch_rng import TorchCounterRNG
from composer.toolkit.models import device_loop as module
from composer.toolkit.models.device_loop import GraphedStep
from composer_attn_lstm import AttnLstm
from composer_lstm import Lstm, LstmConfig
from composer_rnnrbm import RnnRbm

TOKENS = SequenceSpec(StepKind.TOKENS, size=11, end=0, conditions={"rhythm": ("jig", "reel")})
FRAMES = SequenceSpec(StepKind.FRAMES, size=12)
CUDA = torch.device("cuda")


def make_network(spec=TOKENS):
    torch.manual_seed(0)
    network = Lstm().network(spec, LstmConfig(hidden=8, embedding=4)).eval()
    torch.nn.init.normal_(network.output.weight)
    return network


def run(network, params, steps=6, seed=0, state=None):
    rows = len(params.temperature)
    state = network.initial_state([{"rhythm": "jig"}, {}][:rows]) if state is None else state
    return network.run(state, params, CounterRNG(range(seed, seed + rows)).stream_from(np.zeros(rows, int)), steps)


def test_networks_are_block_samplers_and_numpy_samplers_are_not():
    network = make_network()
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    assert isinstance(network, BlockSampler)
    assert not isinstance(Lstm().sampler(TOKENS, network.config, weights), BlockSampler)


def test_buffers_are_reused_for_similar_runs():
    network = make_network()
    first, _ = run(network, BatchSamplingParams.for_rows(2))
    loop = network.device_loop._tensor_loop
    second, _ = run(network, BatchSamplingParams.for_rows(2), seed=50)
    again, _ = run(network, BatchSamplingParams.for_rows(2, temperature=1.0))
    assert network.device_loop._tensor_loop is loop
    assert (first.steps == again.steps).all()
    assert (first.steps != second.steps).any()
    for other in (BatchSamplingParams.for_rows(2, top_k=2), BatchSamplingParams.for_rows(1)):
        run(network, other)
        assert network.device_loop._tensor_loop is not loop


def test_new_weights_take_effect():
    network, other = make_network(), make_network()
    torch.nn.init.normal_(other.output.weight, std=3)
    before, _ = run(network, BatchSamplingParams.for_rows(2))
    network.load_state_dict(other.state_dict())
    expected, _ = run(other, BatchSamplingParams.for_rows(2))
    assert (run(network, BatchSamplingParams.for_rows(2))[0].steps == expected.steps).all()
    assert (before.steps != expected.steps).any()


def test_results_are_not_overwritten_by_the_next_run():
    network = make_network()
    draw, state = run(network, BatchSamplingParams.for_rows(2))
    copy = draw.steps.copy(), [part.clone() for part in state.layers]
    run(network, BatchSamplingParams.for_rows(2), seed=9)
    assert (draw.steps == copy[0]).all()
    assert all(torch.equal(*pair) for pair in zip(state.layers, copy[1], strict=True))


def test_shapes():
    network = make_network()
    draw, _ = run(network, BatchSamplingParams.for_rows(2, temperature=0), steps=4)
    assert draw.steps.shape == draw.logp.shape == draw.masked_prob.shape == (2, 4)
    assert (draw.masked_prob == 0).all()
    frames, _ = run(make_network(FRAMES), BatchSamplingParams.for_rows(2), steps=4)
    assert frames.steps.shape == (2, 4, 12)


def test_projections_need_single_steps():
    network = make_network(FRAMES)
    params = BatchSamplingParams.for_rows(2, rule=[None, FrameRule(project=lambda frame: frame[:1])])
    with pytest.raises(Unsupported, match="rules with a projection"):
        run(network, params)
    draw = network.sample(network.initial_state([{}] * 2), params, CounterRNG([1, 2]).at_steps(np.zeros(2, int)))
    assert draw.steps[1].sum() <= 1


def test_cuda_steps_are_captured_and_replayed(monkeypatch):
    calls = []
    monkeypatch.setattr(module, "capture_graph", lambda step, reset, device: lambda: calls.append("replayed"))
    steps = GraphedStep(lambda: calls.append("called"), lambda: None, CUDA)
    steps(3)
    assert calls == ["replayed"] * 3
    assert steps.no_graph_reason == ""


def test_steps_run_one_by_one_if_capture_fails(monkeypatch):
    def fail(step, reset, device):
        raise RuntimeError("operation not permitted when stream is capturing\nand much more")

    monkeypatch.setattr(module, "capture_graph", fail)
    calls = []
    steps = GraphedStep(lambda: calls.append("called"), lambda: None, CUDA)
    steps(3)
    assert calls == ["called"] * 3
    assert steps.no_graph_reason == "operation not permitted when stream is capturing"


def test_no_capture_without_cuda(monkeypatch):
    monkeypatch.setattr(module, "capture_graph", None)
    network = make_network()
    run(network, BatchSamplingParams.for_rows(2))
    assert network.device_loop.no_graph_reason == ""


class DeviceCheck(TorchDispatchMode):
    """Records operations on tensors outside the device `meta`."""

    def __init__(self):
        super().__init__()
        self.count, self.on_other_devices = 0, []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        tensors = [each for each in module._leaves((args, kwargs or {})) if isinstance(each, torch.Tensor)]
        if any(tensor.device.type != "meta" for tensor in tensors):
            self.on_other_devices.append(str(function))
        return function(*args, **(kwargs or {}))


PARAMS = [
    BatchSamplingParams.for_rows(2),
    BatchSamplingParams.for_rows(2, temperature=[0, 0.5], top_k=3, top_p=0.9, min_p=0.1),
    BatchSamplingParams.for_rows(2).with_temperature(np.full((4, 2), 0.7, np.float32)),
]


@pytest.mark.parametrize(
    ("model", "spec"),
    [(Lstm, TOKENS), (Lstm, FRAMES), (AttnLstm, TOKENS), (AttnLstm, FRAMES), (RnnRbm, FRAMES)],
    ids=lambda value: getattr(value, "name", None) or value.kind,
)
def test_steps_neither_synchronize_nor_leave_the_device(model, spec):
    """As CUDA graphs need. Tensors on the device `meta` have no values: reading one is an error."""
    network = model().network(spec, model.Config()).to("meta").eval()
    rule = [None, FrameRule(must_be_off=1, must_be_on=2, limits=(Limit(12, 1),))]
    if spec is TOKENS:
        rule = np.ones((2, spec.size), bool)
    for params in (each_params.with_mask(each) for each_params in PARAMS for each in (None, rule)):
        rng = TorchCounterRNG.from_stream(CounterRNG([1, 2]).stream_from(np.zeros(2, int)), 4, network.device)
        with torch.no_grad():
            loop = module._TensorLoop(
                network, (network.initial_state([{}, {}]), network.device_loop._on_device(params), rng), 4, []
            )
            with DeviceCheck() as check:
                loop._step()
        assert check.count > 20
        assert check.on_other_devices == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_graphs_draw_the_same_as_single_steps():
    network = make_network().cuda()
    draw, _ = run(network, BatchSamplingParams.for_rows(2), steps=40)
    assert network.device_loop.no_graph_reason == ""
    state, rng = network.initial_state([{"rhythm": "jig"}, {}]), CounterRNG([0, 1])
    for step in range(40):
        single = network.sample(state, BatchSamplingParams.for_rows(2), rng.at_steps(np.full(2, step)))
        assert (single.steps == draw.steps[:, step]).all()
        state = network.advance(state, single.steps)
