"""Gradient checkpointing: the same gradients with less memory."""

import pytest
import torch

from composer.api import OptionError, SequenceSpec, StepKind
from composer.api.network import Batch
from composer.registry import plugins as registry

REELS = {"rhythm": ("jig", "reel")}


def make_batch(spec, rows=3, length=34):
    """Return a window in which a piece starts in the middle of a row."""
    generator = torch.Generator().manual_seed(0)
    if spec.kind is StepKind.TOKENS:
        targets = torch.randint(1, spec.size, (rows, length), generator=generator)
    else:
        targets = (torch.rand(rows, length, spec.size, generator=generator) < 0.2).float()
    reset = torch.zeros(rows, length, dtype=torch.bool)
    reset[:, 0] = reset[1, 31] = True
    conditions = {name: (reset.cumsum(1) - 1) % len(values) for name, values in spec.conditions.items()}
    return Batch(targets.roll(1, 1), targets, torch.ones(rows, length), reset, conditions)


def make_network(name, spec, **settings):
    model = registry.model(name)
    torch.manual_seed(0)
    return model.network(spec, model.Config(**settings)).train()


def check_same_gradients(network, minimum=1e-3):
    """Check that two windows have the same gradients with any number of chunks."""

    def gradients_and_loss(chunks):
        network.zero_grad()
        network.checkpoint_chunks = chunks
        torch.manual_seed(1)
        first, state = network.loss(make_batch(network.spec), None)
        second, _ = network.loss(make_batch(network.spec), state)
        (first.objective + second.objective).backward()
        return [parameter.grad.clone() for parameter in network.parameters()], second.monitor

    whole, loss = gradients_and_loss(1)
    assert any(gradient.abs().max() > minimum for gradient in whole)
    for chunks in (2, 7, 1000):
        gradients, same = gradients_and_loss(chunks)
        assert abs(same - loss) < 1e-6
        for actual, expected in zip(gradients, whole, strict=True):
            assert (actual - expected).abs().max() < 1e-6


def make_spec(kind, conditions=()):
    return SequenceSpec(kind, 9, end=0 if kind is StepKind.TOKENS else None, conditions=dict(conditions))


def test_same_gradients_with_nade():
    check_same_gradients(
        make_network("lstm", make_spec(StepKind.FRAMES), hidden=16, embedding=8, dropout=0.0, output="nade")
    )


@pytest.mark.parametrize("kind", StepKind)
@pytest.mark.parametrize(("name", "no_dropout"), [("lstm", 0.0), ("attn-lstm", (0.0,))])
def test_same_gradients(name, no_dropout, kind):
    check_same_gradients(make_network(name, make_spec(kind), hidden=16, embedding=8, dropout=no_dropout))


@pytest.mark.parametrize(("name", "no_dropout"), [("lstm", 0.0), ("attn-lstm", (0.0,))])
def test_conditions_are_hidden_for_whole_windows(name, no_dropout):
    spec = make_spec(StepKind.TOKENS, REELS)
    network = make_network(name, spec, hidden=16, embedding=8, dropout=no_dropout, condition_dropout=0.5)
    check_same_gradients(network)
    torch.manual_seed(1)
    window = make_batch(spec, rows=200)
    hidden = (network.drop_conditions(window).conditions["rhythm"] == -1).float()
    assert (hidden == hidden[:, :1]).all()
    assert 0.3 < hidden.mean() < 0.7
    assert network.eval().drop_conditions(window) is window


@pytest.mark.parametrize("cell", ["tanh", "lstm"])
def test_same_gradients_with_rnnrbm(cell, monkeypatch):
    monkeypatch.setattr("composer_rnnrbm.network.MAX_FRAMES_AT_ONCE", 40)
    network = make_network("rnnrbm", make_spec(StepKind.FRAMES), hidden=16, recurrent=8, k=3, cell=cell)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    check_same_gradients(network.double())


def test_chunks_save_memory():
    """Compares stored values, including frames and u of all steps."""
    network = make_network("rnnrbm", make_spec(StepKind.FRAMES), hidden=200, recurrent=8, k=1)
    stored = {}
    for network.checkpoint_chunks in (1, 10):
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda each, to=sizes: to.append(each.numel()) or each, lambda x: x
        ):
            network.loss(make_batch(network.spec), None)
        stored[network.checkpoint_chunks] = sum(sizes)
    assert stored[10] < stored[1] / 4


def test_batch_norm_rejects_chunks():
    network = make_network("attn-lstm", make_spec(StepKind.TOKENS), hidden=16, norm="batch")
    network.checkpoint_chunks = 1
    with pytest.raises(OptionError, match="cannot use `checkpoint_chunks=4`: `norm=batch`") as caught:
        network.checkpoint_chunks = 4
    assert network.checkpoint_chunks == 1
    assert "leave it out" in caught.value.hint


def test_training_setting(composer, tunes):
    quick = ("--set", "hidden=8", "--max-updates", "3", "--name", "mine")
    result = composer("train", "abc", tunes, *quick, "--set", "checkpoint_chunks=4")
    assert result.code == 0, result.err
    composer("train", "abc", tunes, "--set", "checkpoint_chunks=0").failed(
        "invalid value for `checkpoint_chunks`: '0'", code=2
    )


def test_unsupported_setting_fails_before_training(composer, tunes):
    settings = ("--model", "attn-lstm", "--set", "norm=batch", "--set", "checkpoint_chunks=4", "--name", "mine")
    result = composer("train", "abc", tunes, *settings)
    assert result.code == 2
    assert "error: cannot use `checkpoint_chunks=4`: `norm=batch`" in result.err
    composer("gen", "abc", "--checkpoint", "mine").failed("mine")
