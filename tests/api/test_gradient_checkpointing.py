"""Gradient checkpointing: the same gradients from less memory, or a refusal."""

import pytest
import torch

from composer.api import OptionError, SequenceSpec, StepKind
from composer.api.network import Batch
from composer.registry import plugins as registry

REELS = {"rhythm": ("jig", "reel")}


def batch(spec, rows=3, length=50):
    """A window in which a piece begins in the middle of a row."""
    generator = torch.Generator().manual_seed(0)
    if spec.kind is StepKind.TOKENS:
        targets = torch.randint(1, spec.size, (rows, length), generator=generator)
    else:
        targets = (torch.rand(rows, length, spec.size, generator=generator) < 0.2).float()
    reset = torch.zeros(rows, length, dtype=torch.bool)
    reset[:, 0] = reset[1, 31] = True
    conditions = {name: (reset.cumsum(1) - 1) % len(values) for name, values in spec.conditions.items()}
    return Batch(targets.roll(1, 1), targets, torch.ones(rows, length), reset, conditions)


def network_of(name, spec, **settings):
    model = registry.model(name)
    torch.manual_seed(0)
    return model.network(spec, model.Config(**settings)).train()


def check_same(network, least=1e-3):
    """That two windows teach the same, cut or whole."""

    def learnt(chunks):
        network.zero_grad()
        network.checkpoint_chunks = chunks
        torch.manual_seed(1)
        first, state = network.loss(batch(network.spec), None)
        second, _ = network.loss(batch(network.spec), state)
        (first.objective + second.objective).backward()
        return [parameter.grad.clone() for parameter in network.parameters()], second.monitor

    whole, loss = learnt(1)
    assert any(gradient.abs().max() > least for gradient in whole)
    for chunks in (2, 7, 1000):
        gradients, same = learnt(chunks)
        assert abs(same - loss) < 1e-6
        for ours, theirs in zip(gradients, whole, strict=True):
            assert (ours - theirs).abs().max() < 1e-6


def spec_of(kind, conditions=()):
    return SequenceSpec(kind, 9, end=0 if kind is StepKind.TOKENS else None, conditions=dict(conditions))


def test_the_gradients_of_units_that_depend_on_one_another_are_the_same():
    check_same(network_of("lstm", spec_of(StepKind.FRAMES), hidden=16, embedding=8, dropout=0.0, output="nade"))


@pytest.mark.parametrize("kind", StepKind)
@pytest.mark.parametrize(("name", "without"), [("lstm", 0.0), ("attn-lstm", (0.0,))])
def test_the_gradients_are_the_same(name, without, kind):
    check_same(network_of(name, spec_of(kind), hidden=16, embedding=8, dropout=without))


@pytest.mark.parametrize(("name", "without"), [("lstm", 0.0), ("attn-lstm", (0.0,))])
def test_a_condition_is_hidden_for_a_whole_window(name, without):
    spec = spec_of(StepKind.TOKENS, REELS)
    network = network_of(name, spec, hidden=16, embedding=8, dropout=without, condition_dropout=0.5)
    check_same(network)
    torch.manual_seed(1)
    given = batch(spec, rows=200)
    hidden = (network.drop_conditions(given).conditions["rhythm"] == -1).float()
    assert (hidden == hidden[:, :1]).all()
    assert 0.3 < hidden.mean() < 0.7
    assert network.eval().drop_conditions(given) is given


@pytest.mark.parametrize("cell", ["tanh", "lstm"])
def test_the_gradients_of_boltzmann_machines_are_the_same(cell, monkeypatch):
    monkeypatch.setattr("composer_rnnrbm.network.MAX_FRAMES_AT_ONCE", 40)
    network = network_of("rnnrbm", spec_of(StepKind.FRAMES), hidden=16, recurrent=8, k=3, cell=cell)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    check_same(network.double())


def test_machines_in_stretches_keep_less():
    """What is kept for going back, beside the frames and u of all steps."""
    network = network_of("rnnrbm", spec_of(StepKind.FRAMES), hidden=200, recurrent=8, k=1)
    kept = {}
    for network.checkpoint_chunks in (1, 10):
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda each, to=sizes: to.append(each.numel()) or each, lambda x: x
        ):
            network.loss(batch(network.spec), None)
        kept[network.checkpoint_chunks] = sum(sizes)
    assert kept[10] < kept[1] / 4


def test_normalisation_by_batch_is_another_thing_in_stretches():
    network = network_of("attn-lstm", spec_of(StepKind.TOKENS), hidden=16, norm="batch")
    network.checkpoint_chunks = 1
    with pytest.raises(OptionError, match="`checkpoint_chunks` cannot be 4 here: `norm=batch`") as caught:
        network.checkpoint_chunks = 4
    assert network.checkpoint_chunks == 1
    assert "leave it out" in caught.value.hint


def test_it_is_a_setting_of_training(composer, tunes):
    quick = ("--set", "hidden=8", "--max-steps", "3", "--name", "mine")
    done = composer("train", "abc", tunes, *quick, "--set", "checkpoint_chunks=4")
    assert done.code == 0, done.err
    composer("train", "abc", tunes, "--set", "checkpoint_chunks=0").failed("`checkpoint_chunks` cannot be 0", code=2)


def test_where_it_cannot_be_training_does_not_begin(composer, tunes):
    asked = ("--model", "attn-lstm", "--set", "norm=batch", "--set", "checkpoint_chunks=4", "--name", "mine")
    refused = composer("train", "abc", tunes, *asked)
    assert refused.code == 2
    assert "error: `checkpoint_chunks` cannot be 4 here: `norm=batch`" in refused.err
    composer("gen", "abc", "--checkpoint", "mine").failed("mine")
