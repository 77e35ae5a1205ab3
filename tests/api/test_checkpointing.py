"""Gradient checkpointing: the same gradients from less memory."""

import pytest
import torch

from composer.api import Kind, SequenceSpec
from composer.api.network import Batch
from composer.core import registry


def batch(spec, rows=3, length=50):
    """A window in which a piece begins in the middle of a row."""
    generator = torch.Generator().manual_seed(0)
    if spec.kind is Kind.TOKENS:
        targets = torch.randint(1, spec.size, (rows, length), generator=generator)
    else:
        targets = (torch.rand(rows, length, spec.size, generator=generator) < 0.2).float()
    reset = torch.zeros(rows, length, dtype=torch.bool)
    reset[:, 0] = reset[1, 31] = True
    return Batch(targets.roll(1, 1), targets, torch.ones(rows, length), reset)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("name", ["lstm", "attn-lstm"])
def test_the_gradients_are_the_same(name, kind):
    model, spec = registry.model(name), SequenceSpec(kind, size=9, end=0 if kind is Kind.TOKENS else None)
    torch.manual_seed(0)
    network = model.network(spec, model.Config(hidden=16, embedding=8)).eval()

    def learnt(chunks):
        network.zero_grad()
        network.checkpoint_chunks = chunks
        first, state = network.loss(batch(spec), None)
        second, _ = network.loss(batch(spec), state)
        (first.objective + second.objective).backward()
        return [parameter.grad.clone() for parameter in network.parameters()], second.monitor

    whole, loss = learnt(1)
    assert any(gradient.abs().max() > 1e-3 for gradient in whole)
    for chunks in (2, 7, 1000):
        gradients, same = learnt(chunks)
        assert abs(same - loss) < 1e-6
        for ours, theirs in zip(gradients, whole, strict=True):
            assert (ours - theirs).abs().max() < 1e-6


def test_it_is_a_setting_of_training(composer, tunes):
    quick = ("--set", "hidden=8", "--max-steps", "3", "--name", "mine")
    done = composer("train", "abc", tunes, *quick, "--set", "checkpoint_chunks=4")
    assert done.code == 0, done.err
    composer("train", "abc", tunes, "--set", "checkpoint_chunks=0").failed("`checkpoint_chunks` cannot be 0", code=2)
