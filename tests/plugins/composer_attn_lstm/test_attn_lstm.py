"""The attn-lstm plugin: its contract in all variants, its settings, and what it does over a long time."""

import tracemalloc

import numpy as np
import pytest
import torch

from composer.api import OptionError, SequenceSpec, StepKind
from composer.api.sampling.filters import CounterRNG, SamplingParams
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
"""The shape of the published system, made small."""


class OfFrames(AttnLstm):
    """Pitches can only enter from frames."""

    accepts = frozenset({StepKind.FRAMES})


class OfTokens(AttnLstm):
    """What enters by a table can leave by it."""

    accepts = frozenset({StepKind.TOKENS})


def faces(spec, seed=0, **settings):
    """A network and a sampler with the same weights."""
    config = AttnLstmConfig(**settings)
    torch.manual_seed(seed)
    network = AttnLstm().network(spec, config).eval()
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    return network, AttnLstm().sampler(spec, config, weights)


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden": 12, "embedding": 6, "window": 8},
        {"hidden": 12, "embedding": 6, "layers": 1, "window": 1},
        {"hidden": 12, "attention": "scaling", "window": 5},
        {"stack": (12, 10), "dense": (8,), "leak": 0.1, "norm": "batch", "window": 30},
        PUBLISHED,
    ],
    ids=["dot", "a window of one", "scaling", "dot inside a stack", "published"],
)
def test_contract(settings):
    check_model(AttnLstm, **settings)


@pytest.mark.parametrize(
    ("settings", "width"),
    [({"hidden": 12, "window": 8}, 12), ({"stack": (12, 10), "dense": (8,)}, 10), ({"stack": (12,), "dense": (8,)}, 8)],
)
def test_contract_with_one_table_for_tokens_that_enter_and_leave(settings, width):
    check_model(OfTokens, **settings, tied=True)
    network, _ = faces(TOKENS, **settings, tied=True)
    assert network.embed.weight is network.output.weight
    assert network.embed.weight.shape == (9, width)


def test_frames_have_no_table():
    with pytest.raises(OptionError, match="`tied` is for the table of tokens"):
        AttnLstm().check(StepKind.FRAMES, AttnLstmConfig(tied=True))


def test_contract_with_units_that_depend_on_one_another():
    check_model(OfFrames, hidden=12, embedding=6, window=5, heads=2, output="nade", nade_units=10)


def test_contract_with_pitches():
    check_model(OfFrames, **PUBLISHED, pitches=True, jitter=True)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"window": 0}, "`window` cannot be 0"),
        ({"heads": 0}, "`heads` cannot be 0"),
        ({"hidden": 0}, "`hidden`"),
        ({"layers": -1}, "`layers`"),
        ({"stack": (64, 0)}, "`stack`"),
        ({"dense": (0,)}, "`dense`"),
        ({"layers": 1, "dense": (8, 8)}, "`dense` has 2 sizes, and there are 1"),
        ({"dropout": (0.3, 1.0)}, "`dropout`"),
        ({"dropout": ()}, "`dropout` cannot be empty"),
        ({"condition_dropout": -0.1}, "`condition_dropout`"),
        ({"input_dropout": 1.0}, "`input_dropout`"),
        ({"leak": 1.5}, "`leak`"),
        ({"jitter": True}, "`jitter`"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, complaint):
    with pytest.raises(OptionError, match=complaint) as caught:
        AttnLstmConfig(**settings)
    assert caught.value.hint


def test_a_window_of_nothing_is_refused_before_anything_is_read(composer, tmp_path):
    missing = tmp_path / "missing.abc"
    result = composer("train", "abc", missing, "--model", "attn-lstm", "--set", "window=0")
    result.failed("`window` cannot be 0", "above 0", code=2)


def test_tokens_have_no_pitches():
    with pytest.raises(OptionError, match="tokens have no pitches"):
        AttnLstm().network(TOKENS, AttnLstmConfig(pitches=True))


def test_dropouts_go_to_one_block_after_another():
    config = AttnLstmConfig(dropout=(0.3, 0.22))
    assert [config.dropout_after(block) for block in range(4)] == [0.3, 0.22, 0.22, 0.22]


@pytest.mark.parametrize(
    ("settings", "share"), [({}, 0.3), ({"input_dropout": 0.0}, 0.0), ({"input_dropout": 0.5, "pitches": True}, 0.5)]
)
def test_the_input_has_a_dropout_of_its_own(settings, share):
    spec = SequenceSpec(StepKind.FRAMES, size=8)
    network = AttnLstm().network(spec, AttnLstmConfig(dropout=(0.3, 0.2), **settings))
    assert network.dropout.rate == share
    assert AttnLstmConfig(pitches=True).input_dropout_rate == 0


@pytest.mark.parametrize("settings", [{"hidden": 12, "window": 16}, PUBLISHED], ids=["dot", "published"])
def test_step_by_step_is_the_same_as_all_at_once(settings):
    network, sampler = faces(TOKENS, **settings)
    steps = np.random.default_rng(0).integers(1, 9, (2, 100))
    inputs = torch.from_numpy(np.concatenate([np.zeros((2, 1), int), steps], 1))
    with torch.no_grad():
        logits, _ = network(inputs, network.initial_layer_states(2), None, {})
    wanted = torch.log_softmax(logits, -1).numpy()
    for player in (network, sampler):
        state = player.initial_state([{}, {}])
        for at in range(100):
            got = player.log_prob(state, steps[:, at])
            assert np.abs(got - wanted[[0, 1], at, steps[:, at]]).max() <= 1e-5
            state = player.advance(state, steps[:, at])


@pytest.mark.parametrize("settings", [{"hidden": 6, "window": 16}, PUBLISHED], ids=["dot", "published"])
def test_memory_is_constant_over_ten_thousand_steps(settings):
    _, sampler = faces(TOKENS, **settings)
    state = sampler.initial_state([{}])
    held = [(part.shape, part.nbytes) for part in state]
    steps = np.random.default_rng(0).integers(1, 9, (10_000, 1))
    for step in steps[:9_000]:
        state = sampler.advance(state, step)
    tracemalloc.start()
    try:
        for step in steps[9_000:]:
            state = sampler.advance(state, step)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(part.shape, part.nbytes) for part in state] == held
    assert kept < 8_000  # as much as 8 bytes for each step
    assert np.isfinite(sampler.log_prob(state, np.array([1]))).all()


def test_the_networks_state_does_not_grow_either():
    network, _ = faces(TOKENS, hidden=6, window=16)
    state = network.initial_state([{}])
    held = [part.shape for part in state.layers]
    for _ in range(100):
        state = network.advance(state, np.array([1]))
    assert [part.shape for part in state.layers] == held


def test_a_condition_changes_what_is_played():
    spec = SequenceSpec(StepKind.TOKENS, size=9, end=0, conditions={"rhythm": ("jig", "reel")})
    _, sampler = faces(spec, hidden=8, embedding=4)
    state = sampler.initial_state([{"rhythm": "jig"}, {"rhythm": "reel"}, {}])
    assert len(set(sampler.log_prob(state, np.array([1, 1, 1])).tolist())) == 3


@pytest.mark.parametrize("settings", [{"hidden": 16, "window": 16}, PUBLISHED], ids=["dot", "published"])
def test_both_faces_draw_the_same_steps_from_the_same_noise(settings):
    drawn = []
    for player in faces(TOKENS, 1, **settings):
        state, steps, rng = player.initial_state([{}] * 4), [], CounterRNG(range(4))
        for step in range(50):
            got = player.sample(
                state, SamplingParams.for_rows(4, temperature=0.9), rng.at_steps(np.full(4, step))
            ).steps
            state = player.advance(state, got)
            steps.append(got)
        drawn.append(np.array(steps))
    assert (drawn[0] == drawn[1]).mean() > 0.99
