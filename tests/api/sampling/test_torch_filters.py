"""Sampling in torch agrees with numpy: random numbers, steps and log-probabilities."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.api import FrameRule, Limit
from composer.api.sampling import torch_filters
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG, draw_frames, draw_tokens
from composer.api.sampling.torch_rng import HostRNG, TorchCounterRNG

CPU = torch.device("cpu")
SEEDS = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5)


@settings(deadline=None)
@given(SEEDS, st.integers(0, 10**7), st.integers(1, 70), st.integers(1, 9))
def test_random_numbers_are_bit_identical(seeds, first, steps, n):
    rows = len(seeds)
    stream = CounterRNG(seeds).stream_from(first + np.arange(rows))
    torch_rng = TorchCounterRNG.from_stream(stream, steps, CPU)
    last = torch.tensor([steps - 1])
    numpy_rng, torch_step_rng = stream.at_step(steps - 1), torch_rng.at_step(last)
    for numbers in (1, n, 1):
        assert (numpy_rng.uniform(rows, numbers) == torch_step_rng.uniform(rows, numbers).numpy()).all()
    several = torch_rng.at_step(last).uniform(rows, n)
    assert (several.numpy() == stream.at_step(steps - 1).uniform(rows, n)).all()


def test_wrong_number_of_rows():
    with pytest.raises(ValueError, match="expected 2 rows, not 3"):
        TorchCounterRNG.from_stream(CounterRNG([1, 2]).stream_from(np.zeros(2, int)), 1, CPU).at_step(
            torch.zeros(1, dtype=int)
        ).uniform(3, 1)


@st.composite
def sampling_params(draw, rows):
    """Random parameters per row; often the default."""
    if draw(st.booleans()):
        return BatchSamplingParams.for_rows(rows)

    def column(*values):
        return draw(st.lists(st.sampled_from(values), min_size=rows, max_size=rows))

    return BatchSamplingParams.for_rows(
        rows,
        temperature=column(0, 0.3, 1, 1, 2.5),
        top_k=column(0, 0, 1, 3, 50),
        top_p=column(1, 1, 0.02, 0.7),
        min_p=column(0, 0, 0.15, 0.9),
        per_unit=draw(st.sampled_from([False, False, True])),
    )


@st.composite
def cases(draw):
    """Logits (B, V) and sampling parameters."""
    rows, size = draw(st.integers(1, 5)), draw(st.integers(2, 40))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    logits = numbers.normal(size=(rows, size), scale=draw(st.sampled_from([0.1, 2, 30]))).astype(np.float32)
    return numbers, logits, draw(sampling_params(rows)), draw(st.integers(0, 99))


def check_both(numpy_function, torch_function, logits, params, step, rule=None):
    """Draw in numpy and torch from the same random numbers, and compare."""
    rows = len(logits)
    rng, places = CounterRNG(range(rows)), np.full(rows, step)
    torch_params = replace(torch_filters.TorchSamplingParams.from_numpy(params, CPU), rule=rule)
    numpy_draw = numpy_function(logits, params, rng.at_steps(places))
    torch_draw = torch_function(torch.from_numpy(logits), torch_params, HostRNG(rng.at_steps(places), CPU)).to_numpy()
    assert (numpy_draw.steps == torch_draw.steps).all()
    assert numpy_draw.steps.dtype == torch_draw.steps.dtype
    np.testing.assert_allclose(numpy_draw.logp, torch_draw.logp, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(numpy_draw.masked_prob, torch_draw.masked_prob, atol=2e-6)
    return numpy_draw


@settings(deadline=None)
@given(cases(), st.sampled_from(["none", "random", "unlikely"]))
def test_same_tokens_with_all_filters_and_masks(case, kind):
    numbers, logits, params, step = case
    rule = None
    if kind != "none":
        rule = numbers.random(logits.shape) < 0.5 if kind == "random" else logits < np.median(logits, 1, keepdims=True)
        rule[np.arange(len(rule)), logits.argmin(1)] = True
    tensor = None if rule is None else torch.from_numpy(rule)
    draw = check_both(draw_tokens, torch_filters.draw_tokens, logits, params.with_mask(rule), step, tensor)
    assert rule is None or rule[np.arange(len(rule)), draw.steps].all()


def test_mask_applies_even_if_probabilities_underflow():
    logits, rule = np.array([[0.0, -1000.0, -1200.0]], np.float32), np.array([[False, True, True]])
    draw = check_both(
        draw_tokens,
        torch_filters.draw_tokens,
        logits,
        BatchSamplingParams.for_rows(1, rule=rule),
        0,
        torch.from_numpy(rule),
    )
    assert draw.steps.tolist() == [1]


def test_ties_are_ordered_by_number():
    logits = np.zeros((1, 9), np.float32)
    for params in (BatchSamplingParams.for_rows(1, top_k=2), BatchSamplingParams.for_rows(1, temperature=0)):
        draws = [
            check_both(draw_tokens, torch_filters.draw_tokens, logits, params, step).steps[0] for step in range(20)
        ]
        assert set(draws) == ({0, 1} if params.has_filters else {0})
    kept = BatchSamplingParams.for_rows(1, top_k=2, per_unit=True)
    frame = check_both(draw_frames, torch_filters.draw_frames, logits + 9, kept, 0).steps
    assert frame[0].nonzero()[0].tolist() == [0, 1]


@st.composite
def frame_rules(draw, rows, size):
    """Rules per row: some None, some with several limits or a projection."""
    masks = st.integers(0, (1 << size) - 1)

    def rule():
        off = draw(masks)
        minimums = [draw(st.integers(0, 2)) for _ in range(draw(st.integers(0, 2)))]
        limits = tuple(Limit(draw(masks), minimum + draw(st.integers(0, 3)), minimum) for minimum in minimums)
        keep = draw(st.sampled_from([None, lambda frame: tuple(unit for unit in frame if unit % 3)]))
        return FrameRule(off, draw(masks) & ~off, limits, keep)

    return [rule() if draw(st.booleans()) else None for _ in range(rows)]


@settings(deadline=None)
@given(st.data())
def test_same_frames_with_all_filters_and_rules(data):
    _, logits, params, step = data.draw(cases())
    rules = data.draw(st.one_of(st.none(), frame_rules(*logits.shape)))
    torch_rules = None if rules is None else torch_filters.TorchFrameRules.from_rules(rules, logits.shape[1], CPU)
    check_both(draw_frames, torch_filters.draw_frames, logits, params.with_mask(rules), step, torch_rules)


def test_devices_without_64_bit_floats_sample_on_the_cpu():
    assert torch_filters.sampling_device(torch.device("cuda:1")) == torch.device("cuda:1")
    assert torch_filters.sampling_device(torch.device("mps")) == CPU


def test_packed_transfer_preserves_tensors():
    """Runs on the CPU here."""
    tensors = [
        torch.arange(6, dtype=torch.int32).view(3, 2),
        torch.tensor([[True, False, True]]),
        torch.tensor([0.5, -1.25]),
        torch.zeros(0, 4, dtype=torch.float64),
        torch.arange(9).view(3, 3).T,
    ]
    for tensor, array in zip(tensors, torch_filters.to_numpy_packed(tensors), strict=True):
        assert array.dtype == tensor.numpy().dtype
        assert array.shape == tensor.shape
        assert (array == tensor.numpy()).all()
