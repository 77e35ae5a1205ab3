"""What every Model promises: it learns, streams, plays row by row, and is the same by both of its faces."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from composer.api.constraint import FrameRule, Limit
from composer.api.errors import Unsupported
from composer.api.hooks import API_VERSION
from composer.api.model import Model
from composer.api.sampler import BlockSampler, Sampler
from composer.api.sampling.filters import CounterRNG, SamplingParams
from composer.api.sequence import SequenceSpec, StepKind

if TYPE_CHECKING:
    from composer.api.network import Batch, Network

__all__ = ["check_model"]

PROBABILITY_TOLERANCE = 1e-5
LOG_TOLERANCE = 1e-4
MIN_PROBABILITY = 1e-5
"""Log-probabilities of rarer steps than this may differ by more, since fp32 cannot tell them."""

SUM_TOLERANCE = 1e-5
"""How much, as a share of it, a sum of many steps may depend on where it was cut."""


def check_model(model_class: type[Model], **settings: Any) -> None:
    """Hold `model_class` to what Model promises, for every kind of sequence it accepts; `settings` go into its
    Config.
    """
    assert isinstance(model_class.api, int), f"{model_class.__name__} does not say which interface it was written for"
    assert model_class.api <= API_VERSION, f"{model_class.__name__} was written for a newer interface"
    assert model_class.accepts, "a model accepts at least one kind of sequence"
    model = model_class()
    config = dataclasses.replace(model.Config(), **settings)
    conditions = {"rhythm": ("jig", "reel")} if model_class.conditional else {}
    for sequence in sorted(model_class.accepts):
        end = 0 if sequence is StepKind.TOKENS else None
        for labels in [{}, conditions] if conditions else [{}]:
            spec = SequenceSpec(sequence, size=12, end=end, conditions=labels)
            _check_learns(model, spec, config)
            _check_streams(model, spec, config)
            network = _rounded(model.network(spec, config))
            _check_sampler(network, spec)
            weights = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
            sampler = model.sampler(spec, config, weights)
            if sampler is not None:
                _check_sampler(sampler, spec)
                _check_network_and_sampler_agree(network, sampler, spec)


def _check_learns(model: Model, spec: SequenceSpec, config: Any) -> None:
    """On one batch that repeats, the monitor falls."""
    import torch

    torch.manual_seed(0)
    network = model.network(spec, config)
    batch = _batch(spec, rows=4, length=24)
    for phase in network.phases():
        network.start_phase(phase)
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
    network.start_phase(network.phases()[-1])
    batch = _batch(spec, rows=3, length=20)
    whole = network.evaluate(batch, None)[0].total
    first, state = network.evaluate(batch.slice_time(0, 8), None)
    second, _ = network.evaluate(batch.slice_time(8, 20), state)
    assert abs(first.total + second.total - whole) <= SUM_TOLERANCE * abs(whole), "two windows are not one long window"
    batch.reset[:, 8] = True
    parted = network.evaluate(batch, None)[0].total
    alone = network.evaluate(batch.slice_time(8, 20), None)[0].total
    assert abs(first.total + alone - parted) <= SUM_TOLERANCE * abs(parted), (
        "a reset does not forget what was before it"
    )


def _check_sampler(sampler: Sampler, spec: SequenceSpec) -> None:
    """Rows are independent, a row that is not active stays, and select copies rows."""
    rows = np.arange(3)
    steps = _steps(spec, rows=3, length=6)
    together = sampler.initial_state([{}] * 3)
    for column in steps:
        together = sampler.advance(together, column)
    before = sampler.sample(together, SamplingParams.for_rows(3), CounterRNG([1, 2, 3]).at_steps(np.zeros(3, int)))
    swapped = sampler.gather_rows(together, rows[::-1])
    after = sampler.sample(swapped, SamplingParams.for_rows(3), CounterRNG([3, 2, 1]).at_steps(np.zeros(3, int)))
    assert (before.steps[::-1] == after.steps).all(), "a piece depends on its row or on its neighbours"
    kept = sampler.gather_rows(together, rows)
    moved = sampler.advance(sampler.gather_rows(together, rows), steps[0], np.array([True, False, True]))
    mixed = sampler.gather_rows(moved, np.array([-1, 1, -1]), sampler.gather_rows(kept, np.array([1])))
    again = sampler.sample(mixed, SamplingParams.for_rows(3), CounterRNG([2, 2, 2]).at_steps(np.zeros(3, int)))
    assert (again.steps == before.steps[1]).all(), "select or an inactive row does not keep what it should"
    assert np.isfinite(again.logp).all(), "a drawn step has no finite log-probability"
    if isinstance(sampler, BlockSampler):
        _check_blocks(sampler, spec)


def _check_blocks(sampler: BlockSampler, spec: SequenceSpec) -> None:
    """Many steps at a time are the same ones as step by step, and so is the state after them."""
    ways = [
        SamplingParams.for_rows(3),
        SamplingParams.for_rows(3, temperature=[0, 0.7, 2], top_k=[0, 3, 0], min_p=[0.1, 0, 0]),
    ]
    ways.append(SamplingParams.for_rows(3).with_temperature(np.linspace(0.5, 2, 18, dtype=np.float32).reshape(6, 3)))
    if spec.kind is StepKind.TOKENS:
        ways.append(SamplingParams.for_rows(3, rule=np.arange(3 * spec.size).reshape(3, -1) % 3 > 0))
    else:
        ways.append(
            SamplingParams.for_rows(
                3,
                rule=[
                    None,
                    FrameRule(must_be_off=1, must_be_on=6, limits=(Limit(0b111100, 1),)),
                    FrameRule(must_be_off=3),
                ],
            )
        )
    for how in ways:
        rng = CounterRNG([7, 8, 9]).stream_from(np.array([0, 5, 60]))
        alone, drawn = sampler.initial_state([{}] * 3), []
        for step in range(5):
            drawn.append(sampler.sample(alone, how.at_step(step), rng.at_step(step)))
            alone = sampler.advance(alone, drawn[-1].steps)
        ahead = how if how.temperature.ndim == 1 else how.with_temperature(how.temperature[:5])
        found, state = sampler.run(sampler.initial_state([{}] * 3), ahead, rng, 5)
        for name in ("steps", "logp", "masked_prob"):
            expected = np.stack([getattr(each, name) for each in drawn], axis=1)
            given = getattr(found, name)
            assert given.shape == expected.shape, f"a run gives {name} of shape {given.shape}, not {expected.shape}"
            assert np.allclose(given, expected, atol=LOG_TOLERANCE), f"{name} are not as drawn step by step in a run"
        after = [sampler.sample(each, how.at_step(5), rng.at_step(5)).steps for each in (alone, state)]
        assert (after[0] == after[1]).all(), "the state after a run is not the one after its steps"


def _check_network_and_sampler_agree(network: Network, sampler: Sampler, spec: SequenceSpec) -> None:
    """Both faces give the same probabilities after the same steps."""
    labels = {name: values[0] for name, values in spec.conditions.items()}
    rows: list[Mapping[str, str]] = [labels, {}]
    ours, theirs = sampler.initial_state(rows), network.initial_state(rows)
    for column in _steps(spec, rows=2, length=40):
        try:
            played, learnt = sampler.log_prob(ours, column), network.log_prob(theirs, column)
        except Unsupported:
            return
        assert np.abs(np.exp(played) - np.exp(learnt)).max() <= PROBABILITY_TOLERANCE, "the faces differ in probability"
        likely = learnt > np.log(MIN_PROBABILITY)
        assert (np.abs(played - learnt)[likely] <= LOG_TOLERANCE).all(), "the two faces differ in log-probability"
        ours, theirs = sampler.advance(ours, column), network.advance(theirs, column)


def _rounded(network: Network) -> Network:
    """The network with weights as a checkpoint stores them."""
    return network.half().float().eval()


def _steps(spec: SequenceSpec, rows: int, length: int) -> NDArray[Any]:
    """Random steps, one column of a batch at a time: (length, rows) tokens or (length, rows, V) frames."""
    generator = np.random.default_rng(0)
    if spec.kind is StepKind.TOKENS:
        return generator.integers(1, spec.size, (length, rows))
    return (generator.random((length, rows, spec.size)) < 0.2).astype(np.uint8)


def _batch(spec: SequenceSpec, rows: int, length: int) -> Batch:
    """A window in which every row begins a piece and the last step of the first row is padding."""
    import torch

    from composer.api.network import Batch

    targets = torch.from_numpy(_steps(spec, rows, length)).transpose(0, 1).contiguous()
    targets = targets if spec.kind is StepKind.TOKENS else targets.float()
    begin = torch.full_like(targets[:, :1], spec.end or 0)
    weight = torch.ones(rows, length)
    weight[0, -1] = 0
    reset = torch.zeros(rows, length, dtype=torch.bool)
    reset[:, 0] = True
    index = torch.arange(rows)[:, None].expand(rows, length)
    conditions = {name: index % (1 + len(values)) - 1 for name, values in spec.conditions.items()}
    return Batch(torch.cat([begin, targets[:, :-1]], 1), targets, weight, reset, conditions)
