"""The torch twins of noise and filters: the same numbers, the same steps, the same figures."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.api import FrameRule, Limit
from composer.api.sampling import torch_filters as twin
from composer.api.sampling.filters import CounterRNG, SamplingParams, draw_frames, draw_tokens
from composer.api.sampling.torch_rng import HostRNG, TorchCounterRNG

CPU = torch.device("cpu")
SEEDS = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5)


@settings(deadline=None)
@given(SEEDS, st.integers(0, 10**7), st.integers(1, 70), st.integers(1, 9))
def test_noise_is_the_same_to_the_bit(seeds, first, steps, n):
    rows = len(seeds)
    onward = CounterRNG(seeds).stream_from(first + np.arange(rows))
    ahead = TorchCounterRNG.from_stream(onward, steps, CPU)
    last = torch.tensor([steps - 1])
    ours, theirs = onward.at_step(steps - 1), ahead.at_step(last)
    for numbers in (1, n, 1):
        assert (ours.uniform(rows, numbers) == theirs.uniform(rows, numbers).numpy()).all()
    several = ahead.at_step(last).uniform(rows, n)
    assert (several.numpy() == onward.at_step(steps - 1).uniform(rows, n)).all()


def test_noise_for_other_rows_than_there_are_is_refused():
    with pytest.raises(ValueError, match="noise for 2 rows was asked for 3"):
        TorchCounterRNG.from_stream(CounterRNG([1, 2]).stream_from(np.zeros(2, int)), 1, CPU).at_step(
            torch.zeros(1, dtype=int)
        ).uniform(3, 1)


@st.composite
def ways(draw, rows):
    """How to draw, for each row in its own way; often plainly."""
    if draw(st.booleans()):
        return SamplingParams.for_rows(rows)

    def column(*values):
        return draw(st.lists(st.sampled_from(values), min_size=rows, max_size=rows))

    return SamplingParams.for_rows(
        rows,
        temperature=column(0, 0.3, 1, 1, 2.5),
        top_k=column(0, 0, 1, 3, 50),
        top_p=column(1, 1, 0.02, 0.7),
        min_p=column(0, 0, 0.15, 0.9),
    )


@st.composite
def cases(draw):
    """Logits (B, V) and how to draw from them."""
    rows, size = draw(st.integers(1, 5)), draw(st.integers(2, 40))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    logits = numbers.normal(size=(rows, size), scale=draw(st.sampled_from([0.1, 2, 30]))).astype(np.float32)
    return numbers, logits, draw(ways(rows)), draw(st.integers(0, 99))


def both(one, other, logits, params, step, rule=None):
    """What numpy and torch draw for the same noise."""
    rows = len(logits)
    rng, places = CounterRNG(range(rows)), np.full(rows, step)
    way = replace(twin.TorchSamplingParams.from_numpy(params, CPU), rule=rule)
    ours = one(logits, params, rng.at_steps(places))
    theirs = other(torch.from_numpy(logits), way, HostRNG(rng.at_steps(places), CPU)).to_numpy()
    assert (ours.steps == theirs.steps).all()
    assert ours.steps.dtype == theirs.steps.dtype
    np.testing.assert_allclose(ours.logp, theirs.logp, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours.masked_prob, theirs.masked_prob, atol=2e-6)
    return ours


@settings(deadline=None)
@given(cases(), st.sampled_from(["none", "random", "unlikely"]))
def test_tokens_are_the_same_under_every_filter_and_rule(case, kind):
    numbers, logits, how, step = case
    rule = None
    if kind != "none":
        rule = numbers.random(logits.shape) < 0.5 if kind == "random" else logits < np.median(logits, 1, keepdims=True)
        rule[np.arange(len(rule)), logits.argmin(1)] = True
    tensor = None if rule is None else torch.from_numpy(rule)
    drawn = both(draw_tokens, twin.draw_tokens, logits, how.with_mask(rule), step, tensor)
    assert rule is None or rule[np.arange(len(rule)), drawn.steps].all()


def test_a_rule_holds_even_where_the_model_says_never():
    logits, rule = np.array([[0.0, -1000.0, -1200.0]], np.float32), np.array([[False, True, True]])
    drawn = both(
        draw_tokens, twin.draw_tokens, logits, SamplingParams.for_rows(1, rule=rule), 0, torch.from_numpy(rule)
    )
    assert drawn.steps.tolist() == [1]


def test_equal_chances_are_ordered_by_number():
    logits = np.zeros((1, 9), np.float32)
    for how in (SamplingParams.for_rows(1, top_k=2), SamplingParams.for_rows(1, temperature=0)):
        drawn = [both(draw_tokens, twin.draw_tokens, logits, how, step).steps[0] for step in range(20)]
        assert set(drawn) == ({0, 1} if how.has_filters else {0})
    frame = both(draw_frames, twin.draw_frames, logits + 9, SamplingParams.for_rows(1, top_k=2), 0).steps
    assert frame[0].nonzero()[0].tolist() == [0, 1]


@st.composite
def frame_rules(draw, rows, size):
    """Rules of which some rows have none, and some several limits or a projection."""
    masks = st.integers(0, (1 << size) - 1)

    def rule():
        off = draw(masks)
        fewest = [draw(st.integers(0, 2)) for _ in range(draw(st.integers(0, 2)))]
        limits = tuple(Limit(draw(masks), least + draw(st.integers(0, 3)), least) for least in fewest)
        keep = draw(st.sampled_from([None, lambda frame: tuple(unit for unit in frame if unit % 3)]))
        return FrameRule(off, draw(masks) & ~off, limits, keep)

    return [rule() if draw(st.booleans()) else None for _ in range(rows)]


@settings(deadline=None)
@given(st.data())
def test_frames_are_the_same_under_every_filter_and_rule(data):
    _, logits, how, step = data.draw(cases())
    rules = data.draw(st.one_of(st.none(), frame_rules(*logits.shape)))
    held = None if rules is None else twin.TorchFrameRules.from_rules(rules, logits.shape[1], CPU)
    both(draw_frames, twin.draw_frames, logits, how.with_mask(rules), step, held)


def test_steps_are_drawn_where_the_network_is_but_for_devices_without_64_bit_floats():
    assert twin.sampling_device(torch.device("cuda:1")) == torch.device("cuda:1")
    assert twin.sampling_device(torch.device("mps")) == CPU


def test_what_is_fetched_at_once_is_what_was_sent():
    """As from an accelerator, here from the CPU."""
    sent = [
        torch.arange(6, dtype=torch.int32).view(3, 2),
        torch.tensor([[True, False, True]]),
        torch.tensor([0.5, -1.25]),
        torch.zeros(0, 4, dtype=torch.float64),
        torch.arange(9).view(3, 3).T,
    ]
    for given_, found in zip(sent, twin.to_numpy_packed(sent), strict=True):
        assert found.dtype == given_.numpy().dtype
        assert found.shape == given_.shape
        assert (found == given_.numpy()).all()
