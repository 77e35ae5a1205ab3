"""Contract test for samplers, and for networks as samplers: independent rows, blocks of steps, and agreement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api.constraint import FrameRule, Limit
from composer.api.errors import Unsupported
from composer.api.sampler import BlockSampler, Sampler
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG, Draw
from composer.api.sequence import SequenceSpec, StepKind
from composer.api.testing.checks import about, expect

PROBABILITY_TOLERANCE = 1e-5
LOG_TOLERANCE = 1e-4
MIN_PROBABILITY = 1e-5
"""Log-probabilities of rarer steps may differ by more, for lack of fp32 precision."""


def check_sampling(sampler: Sampler, spec: SequenceSpec) -> str:
    """Rows are independent, inactive rows keep their state, and `gather_rows` copies rows."""
    rows = np.arange(3)
    steps = random_steps(spec, rows=3, length=6)
    features = random_features(spec, rows=3, length=7)
    together = sampler.initial_state([{}] * 3, **features[0])
    for column, following in zip(steps, features[1:], strict=True):
        together = sampler.advance(together, column, **following)
    params = BatchSamplingParams.for_rows(3)
    before = sampler.sample(together, params, CounterRNG([1, 2, 3]).at_steps(np.zeros(3, int)))
    swapped = sampler.gather_rows(together, rows[::-1])
    after = sampler.sample(swapped, params, CounterRNG([3, 2, 1]).at_steps(np.zeros(3, int)))
    for row, swapped_row in enumerate((2, 1, 0)):
        expect(
            _same_draw(before, row, after, swapped_row),
            f"a row's steps depend on its position or on other rows: row {row} of 3 drew {_drawn(before, row)} and, "
            f"after the rows were reversed, {_drawn(after, swapped_row)}",
        )
    _check_states_are_separate(sampler, spec, before)
    copied = sampler.gather_rows(together, rows)
    active = np.array([True, False, True])
    moved = sampler.advance(sampler.gather_rows(together, rows), steps[0], active, **features[0])
    mixed = sampler.gather_rows(moved, np.array([-1, 1, -1]), sampler.gather_rows(copied, np.array([1])))
    again = sampler.sample(mixed, params, CounterRNG([2, 2, 2]).at_steps(np.zeros(3, int)))
    for row in range(3):
        how = "`advance` while it was not active" if row == 1 else "`gather_rows`"
        expect(
            _same_draw(before, 1, again, row),
            f"{how} changed the state of a row: it drew {_drawn(before, 1)} before, and {_drawn(again, row)} after",
        )
        logp = again.logp[row]
        expect(np.isfinite(logp), f"the log-probability of a step that was drawn is {logp}")
    if spec.features:
        _check_sampler_reads_features(sampler, spec)
    elif isinstance(sampler, BlockSampler):  # with features, each step waits for those of the next
        _check_blocks(sampler, spec)
        return "rows, and blocks of steps"
    return "rows"


def _check_states_are_separate(sampler: Sampler, spec: SequenceSpec, alone: Draw) -> None:
    """All that a step changes is in the state: none of it is in the sampler itself.

    `alone` was drawn after the same steps as those of the first of two states here, which are advanced in turn.
    """
    steps, features = random_steps(spec, rows=3, length=6), random_features(spec, rows=3, length=7)
    rows, reverse = np.arange(3), np.array([2, 1, 0])
    first, second = (sampler.initial_state([{}] * 3, **features[0]) for _ in range(2))
    for column, other, following in zip(steps, steps[::-1], features[1:], strict=True):
        first = sampler.advance(first, column, **following)
        second = sampler.advance(second, other[reverse], **following)
    params, zeros = BatchSamplingParams.for_rows(3), np.zeros(3, int)
    in_turn = sampler.sample(first, params, CounterRNG([1, 2, 3]).at_steps(zeros))
    advice = "keep nothing that a step changes in `self`, but all of it in the state"
    for row in range(3):
        expect(
            _same_draw(alone, row, in_turn, row),
            f"two states with as many rows are not independent: row {row} of the first drew {_drawn(alone, row)} "
            f"alone, and {_drawn(in_turn, row)} when both were advanced in turn; {advice}",
        )
    swapped_features = {name: value[reverse] for name, value in features[1].items()}
    swapped = sampler.advance(sampler.gather_rows(first, reverse), steps[0][reverse], **swapped_features)
    kept = sampler.advance(sampler.gather_rows(first, rows), steps[0], **features[1])
    before = sampler.sample(kept, params, CounterRNG([1, 2, 3]).at_steps(zeros))
    after = sampler.sample(swapped, params, CounterRNG([3, 2, 1]).at_steps(zeros))
    for row, swapped_row in enumerate(reverse.tolist()):
        expect(
            _same_draw(before, row, after, swapped_row),
            f"`gather_rows` does not exchange all that rows depend on: a step later, row {row} drew "
            f"{_drawn(before, row)}, and {_drawn(after, swapped_row)} where the rows were reversed; {advice}",
        )


def _check_blocks(sampler: BlockSampler, spec: SequenceSpec) -> None:
    """`run` draws the same steps, and ends in the same state, as step-by-step sampling."""
    for_rows, ramp = BatchSamplingParams.for_rows, np.linspace(0.5, 2, 18, dtype=np.float32).reshape(6, 3)
    limited = FrameRule(must_be_off=1, must_be_on=6, limits=(Limit(0b111100, 1),))
    mask = np.arange(3 * spec.size).reshape(3, -1) % 3 > 0
    params_by_name = {
        "the defaults": for_rows(3),
        "filters": for_rows(3, temperature=[0, 0.7, 2], top_k=[0, 3, 0], min_p=[0.1, 0, 0]),
        "a temperature ramp": for_rows(3).with_temperature(ramp),
        "a rule": for_rows(3, rule=mask if spec.kind is StepKind.TOKENS else [None, limited, FrameRule(must_be_off=3)]),
    }
    for params_name, params in params_by_name.items():
        rng = CounterRNG([7, 8, 9]).stream_from(np.array([0, 5, 60]))
        state_by_step, draws = sampler.initial_state([{}] * 3), []
        for step in range(5):
            draws.append(sampler.sample(state_by_step, params.at_step(step), rng.at_step(step)))
            state_by_step = sampler.advance(state_by_step, draws[-1].steps)
        block_params = params if params.temperature.ndim == 1 else params.with_temperature(params.temperature[:5])
        block, state = sampler.run(sampler.initial_state([{}] * 3), block_params, rng, 5)
        with about(f"with {params_name}"):
            for name in ("steps", "logp", "masked_prob"):
                wanted, actual = np.stack([getattr(each, name) for each in draws], axis=1), getattr(block, name)
                expect(
                    actual.shape == wanted.shape,
                    f"`run` returned {name} of shape {actual.shape}, not {wanted.shape}",
                )
                wrong = np.argwhere(~np.isclose(actual, wanted, atol=LOG_TOLERANCE))
                if len(wrong):
                    row, step = (int(each) for each in wrong[0, :2])
                    raise AssertionError(
                        f"`run` returned other {name} than step-by-step sampling: in row {row} at step {step + 1}, "
                        f"{_shown(actual[row, step])} instead of {_shown(wanted[row, step])}; the tolerance is "
                        f"{LOG_TOLERANCE:g}"
                    )
            after = [sampler.sample(each, params.at_step(5), rng.at_step(5)).steps for each in (state_by_step, state)]
            for row, (wanted, actual) in enumerate(zip(*after, strict=True)):
                expect(
                    (wanted == actual).all(),
                    f"the state after `run` differs from the state after its steps: row {row} then drew "
                    f"{_shown(actual)} instead of {_shown(wanted)}",
                )


def check_agreement(network: Sampler, sampler: Sampler, spec: SequenceSpec) -> str:
    """Network and sampler give the same probabilities after the same steps."""
    labels = {name: values[0] for name, values in spec.conditions.items()}
    rows: list[Mapping[str, str]] = [labels, {}]
    first, *features = random_features(spec, rows=2, length=41)
    sampler_state, network_state = sampler.initial_state(rows, **first), network.initial_state(rows, **first)
    largest = 0.0
    for number, (column, following) in enumerate(zip(random_steps(spec, rows=2, length=40), features, strict=True), 1):
        try:
            from_sampler = sampler.log_prob(sampler_state, column)
            from_network = network.log_prob(network_state, column)
        except Unsupported:
            return "no exact likelihood to compare with the network"
        error = np.abs(np.exp(from_sampler) - np.exp(from_network))
        _expect_close("probability", error, np.exp(from_network), np.exp(from_sampler), PROBABILITY_TOLERANCE, number)
        likely = from_network > np.log(MIN_PROBABILITY)
        log_error = np.where(likely, np.abs(from_sampler - from_network), 0)
        _expect_close("log-probability", log_error, from_network, from_sampler, LOG_TOLERANCE, number)
        largest = max(largest, float(error.max()))
        sampler_state = sampler.advance(sampler_state, column, **following)
        network_state = network.advance(network_state, column, **following)
    return f"{number} steps, at most {largest:.1g} apart"


def _expect_close(
    what: str, error: NDArray[Any], network: NDArray[Any], sampler: NDArray[Any], tolerance: float, step: int
) -> None:
    """Raise AssertionError for the row whose `error` is the largest, if it is above the tolerance or NaN."""
    if (error <= tolerance).all():
        return
    row = int(np.nan_to_num(error, nan=np.inf).argmax())
    raise AssertionError(
        f"network and sampler differ in {what} at step {step} in row {row}: {network[row]:.6g} and {sampler[row]:.6g}, "
        f"{error[row]:.2g} apart; the tolerance is {tolerance:g}"
    )


def _same_draw(draw: Draw, row: int, other: Draw, other_row: int) -> bool:
    """Return whether two rows drew the same, with the same probability: rows of a new network often draw the same."""
    same = bool((draw.steps[row] == other.steps[other_row]).all())
    return same and bool(abs(draw.logp[row] - other.logp[other_row]) <= LOG_TOLERANCE)


def _drawn(draw: Draw, row: int) -> str:
    return f"{_shown(draw.steps[row])} with log-probability {draw.logp[row]:.6g}"


def _shown(step: Any) -> str:
    """Return a step, or another number, for a message; a frame as its units."""
    return f"{step:g}" if np.ndim(step) == 0 else str(tuple(np.flatnonzero(step).tolist()))


def _check_sampler_reads_features(sampler: Sampler, spec: SequenceSpec) -> None:
    """Each position feature of the next step changes its probabilities, at the first step and later."""
    sizes = np.array([list(spec.features.values())])
    step = random_steps(spec, rows=1, length=1)[0]
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
            expect(low != high, f"the feature `{name}` of step {at + 1} has no influence on what is drawn")


def random_features(spec: SequenceSpec, rows: int, length: int) -> list[dict[str, Any]]:
    """Return the parameter `features` of a sampler for each of `length` steps; empty if `spec` has none."""
    if not spec.features:
        return [{}] * length
    sizes = list(spec.features.values())
    return [{"features": each} for each in np.random.default_rng(1).integers(0, sizes, (length, rows, len(sizes)))]


def random_steps(spec: SequenceSpec, rows: int, length: int) -> NDArray[Any]:
    """Return random steps: tokens (length, rows) or frames (length, rows, V)."""
    generator = np.random.default_rng(0)
    if spec.kind is StepKind.TOKENS:
        return generator.integers(1, spec.size, (length, rows))
    return (generator.random((length, rows, spec.size)) < 0.2).astype(np.uint8)
