"""Many steps at a time on a network's device: what is kept, what is made anew, and what becomes of graphs that fail."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from composer.api import FrameRule, Kind, Limit, SequenceSpec, Unsupported
from composer.api.model import Running
from composer.api.sampling.filters import CounterNoise, How
from composer.api.sampling.torch_rng import AheadNoise
from composer.toolkit.models import device_loop as module
from composer.toolkit.models.device_loop import Repeated
from composer_attn_lstm import AttnLstm
from composer_lstm import Lstm, LstmConfig
from composer_rnnrbm import RnnRbm

TOKENS = SequenceSpec(Kind.TOKENS, size=11, end=0, conditions={"rhythm": ("jig", "reel")})
FRAMES = SequenceSpec(Kind.FRAMES, size=12)
CUDA = torch.device("cuda")


def network(spec=TOKENS):
    torch.manual_seed(0)
    made = Lstm().network(spec, LstmConfig(hidden=8, embedding=4)).eval()
    torch.nn.init.normal_(made.output.weight)
    return made


def run(made, how, steps=6, seed=0, state=None):
    rows = len(how.temperature)
    state = made.begin([{"rhythm": "jig"}, {}][:rows]) if state is None else state
    return made.run(state, how, CounterNoise(range(seed, seed + rows)).onward(np.zeros(rows, int)), steps)


def test_a_network_of_steps_can_run_and_a_sampler_in_numpy_cannot():
    made = network()
    weights = {name: tensor.numpy() for name, tensor in made.state_dict().items()}
    assert isinstance(made, Running)
    assert not isinstance(Lstm().sampler(TOKENS, made.config, weights), Running)


def test_what_is_made_for_a_run_serves_the_next_of_its_kind():
    made = network()
    first, _ = run(made, How.of(2))
    loop = made.runner._loop
    second, _ = run(made, How.of(2), seed=50)
    again, _ = run(made, How.of(2, temperature=1.0))
    assert made.runner._loop is loop
    assert (first.steps == again.steps).all()
    assert (first.steps != second.steps).any()
    for other in (How.of(2, top_k=2), How.of(1)):
        run(made, other)
        assert made.runner._loop is not loop


def test_new_weights_are_heard():
    made, other = network(), network()
    torch.nn.init.normal_(other.output.weight, std=3)
    before, _ = run(made, How.of(2))
    made.load_state_dict(other.state_dict())
    expected, _ = run(other, How.of(2))
    assert (run(made, How.of(2))[0].steps == expected.steps).all()
    assert (before.steps != expected.steps).any()


def test_what_a_run_gave_is_not_changed_by_the_next():
    made = network()
    drawn, state = run(made, How.of(2))
    kept = drawn.steps.copy(), [part.clone() for part in state.parts]
    run(made, How.of(2), seed=9)
    assert (drawn.steps == kept[0]).all()
    assert all(torch.equal(*pair) for pair in zip(state.parts, kept[1], strict=True))


def test_the_steps_of_a_row_come_together():
    made = network()
    drawn, _ = run(made, How.of(2, temperature=0), steps=4)
    assert drawn.steps.shape == drawn.logp.shape == drawn.refused.shape == (2, 4)
    assert (drawn.refused == 0).all()
    frames, _ = run(network(FRAMES), How.of(2), steps=4)
    assert frames.steps.shape == (2, 4, 12)


def test_a_rule_that_looks_at_the_frame_itself_is_for_single_steps():
    made = network(FRAMES)
    how = How.of(2, rule=[None, FrameRule(project=lambda frame: frame[:1])])
    with pytest.raises(Unsupported, match="depend on the frame itself"):
        run(made, how)
    drawn = made.sample(made.begin([{}] * 2), how, CounterNoise([1, 2]).at(np.zeros(2, int)))
    assert drawn.steps[1].sum() <= 1


def test_on_cuda_a_step_is_recorded_and_replayed(monkeypatch):
    taken = []
    monkeypatch.setattr(module, "recorded", lambda step, reset, device: lambda: taken.append("replayed"))
    steps = Repeated(lambda: taken.append("called"), lambda: None, CUDA)
    steps(3)
    assert taken == ["replayed"] * 3
    assert steps.not_recorded == ""


def test_where_no_graph_can_be_recorded_steps_are_taken_one_by_one(monkeypatch):
    def refuse(step, reset, device):
        raise RuntimeError("operation not permitted when stream is capturing\nand much more")

    monkeypatch.setattr(module, "recorded", refuse)
    taken = []
    steps = Repeated(lambda: taken.append("called"), lambda: None, CUDA)
    steps(3)
    assert taken == ["called"] * 3
    assert steps.not_recorded == "operation not permitted when stream is capturing"


def test_elsewhere_nothing_is_recorded(monkeypatch):
    monkeypatch.setattr(module, "recorded", None)
    made = network()
    run(made, How.of(2))
    assert made.runner.not_recorded == ""


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
    How.of(2),
    How.of(2, temperature=[0, 0.5], top_k=3, top_p=0.9, min_p=0.1),
    How.of(2).at(np.full((4, 2), 0.7, np.float32)),
]


@pytest.mark.parametrize(
    ("model", "spec"),
    [(Lstm, TOKENS), (Lstm, FRAMES), (AttnLstm, TOKENS), (AttnLstm, FRAMES), (RnnRbm, FRAMES)],
    ids=lambda value: getattr(value, "name", None) or value.kind,
)
def test_a_step_neither_waits_for_its_device_nor_reaches_beyond_it(model, spec):
    """So that it can be a graph. Tensors on the device `meta` have no values: to ask for one is an error."""
    made = model().network(spec, model.Config()).to("meta").eval()
    rule = [None, FrameRule(off=1, on=2, limits=(Limit(12, 1),))]
    if spec is TOKENS:
        rule = np.ones((2, spec.size), bool)
    for how in (way.under(each) for way in WAYS for each in (None, rule)):
        noise = AheadNoise.of(CounterNoise([1, 2]).onward(np.zeros(2, int)), 4, made.device)
        with torch.no_grad():
            loop = module._Loop(made, (made.begin([{}, {}]), made.runner._way_of(how), noise), 4, [])
            with Watch() as watch:
                loop._step()
        assert watch.count > 20
        assert watch.elsewhere == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_a_graph_draws_what_single_steps_draw():
    made = network().cuda()
    drawn, _ = run(made, How.of(2), steps=40)
    assert made.runner.not_recorded == ""
    state, noise = made.begin([{"rhythm": "jig"}, {}]), CounterNoise([0, 1])
    for step in range(40):
        single = made.sample(state, How.of(2), noise.at(np.full(2, step)))
        assert (single.steps == drawn.steps[:, step]).all()
        state = made.observe(state, single.steps)
