"""The transformer: contract, settings, and a cache that neither grows nor changes a result."""

import numpy as np
import pytest
import torch
from composer_transformer import Transformer, TransformerConfig

from composer.api import OptionError, SequenceSpec, StepKind
from composer.api.network import Batch
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG
from composer.api.testing import check_model

TOKENS = SequenceSpec(StepKind.TOKENS, size=9, end=0)
FRAMES = SequenceSpec(StepKind.FRAMES, size=9)
POSITIONS = SequenceSpec(StepKind.TOKENS, 9, 0, {"rhythm": ("jig", "reel")}, features={"beat": 4, "bar": 3})
TINY = {"hidden": 16, "heads": 2, "layers": 2, "embedding": 8, "feedforward": 24}


class PlainTransformer(Transformer):
    """Without conditions and position features, which become part of the input before its layers."""

    conditional = positional = False


class FramesTransformer(PlainTransformer):
    accepts = frozenset({StepKind.FRAMES})


class TokensTransformer(PlainTransformer):
    accepts = frozenset({StepKind.TOKENS})


def network_and_sampler(spec, **settings):
    """Return a network and a sampler with the same weights."""
    config = TransformerConfig(**{**TINY, **settings})
    torch.manual_seed(0)
    network = Transformer().network(spec, config).eval()
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    return network, Transformer().sampler(spec, config, weights)


def window_of(spec, rows, length, seed=0):
    """Return a training window in which each row starts a piece, and row 1 another one at step 7."""
    generator = np.random.default_rng(seed)
    shape = (rows, length) if spec.kind is StepKind.TOKENS else (rows, length, spec.size)
    steps = torch.from_numpy(generator.integers(1, 9, shape) if spec.kind is StepKind.TOKENS else
                             (generator.random(shape) < 0.2).astype(np.float32))  # fmt: skip
    reset = torch.zeros(rows, length, dtype=torch.bool)
    reset[:, 0] = reset[1, 7] = True
    conditions = {name: torch.zeros(rows, length, dtype=torch.int64) for name in spec.conditions}
    sizes = list(spec.features.values())
    features = torch.from_numpy(generator.integers(0, sizes, (rows, length, len(sizes)))) if sizes else None
    return Batch(steps.roll(1, 1), steps, torch.ones(rows, length), reset, conditions, features)


def test_contract():
    check_model(Transformer, **TINY, window=8)


def test_contract_with_other_settings():
    check_model(TokensTransformer, hidden=6, heads=3, layers=1, window=1)
    check_model(TokensTransformer, **TINY, window=64, tied=True)
    check_model(FramesTransformer, **TINY, window=8, output="nade", nade_units=10)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 0}, "invalid value for `window`: '0'"),
        ({"heads": 0}, "`heads`"),
        ({"layers": 0}, "`layers`"),
        ({"feedforward": 0}, "`feedforward`"),
        ({"dropout": 1.0}, "`dropout`"),
        ({"hidden": 100, "heads": 8}, "`hidden=100` cannot be divided among 8 heads of an even size"),
    ],
)
def test_invalid_settings(settings, message):
    with pytest.raises(OptionError, match=message) as caught:
        TransformerConfig(**settings)
    assert caught.value.hint


def test_the_hint_for_hidden_is_a_valid_size():
    with pytest.raises(OptionError) as caught:
        TransformerConfig(hidden=100, heads=8)
    assert caught.value.hint == "use a multiple of 16, such as --set hidden=96"
    TransformerConfig(hidden=96, heads=8)


def test_tokens_have_no_nade_and_frames_are_not_tied():
    for kind, settings in ((StepKind.TOKENS, {"output": "nade"}), (StepKind.FRAMES, {"tied": True})):
        with pytest.raises(OptionError):
            Transformer().check(kind, TransformerConfig(**settings))


@pytest.mark.parametrize("spec", [TOKENS, FRAMES, POSITIONS], ids=["tokens", "frames", "positions"])
def test_step_by_step_equals_whole_sequence(spec):
    network, sampler = network_and_sampler(spec, window=16)
    batch = window_of(spec, 2, 100)
    steps, first = batch.targets.numpy(), torch.zeros_like(batch.targets[:, :1])
    inputs, features = torch.cat([first, batch.targets[:, :-1]], 1), [batch.features] * bool(spec.features)
    with torch.no_grad():
        outputs, _ = network(inputs, network.initial_layer_states(2), None, batch.conditions, *features)
    expected = network.distribution.log_prob(outputs, batch.targets).numpy()
    labels = [{name: values[0] for name, values in spec.conditions.items()}] * 2
    following = [{"features": batch.features[:, at].numpy()} if spec.features else {} for at in range(100)]
    for model in (network, sampler):
        state = model.initial_state(labels, **following[0])
        for at in range(100):
            assert np.abs(model.log_prob(state, steps[:, at]) - expected[:, at]).max() <= 1e-5
            state = model.advance(state, steps[:, at], **following[min(at + 1, 99)])


def test_a_step_sees_a_window_per_layer_and_nothing_before_its_piece():
    network, _ = network_and_sampler(TOKENS, window=5)
    batch = window_of(TOKENS, 2, 30)
    inputs = torch.nn.functional.one_hot(batch.inputs, 9).float().requires_grad_()
    outputs, _ = network.core(inputs @ network.embed.weight, network.initial_layer_states(2), batch.reset)

    def seen(row, step):
        (gradient,) = torch.autograd.grad(outputs[row, step].square().sum(), inputs, retain_graph=True)
        return sorted(set(gradient[row].abs().sum(1).nonzero()[:, 0].tolist()))

    assert seen(0, 20) == list(range(20 - 2 * 4, 21))
    assert seen(1, 10) == list(range(7, 11))
    assert seen(1, 6) == list(range(7))


def test_gradient_checkpointing_changes_no_gradient():
    network, _ = network_and_sampler(POSITIONS, window=6)
    batch, gradients = window_of(POSITIONS, 2, 24), []
    for chunks in (1, 5):
        network.checkpoint_chunks = chunks
        network.zero_grad()
        network.loss(batch, None)[0].objective.backward()
        gradients.append([weight.grad.clone() for weight in network.parameters()])
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_neither_state_grows():
    network, sampler = network_and_sampler(TOKENS, window=16)
    for model, parts in ((network, lambda state: state.layers), (sampler, lambda state: state)):
        state = model.initial_state([{}])
        shapes = [part.shape for part in parts(state)]
        for _ in range(100):
            state = model.advance(state, np.array([1]))
        assert [part.shape for part in parts(state)] == shapes


def test_rows_that_begin_later_draw_what_they_would_alone():
    for model in network_and_sampler(TOKENS, window=8):
        alone, together = model.initial_state([{}]), model.initial_state([{}, {}])
        for step in np.random.default_rng(0).integers(1, 9, (20, 2)):
            together = model.advance(together, step)
        together = model.gather_rows(together, np.array([0, -1, 1]), alone)
        for step in np.random.default_rng(1).integers(1, 9, (20, 3)):
            assert np.abs(model.log_prob(together, step)[1] - model.log_prob(alone, step[1:2])).max() <= 1e-5
            alone, together = model.advance(alone, step[1:2]), model.advance(together, step)


def test_probabilities_stay_the_same_far_into_a_piece():
    _, sampler = network_and_sampler(TOKENS, window=8)
    early, late = (sampler.initial_layer_states([{}]) for _ in range(2))
    late[2] += 10_000_000  # steps so far
    for step in np.random.default_rng(0).integers(1, 9, (20, 1)):
        early, late = (sampler.advance(state, step) for state in (early, late))
        assert np.abs(sampler.logits(early) - sampler.logits(late)).max() <= 1e-5


@pytest.mark.parametrize("spec", [TOKENS, FRAMES], ids=["tokens", "frames"])
def test_network_and_sampler_draw_the_same_steps(spec):
    draws = []
    for model in network_and_sampler(spec, window=16):
        state, steps, rng = model.initial_state([{}] * 4), [], CounterRNG(range(4))
        for step in range(50):
            draw = model.sample(state, BatchSamplingParams.for_rows(4), rng.at_steps(np.full(4, step)))
            state = model.advance(state, draw.steps)
            steps.append(draw.steps)
        draws.append(np.array(steps))
    assert (draws[0] == draws[1]).mean() > 0.99
