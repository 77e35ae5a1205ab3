"""The attn-lstm plugin: contract of all variants, settings, and constant memory over long sequences."""

import tracemalloc

import numpy as np
import pytest
import torch

from composer.api import OptionError, SequenceSpec, StepKind
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG
from composer.api.testing import check_model
from composer_attn_lstm import AttnLstm, AttnLstmConfig

TOKENS = SequenceSpec(StepKind.TOKENS, size=9, end=0)
PUBLISHED = {
    "attention": "scaling",
    "stack": (12, 10, 6),
    "dense": (8, 6),
    "leak": 0.3,
    "norm": "batch",
    "dropout": (0.3, 0.22),
    "window": 5,
}
"""A small version of the published system."""


class PlainAttnLstm(AttnLstm):
    """Without conditions and position features, which become part of the input before these layers."""

    conditional = positional = False


class FramesAttnLstm(PlainAttnLstm):
    accepts = frozenset({StepKind.FRAMES})


class TokensAttnLstm(PlainAttnLstm):
    accepts = frozenset({StepKind.TOKENS})


def network_and_sampler(spec, seed=0, **settings):
    """Return a network and a sampler with the same weights."""
    config = AttnLstmConfig(**settings)
    torch.manual_seed(seed)
    network = AttnLstm().network(spec, config).eval()
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    return network, AttnLstm().sampler(spec, config, weights)


def test_contract():
    check_model(AttnLstm, hidden=12, embedding=6, window=8)


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden": 12, "embedding": 6, "layers": 1, "window": 1},
        {"hidden": 12, "attention": "scaling", "window": 5},
        {"stack": (12, 10), "dense": (8,), "leak": 0.1, "norm": "batch", "window": 30},
        PUBLISHED,
    ],
    ids=["window of one", "scaling", "dot inside a stack", "published"],
)
def test_contract_with_other_layers(settings):
    check_model(PlainAttnLstm, **settings)


@pytest.mark.parametrize(
    ("settings", "width"),
    [({"hidden": 12, "window": 8}, 12), ({"stack": (12, 10), "dense": (8,)}, 10), ({"stack": (12,), "dense": (8,)}, 8)],
)
def test_contract_with_tied_weights(settings, width):
    check_model(TokensAttnLstm, **settings, tied=True)
    network, _ = network_and_sampler(TOKENS, **settings, tied=True)
    assert network.embed.weight is network.output.weight
    assert network.embed.weight.shape == (9, width)


def test_frames_cannot_be_tied():
    with pytest.raises(OptionError, match="`tied` needs a representation of tokens"):
        AttnLstm().check(StepKind.FRAMES, AttnLstmConfig(tied=True))


def test_contract_with_nade():
    check_model(FramesAttnLstm, hidden=12, embedding=6, window=5, heads=2, output="nade", nade_units=10)


def test_contract_with_pitches():
    check_model(FramesAttnLstm, **PUBLISHED, pitches=True, jitter=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 0}, "invalid value for `window`: '0'"),
        ({"heads": 0}, "invalid value for `heads`: '0'"),
        ({"hidden": 0}, "`hidden`"),
        ({"layers": -1}, "`layers`"),
        ({"stack": (64, 0)}, "`stack`"),
        ({"dense": (0,)}, "`dense`"),
        ({"layers": 1, "dense": (8, 8)}, "`dense` has 2 sizes for 1 LSTM layers"),
        ({"dropout": (0.3, 1.0)}, "`dropout`"),
        ({"dropout": ()}, "invalid value for `dropout`: ''"),
        ({"condition_dropout": -0.1}, "`condition_dropout`"),
        ({"input_dropout": 1.0}, "`input_dropout`"),
        ({"leak": 1.5}, "`leak`"),
        ({"jitter": True}, "`jitter`"),
    ],
)
def test_invalid_settings(settings, message):
    with pytest.raises(OptionError, match=message) as caught:
        AttnLstmConfig(**settings)
    assert caught.value.hint


def test_invalid_settings_are_reported_before_files_are_read(composer, tmp_path):
    missing = tmp_path / "missing.abc"
    result = composer("train", "abc", missing, "--model", "attn-lstm", "--set", "window=0")
    result.failed("invalid value for `window`: '0'", "--set window=64", code=2)


def test_tokens_cannot_use_pitches():
    with pytest.raises(OptionError, match="`pitches` needs a representation of frames"):
        AttnLstm().network(TOKENS, AttnLstmConfig(pitches=True))


def test_dropout_rates_apply_to_successive_blocks():
    config = AttnLstmConfig(dropout=(0.3, 0.22))
    assert [config.dropout_after(block) for block in range(4)] == [0.3, 0.22, 0.22, 0.22]


@pytest.mark.parametrize(
    ("settings", "rate"), [({}, 0.3), ({"input_dropout": 0.0}, 0.0), ({"input_dropout": 0.5, "pitches": True}, 0.5)]
)
def test_input_dropout(settings, rate):
    spec = SequenceSpec(StepKind.FRAMES, size=8)
    network = AttnLstm().network(spec, AttnLstmConfig(dropout=(0.3, 0.2), **settings))
    assert network.dropout.rate == rate
    assert AttnLstmConfig(pitches=True).input_dropout_rate == 0


@pytest.mark.parametrize("settings", [{"hidden": 12, "window": 16}, PUBLISHED], ids=["dot", "published"])
def test_step_by_step_equals_whole_sequence(settings):
    network, sampler = network_and_sampler(TOKENS, **settings)
    steps = np.random.default_rng(0).integers(1, 9, (2, 100))
    inputs = torch.from_numpy(np.concatenate([np.zeros((2, 1), int), steps], 1))
    with torch.no_grad():
        logits, _ = network(inputs, network.initial_layer_states(2), None, {})
    expected = torch.log_softmax(logits, -1).numpy()
    for model in (network, sampler):
        state = model.initial_state([{}, {}])
        for at in range(100):
            logp = model.log_prob(state, steps[:, at])
            assert np.abs(logp - expected[[0, 1], at, steps[:, at]]).max() <= 1e-5
            state = model.advance(state, steps[:, at])


@pytest.mark.parametrize("settings", [{"hidden": 6, "window": 16}, PUBLISHED], ids=["dot", "published"])
def test_memory_is_constant_over_ten_thousand_steps(settings):
    _, sampler = network_and_sampler(TOKENS, **settings)
    state = sampler.initial_state([{}])
    shapes = [(part.shape, part.nbytes) for part in state]
    steps = np.random.default_rng(0).integers(1, 9, (10_000, 1))
    for step in steps[:9_000]:
        state = sampler.advance(state, step)
    tracemalloc.start()
    try:
        for step in steps[9_000:]:
            state = sampler.advance(state, step)
        allocated, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(part.shape, part.nbytes) for part in state] == shapes
    assert allocated < 8_000  # 8 bytes per step
    assert np.isfinite(sampler.log_prob(state, np.array([1]))).all()


def test_network_state_does_not_grow():
    network, _ = network_and_sampler(TOKENS, hidden=6, window=16)
    state = network.initial_state([{}])
    shapes = [part.shape for part in state.layers]
    for _ in range(100):
        state = network.advance(state, np.array([1]))
    assert [part.shape for part in state.layers] == shapes


def test_conditions_change_the_output():
    spec = SequenceSpec(StepKind.TOKENS, size=9, end=0, conditions={"rhythm": ("jig", "reel")})
    _, sampler = network_and_sampler(spec, hidden=8, embedding=4)
    state = sampler.initial_state([{"rhythm": "jig"}, {"rhythm": "reel"}, {}])
    assert len(set(sampler.log_prob(state, np.array([1, 1, 1])).tolist())) == 3


@pytest.mark.parametrize("settings", [{"hidden": 16, "window": 16}, PUBLISHED], ids=["dot", "published"])
def test_network_and_sampler_draw_the_same_steps(settings):
    draws = []
    for model in network_and_sampler(TOKENS, 1, **settings):
        state, steps, rng = model.initial_state([{}] * 4), [], CounterRNG(range(4))
        for step in range(50):
            logp = model.sample(
                state, BatchSamplingParams.for_rows(4, temperature=0.9), rng.at_steps(np.full(4, step))
            ).steps
            state = model.advance(state, logp)
            steps.append(logp)
        draws.append(np.array(steps))
    assert (draws[0] == draws[1]).mean() > 0.99
