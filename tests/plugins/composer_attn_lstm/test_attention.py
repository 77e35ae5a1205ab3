"""Both attentions against the equations in their docstrings, computed step by step."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.api import SequenceSpec, StepKind
from composer_attn_lstm import AttnLstmConfig
from composer_attn_lstm.attention import DotAttention
from composer_attn_lstm.network import AttnLstmNetwork
from composer_attn_lstm.published_layers import ScalingAttention

SIZE = 8


def dot(attention, outputs):
    """DotAttention over one piece (T, H)."""
    before = torch.cat([torch.zeros(1, SIZE), outputs[:-1]])
    projected = attention.query(outputs), attention.key(before), attention.value(outputs)
    heads = zip(*(each.chunk(attention.heads, -1) for each in projected), attention.distance, strict=True)
    contexts = [one_head(*head, attention.window) for head in heads]
    return torch.tanh(attention.join(torch.cat([outputs, *contexts], -1)))


def one_head(query, key, value, relative, window):
    """The context of one head."""
    contexts = []
    for t in range(len(query)):
        seen = range(max(0, t - window + 1), t + 1)
        distance = [relative[:, window - 1 - (t - s)] for s in seen]
        scores = [query[t] @ (key[s] + r) / math.sqrt(len(relative)) for s, r in zip(seen, distance, strict=True)]
        contexts.append(torch.stack(scores).softmax(0) @ value[list(seen)])
    return torch.stack(contexts)


def scaling(attention, outputs):
    """ScalingAttention over one piece (T, H)."""
    score = torch.tanh(attention.score(outputs)[:, 0])
    scaled = []
    for t in range(len(outputs)):
        seen = score[max(0, t - attention.window + 1) : t + 1]
        scaled.append(outputs[t] * seen.softmax(0)[-1])
    return torch.stack(scaled)


ATTENTIONS = [(DotAttention, dot), (ScalingAttention, scaling)]
EACH_ATTENTION = pytest.mark.parametrize(("attention_class", "one_piece"), ATTENTIONS, ids=["dot", "scaling"])


def make(attention_class, window):
    torch.manual_seed(0)
    attention = (
        attention_class(SIZE, window, 2, 0.0) if attention_class is DotAttention else attention_class(SIZE, window)
    )
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter)
    return attention


@EACH_ATTENTION
@settings(max_examples=30)
@given(
    window=st.integers(1, 9),
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    begins=st.sets(st.integers(1, 20)),
)
@torch.no_grad()
def test_any_windows_match_the_equations(attention_class, one_piece, window, lengths, begins):
    """Pieces begin at `begins`; windows have `lengths` and pass their state on."""
    attention, total = make(attention_class, window), sum(lengths)
    outputs = torch.randn(2, total, SIZE)
    reset = torch.zeros(2, total, dtype=torch.bool)
    reset[0, [at for at in begins if at < total]] = True
    state, windows, at = attention.initial_state(2), [], 0
    for length in lengths:
        cut = slice(at, at + length)
        part, state = attention(outputs[:, cut], state, reset[:, cut])
        windows.append(part)
        at += length
    edges = [0, *sorted(at for at in begins if at < total), total]
    pieces = [one_piece(attention, outputs[0, a:b]) for a, b in pairwise(edges)]
    expected = torch.stack([torch.cat(pieces), one_piece(attention, outputs[1])])
    assert torch.allclose(torch.cat(windows, 1), expected, atol=1e-5)


@EACH_ATTENTION
def test_only_the_window_is_attended_to(attention_class, one_piece):
    attention = make(attention_class, 4)
    outputs = torch.randn(1, 20, SIZE, requires_grad=True)
    whole, _ = attention(outputs, attention.initial_state(1), None)
    whole[0, 12].sum().backward()
    attended = outputs.grad[0].abs().sum(-1).nonzero()[:, 0].tolist()
    oldest = 8 if attention_class is DotAttention else 9  # the key of the oldest step comes from the output before it
    assert attended == list(range(oldest, 13))


def test_batch_norm_updates_in_training_only():
    config = AttnLstmConfig(hidden=6, layers=1, embedding=4, window=4, norm="batch")
    network = AttnLstmNetwork(SequenceSpec(StepKind.TOKENS, size=5, end=0), config)
    norm = network.levels[0].after[1]
    inputs = torch.randint(0, 5, (3, 10))
    network.eval()(inputs, network.initial_layer_states(3), None, {})
    assert norm.running_mean.eq(0).all()
    network.train()(inputs, network.initial_layer_states(3), None, {})
    assert norm.running_mean.ne(0).all()
