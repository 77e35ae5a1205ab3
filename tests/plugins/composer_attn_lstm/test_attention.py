"""Attention itself: the equations of the docstrings, step by step, beside what is computed for whole windows."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.api import SequenceSpec, StepKind
from composer_attn_lstm import AttnLstmConfig
from composer_attn_lstm.network import AttnLstmNetwork, DotAttention, ScalingAttention

SIZE = 8


def dot(attention, outputs):
    """What DotAttention says of one piece (T, H)."""
    before = torch.cat([torch.zeros(1, SIZE), outputs[:-1]])
    projected = attention.query(outputs), attention.key(before), attention.value(outputs)
    heads = zip(*(each.chunk(attention.heads, -1) for each in projected), attention.distance, strict=True)
    contexts = [looked(*head, attention.window) for head in heads]
    return torch.tanh(attention.join(torch.cat([outputs, *contexts], -1)))


def looked(query, key, value, relative, window):
    """What one head finds."""
    found = []
    for t in range(len(query)):
        seen = range(max(0, t - window + 1), t + 1)
        distance = [relative[:, window - 1 - (t - s)] for s in seen]
        scores = [query[t] @ (key[s] + r) / math.sqrt(len(relative)) for s, r in zip(seen, distance, strict=True)]
        found.append(torch.stack(scores).softmax(0) @ value[list(seen)])
    return torch.stack(found)


def scaling(attention, outputs):
    """What ScalingAttention says of one piece (T, H)."""
    score = torch.tanh(attention.score(outputs)[:, 0])
    scaled = []
    for t in range(len(outputs)):
        seen = score[max(0, t - attention.window + 1) : t + 1]
        scaled.append(outputs[t] * seen.softmax(0)[-1])
    return torch.stack(scaled)


KINDS = [(DotAttention, dot), (ScalingAttention, scaling)]
KIND = pytest.mark.parametrize(("kind", "one_piece"), KINDS, ids=["dot", "scaling"])


def made(kind, window):
    torch.manual_seed(0)
    attention = kind(SIZE, window, 2, 0.0) if kind is DotAttention else kind(SIZE, window)
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter)
    return attention


@KIND
@settings(max_examples=60, deadline=None)
@given(
    window=st.integers(1, 9),
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    begins=st.sets(st.integers(1, 20)),
)
@torch.no_grad()
def test_windows_of_any_length_give_what_the_equations_say(kind, one_piece, window, lengths, begins):
    """Pieces begin at `begins`; the whole is cut into windows of `lengths`, the state carried on."""
    attention, total = made(kind, window), sum(lengths)
    outputs = torch.randn(2, total, SIZE)
    reset = torch.zeros(2, total, dtype=torch.bool)
    reset[0, [at for at in begins if at < total]] = True
    state, got, at = attention.initial_state(2), [], 0
    for length in lengths:
        cut = slice(at, at + length)
        part, state = attention(outputs[:, cut], state, reset[:, cut])
        got.append(part)
        at += length
    edges = [0, *sorted(at for at in begins if at < total), total]
    pieces = [one_piece(attention, outputs[0, a:b]) for a, b in pairwise(edges)]
    wanted = torch.stack([torch.cat(pieces), one_piece(attention, outputs[1])])
    assert torch.allclose(torch.cat(got, 1), wanted, atol=1e-5)


@KIND
def test_nothing_later_is_seen_and_nothing_older_than_the_window(kind, one_piece):
    attention = made(kind, 4)
    outputs = torch.randn(1, 20, SIZE, requires_grad=True)
    whole, _ = attention(outputs, attention.initial_state(1), None)
    whole[0, 12].sum().backward()
    touched = outputs.grad[0].abs().sum(-1).nonzero()[:, 0].tolist()
    oldest = 8 if kind is DotAttention else 9  # the key of the oldest step is made of the output before it
    assert touched == list(range(oldest, 13))


def test_batch_normalisation_learns_while_training_and_stays_while_playing():
    config = AttnLstmConfig(hidden=6, layers=1, embedding=4, window=4, norm="batch")
    network = AttnLstmNetwork(SequenceSpec(StepKind.TOKENS, size=5, end=0), config)
    norm = network.levels[0].after[1]
    inputs = torch.randint(0, 5, (3, 10))
    network.eval()(inputs, network.initial_layer_states(3), None, {})
    assert norm.running_mean.eq(0).all()
    network.train()(inputs, network.initial_layer_states(3), None, {})
    assert norm.running_mean.ne(0).all()
