"""What every Model promises: it learns, streams, plays row by row, and is the same by both of its faces."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from composer.api.errors import Unsupported
from composer.api.hooks import API_VERSION
from composer.api.model import Model, Running, Sampler
from composer.api.representation import FrameRule, Limit
from composer.api.sampling.filters import CounterNoise, How
from composer.api.sequence import Kind, SequenceSpec

if TYPE_CHECKING:
    from composer.api.network import Batch, Network

__all__ = ["check_model"]

PROBABILITY_TOLERANCE = 1e-5
LOG_TOLERANCE = 1e-4
CERTAIN_ENOUGH = 1e-5
"""Log-probabilities of rarer steps than this may differ by more, since fp32 cannot tell them."""

SUM_TOLERANCE = 1e-5
"""How much, as a share of it, a sum of many steps may depend on where it was cut."""


def check_model(kind: type[Model], **settings: Any) -> None:
    """Hold `kind` to what Model promises, for every kind of sequence it accepts; `settings` go into its Config."""
    assert isinstance(kind.api, int), f"{kind.__name__} does not say which interface it was written for"
    assert kind.api <= API_VERSION, f"{kind.__name__} was written for a newer interface"
    assert kind.accepts, "a model accepts at least one kind of sequence"
    model = kind()
    config = dataclasses.replace(model.Config(), **settings)
    conditions = {"rhythm": ("jig", "reel")} if kind.conditional else {}
    for sequence in sorted(kind.accepts):
        end = 0 if sequence is Kind.TOKENS else None
        for labels in [{}, conditions] if conditions else [{}]:
            spec = SequenceSpec(sequence, size=12, end=end, conditions=labels)
            _check_learns(model, spec, config)
            _check_streams(model, spec, config)
            network = _rounded(model.network(spec, config))
            _check_plays(network, spec)
            weights = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
            sampler = model.sampler(spec, config, weights)
            if sampler is not None:
                _check_plays(sampler, spec)
                _check_faces(network, sampler, spec)


def _check_learns(model: Model, spec: SequenceSpec, config: Any) -> None:
    """On one batch that repeats, the monitor falls."""
    import torch

    torch.manual_seed(0)
    network = model.network(spec, config)
    batch = _batch(spec, rows=4, length=24)
    for phase in network.phases():
        network.enter(phase)
        optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
        network.eval()
        before = network.evaluate(batch, None)[0]
        network.train()
        for _ in range(40):
            optimiser.zero_grad()
            loss = network.loss(batch, None)[0]
            loss.objective.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        network.eval()
        after = network.evaluate(batch, None)[0]
        assert after.count == before.count == float(batch.weight.sum()), "steps of weight 0 are counted, or others not"
        assert after.mean < before.mean, f"phase `{phase.name}` does not learn: {before.mean} became {after.mean}"


def _check_streams(model: Model, spec: SequenceSpec, config: Any) -> None:
    """Two windows with the state handed on are one long window; a reset forgets everything."""
    import torch

    torch.manual_seed(0)
    network = model.network(spec, config).eval()
    network.enter(network.phases()[-1])
    batch = _batch(spec, rows=3, length=20)
    whole = network.evaluate(batch, None)[0].total
    first, state = network.evaluate(batch.between(0, 8), None)
    second, _ = network.evaluate(batch.between(8, 20), state)
    assert abs(first.total + second.total - whole) <= SUM_TOLERANCE * abs(whole), "two windows are not one long window"
    batch.reset[:, 8] = True
    parted = network.evaluate(batch, None)[0].total
    alone = network.evaluate(batch.between(8, 20), None)[0].total
    assert abs(first.total + alone - parted) <= SUM_TOLERANCE * abs(parted), (
        "a reset does not forget what was before it"
    )


def _check_plays(player: Sampler, spec: SequenceSpec) -> None:
    """Rows are independent, a row that is not active stays, and select copies rows."""
    rows = np.arange(3)
    steps = _steps(spec, rows=3, length=6)
    together = player.begin([{}] * 3)
    for column in steps:
        together = player.observe(together, column)
    before = player.sample(together, How.of(3), CounterNoise([1, 2, 3]).at(np.zeros(3, int)))
    swapped = player.select(together, rows[::-1])
    after = player.sample(swapped, How.of(3), CounterNoise([3, 2, 1]).at(np.zeros(3, int)))
    assert (before.steps[::-1] == after.steps).all(), "a piece depends on its row or on its neighbours"
    kept = player.select(together, rows)
    moved = player.observe(player.select(together, rows), steps[0], np.array([True, False, True]))
    mixed = player.select(moved, np.array([-1, 1, -1]), player.select(kept, np.array([1])))
    again = player.sample(mixed, How.of(3), CounterNoise([2, 2, 2]).at(np.zeros(3, int)))
    assert (again.steps == before.steps[1]).all(), "select or an inactive row does not keep what it should"
    assert np.isfinite(again.logp).all(), "a drawn step has no finite log-probability"
    if isinstance(player, Running):
        _check_runs(player, spec)


def _check_runs(player: Running, spec: SequenceSpec) -> None:
    """Many steps at a time are the same ones as step by step, and so is the state after them."""
    ways = [How.of(3), How.of(3, temperature=[0, 0.7, 2], top_k=[0, 3, 0], min_p=[0.1, 0, 0])]
    ways.append(How.of(3).at(np.linspace(0.5, 2, 18, dtype=np.float32).reshape(6, 3)))
    if spec.kind is Kind.TOKENS:
        ways.append(How.of(3, rule=np.arange(3 * spec.size).reshape(3, -1) % 3 > 0))
    else:
        ways.append(How.of(3, rule=[None, FrameRule(off=1, on=6, limits=(Limit(0b111100, 1),)), FrameRule(off=3)]))
    for how in ways:
        noise = CounterNoise([7, 8, 9]).onward(np.array([0, 5, 60]))
        alone, drawn = player.begin([{}] * 3), []
        for step in range(5):
            drawn.append(player.sample(alone, how.step(step), noise.at(step)))
            alone = player.observe(alone, drawn[-1].steps)
        ahead = how if how.temperature.ndim == 1 else how.at(how.temperature[:5])
        found, state = player.run(player.begin([{}] * 3), ahead, noise, 5)
        for name in ("steps", "logp", "refused"):
            expected = np.stack([getattr(each, name) for each in drawn], axis=1)
            given = getattr(found, name)
            assert given.shape == expected.shape, f"a run gives {name} of shape {given.shape}, not {expected.shape}"
            assert np.allclose(given, expected, atol=LOG_TOLERANCE), f"{name} are not as drawn step by step in a run"
        after = [player.sample(each, how.step(5), noise.at(5)).steps for each in (alone, state)]
        assert (after[0] == after[1]).all(), "the state after a run is not the one after its steps"


def _check_faces(network: Network, sampler: Sampler, spec: SequenceSpec) -> None:
    """Both faces give the same probabilities after the same steps."""
    labels = {name: values[0] for name, values in spec.conditions.items()}
    rows: list[Mapping[str, str]] = [labels, {}]
    ours, theirs = sampler.begin(rows), network.begin(rows)
    for column in _steps(spec, rows=2, length=40):
        try:
            played, learnt = sampler.score(ours, column), network.score(theirs, column)
        except Unsupported:
            return
        assert np.abs(np.exp(played) - np.exp(learnt)).max() <= PROBABILITY_TOLERANCE, "the faces differ in probability"
        likely = learnt > np.log(CERTAIN_ENOUGH)
        assert (np.abs(played - learnt)[likely] <= LOG_TOLERANCE).all(), "the two faces differ in log-probability"
        ours, theirs = sampler.observe(ours, column), network.observe(theirs, column)


def _rounded(network: Network) -> Network:
    """The network with weights as a checkpoint stores them."""
    return network.half().float().eval()


def _steps(spec: SequenceSpec, rows: int, length: int) -> NDArray[Any]:
    """Random steps, one column of a batch at a time: (length, rows) tokens or (length, rows, V) frames."""
    generator = np.random.default_rng(0)
    if spec.kind is Kind.TOKENS:
        return generator.integers(1, spec.size, (length, rows))
    return (generator.random((length, rows, spec.size)) < 0.2).astype(np.uint8)


def _batch(spec: SequenceSpec, rows: int, length: int) -> Batch:
    """A window in which every row begins a piece and the last step of the first row is padding."""
    import torch

    from composer.api.network import Batch

    targets = torch.from_numpy(_steps(spec, rows, length)).transpose(0, 1).contiguous()
    targets = targets if spec.kind is Kind.TOKENS else targets.float()
    begin = torch.full_like(targets[:, :1], spec.end or 0)
    weight = torch.ones(rows, length)
    weight[0, -1] = 0
    reset = torch.zeros(rows, length, dtype=torch.bool)
    reset[:, 0] = True
    index = torch.arange(rows)[:, None].expand(rows, length)
    conditions = {name: index % (1 + len(values)) - 1 for name, values in spec.conditions.items()}
    return Batch(torch.cat([begin, targets[:, :-1]], 1), targets, weight, reset, conditions)
