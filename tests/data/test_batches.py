"""Batches: all steps once, in order, with a reset at the beginning of a piece; any batch by its number."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.api import SequenceSpec, StepKind
from composer.data.batches import BPTTBatches
from composer.data.encoded_split import EncodedSplit, pack
from composer.distributed.environment import shard

TOKENS = SequenceSpec(StepKind.TOKENS, size=300, end=0, conditions={"piece": tuple(map(str, range(40)))})
FRAMES = SequenceSpec(StepKind.FRAMES, size=11)

lengths = st.lists(st.integers(1, 70), min_size=1, max_size=40)
shapes = st.fixed_dictionaries(
    {"batch_size": st.integers(1, 9), "seq_length": st.integers(1, 40), "align": st.sampled_from([0, 1, 2, 8, 16])}
)
seeds = st.none() | st.integers(0, 5)


def split_of(lengths, spec=TOKENS):
    """Return pieces of these lengths with different neighboring steps; token pieces end with the end token."""
    offsets = np.cumsum([0, *lengths])
    numbers = np.arange(offsets[-1])
    if spec.kind is StepKind.TOKENS:
        steps = 1 + numbers % 299
        steps[offsets[1:] - 1] = 0
        packed = pack(steps.tolist(), spec)
    else:
        packed = pack([(int(number % 11),) for number in numbers], spec)
    conditions = np.arange(len(lengths), dtype=np.int32)[:, None] if spec.conditions else np.zeros((len(lengths), 0))
    return EncodedSplit(packed, offsets, conditions)


def rows(batches, epoch=0):
    """Return the rows of an epoch: inputs, targets, weight, reset, conditions, each (rows, steps)."""
    every = list(batches.epoch_batches(epoch))
    joined = [torch.cat([getattr(batch, name) for batch in every], 1) for name in
              ("inputs", "targets", "weight", "reset")]  # fmt: skip
    return *joined, {name: torch.cat([b.conditions[name] for b in every], 1) for name in batches.spec.conditions}


@settings(deadline=None)
@given(lengths, shapes, seeds)
def test_every_piece_occurs_once_in_order_and_begins_with_a_reset(lengths, shape, seed):
    split = split_of(lengths)
    batches = BPTTBatches(split, TOKENS, seed=seed, **shape)
    inputs, targets, weight, reset, conditions = rows(batches, epoch=3)
    counted = weight.bool()
    assert int(counted.sum()) == split.count
    # a shuffled piece may continue in the next row, so rows are read one after the other
    columns = (conditions["piece"][counted], targets[counted], reset[counted])
    places = {}
    for piece, token, begins in zip(*(column.tolist() for column in columns), strict=True):
        assert begins == (piece not in places)
        places.setdefault(piece, []).append(token)
    expected = {p: split.steps[split.offsets[p] : split.offsets[p + 1]].tolist() for p in range(len(lengths))}
    assert places == expected
    assert not reset[~counted].any()
    assert (inputs[reset] == TOKENS.end).all()


@settings(deadline=None)
@given(lengths, shapes, seeds)
def test_inputs_are_targets_one_step_earlier(lengths, shape, seed):
    inputs, targets, weight, reset, _ = rows(BPTTBatches(split_of(lengths), TOKENS, seed=seed, **shape))
    goes_on = weight[:, 1:].bool() & ~reset[:, 1:]
    assert (inputs[:, 1:][goes_on] == targets[:, :-1][goes_on]).all()


@settings(deadline=None)
@given(lengths, shapes)
def test_rows_without_a_seed_hold_whole_pieces(lengths, shape):
    batches = BPTTBatches(split_of(lengths), TOKENS, **shape)
    _, _, weight, reset, conditions = rows(batches)
    begins = dict(zip(conditions["piece"][reset].tolist(), reset.nonzero()[:, 0].tolist(), strict=True))
    for row, column in weight.nonzero().tolist():
        assert begins[int(conditions["piece"][row, column])] == row


@settings(deadline=None)
@given(lengths, shapes, seeds, st.data())
def test_an_epoch_can_begin_at_any_batch(lengths, shape, seed, data):
    """A resumed run gets the batches that an uninterrupted one would get."""
    split = split_of(lengths)
    every = list(BPTTBatches(split, TOKENS, seed=seed, **shape).epoch_batches(2))
    number = data.draw(st.integers(0, len(every) - 1))
    later = list(BPTTBatches(split, TOKENS, seed=seed, **shape).epoch_batches(2, first=number))
    assert len(later) == len(every) - number
    assert all(torch.equal(ours.targets, theirs.targets) for ours, theirs in zip(later, every[number:], strict=True))


@settings(deadline=None)
@given(lengths, shapes, seeds, st.integers(1, 4))
def test_ranks_get_disjoint_rows_of_a_batch(lengths, shape, seed, world):
    batches = BPTTBatches(split_of(lengths), TOKENS, seed=seed, **shape)
    whole = batches.batch_at(1, 0)
    shares = [batches.batch_at(1, 0, shard(range(batches.rows), rank, world)) for rank in range(world)]
    for name in ("inputs", "targets", "weight", "reset"):
        assert torch.equal(torch.cat([getattr(share, name) for share in shares]), getattr(whole, name))
    assert torch.equal(torch.cat([share.conditions["piece"] for share in shares]), whole.conditions["piece"])


@settings(deadline=None)
@given(lengths, shapes, seeds)
def test_batches_have_similar_lengths_up_to_the_maximum(lengths, shape, seed):
    batches = BPTTBatches(split_of(lengths), TOKENS, seed=seed, **shape)
    widths = {batch.targets.shape[1] for batch in batches.epoch_batches(0)}
    assert max(widths) <= shape["seq_length"]
    assert max(widths) - min(widths) <= batches.align
    assert batches.rows <= shape["batch_size"]


@pytest.mark.parametrize("align", [4, 16])
def test_pieces_begin_at_multiples_of_align(align):
    batches = BPTTBatches(split_of([33, 50, 7, 20] * 10), TOKENS, batch_size=4, seq_length=32, align=align, seed=0)
    assert all(column % align == 0 for column in rows(batches)[3].nonzero()[:, 1].tolist())


def test_the_default_alignment_wastes_little():
    assert BPTTBatches(split_of([8] * 40), TOKENS, batch_size=4, seq_length=64, seed=0).align == 1
    for length in (50, 100, 400):
        batches = BPTTBatches(split_of([length] * 40), TOKENS, batch_size=4, seq_length=64, seed=0)
        weight = rows(batches)[2]
        assert weight.mean() > 0.9
        assert batches.align > 1


def test_shuffling_depends_on_epoch_and_seed():
    split = split_of([5] * 30)
    first, second, again, other = (
        rows(BPTTBatches(split, TOKENS, batch_size=2, seq_length=16, seed=seed), epoch)[1]
        for seed, epoch in [(0, 0), (0, 1), (0, 0), (1, 0)]
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert not torch.equal(first, other)


def test_frames_begin_with_an_empty_one():
    batches = BPTTBatches(split_of([5, 9], FRAMES), FRAMES, batch_size=2, seq_length=8, align=4, seed=0)
    inputs, targets, weight, reset, _ = rows(batches)
    assert targets.shape[-1] == 11
    assert (targets.sum(-1) == weight).all()
    assert (inputs[reset] == 0).all()
    assert int(weight.sum()) == 14


def test_small_data_has_fewer_rows_rather_than_few_batches():
    batches = BPTTBatches(split_of([100] * 30), TOKENS, batch_size=64, seq_length=64, align=1, seed=0)
    assert batches.rows == 5
    assert batches.batches_per_epoch >= 8


def test_one_long_piece_still_fills_the_rows():
    batches = BPTTBatches(split_of([5000]), TOKENS, batch_size=8, seq_length=64, seed=0)
    assert batches.rows == 8
    assert batches.batches_per_epoch == 10


@settings(deadline=None)
@given(lengths, shapes, seeds)
def test_contiguous_batches_are_all_pieces_in_order_without_resets(lengths, shape, seed):
    split = split_of(lengths)
    batches = BPTTBatches(split, TOKENS, seed=seed, contiguous=True, **shape)
    inputs, targets, weight, reset, conditions = rows(batches, epoch=3)
    counted = weight.bool()
    assert not reset.any()
    steps = targets[counted]
    begin = 0 if seed is None else int(split.offsets[conditions["piece"][counted][0]])
    assert torch.equal(steps, torch.from_numpy(np.roll(split.steps.astype(np.int64), -begin)))
    before = torch.cat([torch.zeros(1, dtype=torch.int64), steps[:-1]])
    first = torch.zeros_like(counted)
    first[:, 0] = True  # the input of a row's first step is the last step of the row above
    assert torch.equal(inputs[counted & ~first], before[~first[counted]])


def test_each_contiguous_epoch_begins_at_another_piece():
    batches = BPTTBatches(split_of([9] * 30), TOKENS, batch_size=3, seq_length=20, seed=0, contiguous=True)
    begins = {int(rows(batches, epoch)[4]["piece"][0, 0]) for epoch in range(8)}
    assert len(begins) > 4
