"""Contract test for models: training, streaming, independent rows, and agreement of network and sampler."""

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
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG
from composer.api.sequence import SequenceSpec, StepKind

if TYPE_CHECKING:
    from composer.api.network import Batch, Network

__all__ = ["check_model"]

PROBABILITY_TOLERANCE = 1e-5
LOG_TOLERANCE = 1e-4
MIN_PROBABILITY = 1e-5
"""Log-probabilities of rarer steps may differ by more, for lack of fp32 precision."""

FEATURES = {"position": 6, "bar": 3}
"""Position features of the sequences that positional models are tested with."""

SUM_TOLERANCE = 1e-5
"""Relative tolerance for sums over many steps that are split differently."""


def check_model(model_class: type[Model], **settings: Any) -> None:
    """Test `model_class` with every kind of sequence that it accepts; `settings` are those of its Config."""
    assert isinstance(model_class.api, int), f"{model_class.__name__}.api must be the interface version, an int"
    assert model_class.api <= API_VERSION, f"{model_class.__name__} needs a newer interface version"
    assert model_class.accepts, f"{model_class.__name__}.accepts is empty"
    model = model_class()
    config = dataclasses.replace(model.Config(), **settings)
    conditions = {"rhythm": ("jig", "reel")} if model_class.conditional else {}
    inputs: list[tuple[Mapping[str, tuple[str, ...]], Mapping[str, int]]] = [({}, {})]
    if model_class.conditional:
        inputs.append((conditions, {}))
    if model_class.positional:
        inputs.append((conditions, FEATURES))
    for sequence in sorted(model_class.accepts):
        end = 0 if sequence is StepKind.TOKENS else None
        for labels, features in inputs:
            spec = SequenceSpec(sequence, size=12, end=end, conditions=labels, features=features)
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
    """Training on one batch lowers its loss."""
    import torch

    torch.manual_seed(0)
    network = model.network(spec, config)
    batch = _batch(spec, rows=4, length=24)
    for phase in network.phases():
        network.start_phase(phase)
        optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
        network.eval()
        before = network.evaluate(batch, None)[0]
        network.train()
        for _ in range(40):
            optimizer.zero_grad()
            loss = network.loss(batch, None)[0]
            loss.objective.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        network.eval()
        after = network.evaluate(batch, None)[0]
        counted = after.count == before.count == float(batch.weight.sum())
        assert counted, "`evaluate` must count exactly the steps with weight 1"
        assert after.mean < before.mean, (
            f"training in phase `{phase.name}` did not lower the loss: {before.mean} before, {after.mean} after"
        )


def _check_streams(model: Model, spec: SequenceSpec, config: Any) -> None:
    """Two windows with the state passed on equal one long window; a reset clears the state."""
    import torch

    torch.manual_seed(0)
    network = model.network(spec, config).eval()
    network.start_phase(network.phases()[-1])
    batch = _batch(spec, rows=3, length=20)
    whole = network.evaluate(batch, None)[0].total
    first, state = network.evaluate(batch.slice_time(0, 8), None)
    second, _ = network.evaluate(batch.slice_time(8, 20), state)
    assert abs(first.total + second.total - whole) <= SUM_TOLERANCE * abs(whole), (
        "the loss of two successive windows differs from that of one long window"
    )
    batch.reset[:, 8] = True
    with_reset = network.evaluate(batch, None)[0].total
    after_reset = network.evaluate(batch.slice_time(8, 20), None)[0].total
    error = abs(first.total + after_reset - with_reset)
    assert error <= SUM_TOLERANCE * abs(with_reset), "a reset does not clear the state"


def _check_sampler(sampler: Sampler, spec: SequenceSpec) -> None:
    """Rows are independent, inactive rows keep their state, and `gather_rows` copies rows."""
    rows = np.arange(3)
    steps = _steps(spec, rows=3, length=6)
    features = _sampler_features(spec, rows=3, length=7)
    together = sampler.initial_state([{}] * 3, **features[0])
    for column, following in zip(steps, features[1:], strict=True):
        together = sampler.advance(together, column, **following)
    params = BatchSamplingParams.for_rows(3)
    before = sampler.sample(together, params, CounterRNG([1, 2, 3]).at_steps(np.zeros(3, int)))
    swapped = sampler.gather_rows(together, rows[::-1])
    after = sampler.sample(swapped, params, CounterRNG([3, 2, 1]).at_steps(np.zeros(3, int)))
    assert (before.steps[::-1] == after.steps).all(), "a row's steps depend on its position or on other rows"
    copied = sampler.gather_rows(together, rows)
    active = np.array([True, False, True])
    moved = sampler.advance(sampler.gather_rows(together, rows), steps[0], active, **features[0])
    mixed = sampler.gather_rows(moved, np.array([-1, 1, -1]), sampler.gather_rows(copied, np.array([1])))
    again = sampler.sample(mixed, params, CounterRNG([2, 2, 2]).at_steps(np.zeros(3, int)))
    same = (again.steps == before.steps[1]).all()
    assert same, "`gather_rows`, or `advance` with inactive rows, changes a row's state"
    assert np.isfinite(again.logp).all(), "the log-probability of a drawn step is not finite"
    if spec.features:
        _check_sampler_reads_features(sampler, spec)
    elif isinstance(sampler, BlockSampler):  # with features, each step waits for those of the next
        _check_blocks(sampler, spec)


def _check_blocks(sampler: BlockSampler, spec: SequenceSpec) -> None:
    """`run` draws the same steps, and ends in the same state, as step-by-step sampling."""
    for_rows, ramp = BatchSamplingParams.for_rows, np.linspace(0.5, 2, 18, dtype=np.float32).reshape(6, 3)
    limited = FrameRule(must_be_off=1, must_be_on=6, limits=(Limit(0b111100, 1),))
    mask = np.arange(3 * spec.size).reshape(3, -1) % 3 > 0
    params_list = [
        for_rows(3),
        for_rows(3, temperature=[0, 0.7, 2], top_k=[0, 3, 0], min_p=[0.1, 0, 0]),
        for_rows(3).with_temperature(ramp),
        for_rows(3, rule=mask if spec.kind is StepKind.TOKENS else [None, limited, FrameRule(must_be_off=3)]),
    ]
    for params in params_list:
        rng = CounterRNG([7, 8, 9]).stream_from(np.array([0, 5, 60]))
        state_by_step, draws = sampler.initial_state([{}] * 3), []
        for step in range(5):
            draws.append(sampler.sample(state_by_step, params.at_step(step), rng.at_step(step)))
            state_by_step = sampler.advance(state_by_step, draws[-1].steps)
        block_params = params if params.temperature.ndim == 1 else params.with_temperature(params.temperature[:5])
        block, state = sampler.run(sampler.initial_state([{}] * 3), block_params, rng, 5)
        for name in ("steps", "logp", "masked_prob"):
            wanted, actual = np.stack([getattr(each, name) for each in draws], axis=1), getattr(block, name)
            assert actual.shape == wanted.shape, f"`run` returned {name} of shape {actual.shape}, not {wanted.shape}"
            close = np.allclose(actual, wanted, atol=LOG_TOLERANCE)
            assert close, f"`run` returned other {name} than step-by-step sampling"
        after = [sampler.sample(each, params.at_step(5), rng.at_step(5)).steps for each in (state_by_step, state)]
        assert (after[0] == after[1]).all(), "the state after `run` differs from the state after its steps"


def _check_network_and_sampler_agree(network: Network, sampler: Sampler, spec: SequenceSpec) -> None:
    """Network and sampler give the same probabilities after the same steps."""
    labels = {name: values[0] for name, values in spec.conditions.items()}
    rows: list[Mapping[str, str]] = [labels, {}]
    first, *features = _sampler_features(spec, rows=2, length=41)
    sampler_state, network_state = sampler.initial_state(rows, **first), network.initial_state(rows, **first)
    for column, following in zip(_steps(spec, rows=2, length=40), features, strict=True):
        try:
            from_sampler = sampler.log_prob(sampler_state, column)
            from_network = network.log_prob(network_state, column)
        except Unsupported:
            return
        error = np.abs(np.exp(from_sampler) - np.exp(from_network)).max()
        assert error <= PROBABILITY_TOLERANCE, "network and sampler differ in probability"
        errors = np.abs(from_sampler - from_network)[from_network > np.log(MIN_PROBABILITY)]
        assert (errors <= LOG_TOLERANCE).all(), "network and sampler differ in log-probability"
        sampler_state = sampler.advance(sampler_state, column, **following)
        network_state = network.advance(network_state, column, **following)


def _check_sampler_reads_features(sampler: Sampler, spec: SequenceSpec) -> None:
    """Each position feature of the next step changes its probabilities, at the first step and later."""
    sizes = np.array([list(spec.features.values())])
    step = _steps(spec, rows=1, length=1)[0]
    for number, name in enumerate(spec.features):
        params, draws = BatchSamplingParams.for_rows(1), []
        for value in (0, sizes[0, number] - 1):
            features = np.zeros_like(sizes)
            features[0, number] = value
            state = sampler.initial_state([{}], features=features)
            first = sampler.sample(state, params, CounterRNG([1]).at_steps(np.zeros(1, int)))
            state = sampler.advance(state, step, features=features)
            later = sampler.sample(state, params, CounterRNG([1]).at_steps(np.ones(1, int)))
            draws.append([(draw.steps.tolist(), draw.logp.tolist()) for draw in (first, later)])
        for at, (low, high) in enumerate(zip(*draws, strict=True)):
            assert low != high, f"the feature `{name}` of step {at + 1} has no influence on what is drawn"


def _sampler_features(spec: SequenceSpec, rows: int, length: int) -> list[dict[str, Any]]:
    """Return the parameter `features` of a sampler for each of `length` steps; empty if `spec` has none."""
    if not spec.features:
        return [{}] * length
    sizes = list(spec.features.values())
    return [{"features": each} for each in np.random.default_rng(1).integers(0, sizes, (length, rows, len(sizes)))]


def _rounded(network: Network) -> Network:
    """Round the weights to the precision of a checkpoint."""
    return network.half().float().eval()


def _steps(spec: SequenceSpec, rows: int, length: int) -> NDArray[Any]:
    """Return random steps: tokens (length, rows) or frames (length, rows, V)."""
    generator = np.random.default_rng(0)
    if spec.kind is StepKind.TOKENS:
        return generator.integers(1, spec.size, (length, rows))
    return (generator.random((length, rows, spec.size)) < 0.2).astype(np.uint8)


def _batch(spec: SequenceSpec, rows: int, length: int) -> Batch:
    """Return a window in which every row starts a piece and the last step of the first row is padding."""
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
    features = [each["features"] for each in _sampler_features(spec, rows, length) if each]
    stacked = torch.from_numpy(np.stack(features, axis=1)) if features else None
    return Batch(torch.cat([begin, targets[:, :-1]], 1), targets, weight, reset, conditions, stacked)
