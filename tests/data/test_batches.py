"""The laws of windows: all steps, each once, in order, with a reset where a piece begins; any window by its number."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.api import SequenceSpec, StepKind
from composer.data.batches import Windows
from composer.data.encoded_split import EncodedSplit, pack
from composer.distributed.environment import shard

TOKENS = SequenceSpec(StepKind.TOKENS, size=300, end=0, conditions={"piece": tuple(map(str, range(40)))})
FRAMES = SequenceSpec(StepKind.FRAMES, size=11)

lengths = st.lists(st.integers(1, 70), min_size=1, max_size=40)
shapes = st.fixed_dictionaries(
    {"batch": st.integers(1, 9), "length": st.integers(1, 40), "align": st.sampled_from([0, 1, 2, 8, 16])}
)
seeds = st.none() | st.integers(0, 5)


def part_of(lengths, spec=TOKENS):
    """Pieces of these lengths, in which each step is unlike its neighbours; token pieces end with the end symbol."""
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


def rows(windows, epoch=0):
    """The whole rows of an epoch: inputs, targets, weight, reset, conditions, each (rows, steps)."""
    batches = list(windows.windows(epoch))
    joined = [torch.cat([getattr(batch, name) for batch in batches], 1) for name in
              ("inputs", "targets", "weight", "reset")]  # fmt: skip
    return *joined, {name: torch.cat([b.conditions[name] for b in batches], 1) for name in windows.spec.conditions}


@settings(deadline=None)
@given(lengths, shapes, seeds)
def test_every_piece_is_there_once_in_order_and_begins_with_a_reset(lengths, shape, seed):
    part = part_of(lengths)
    windows = Windows(part, TOKENS, seed=seed, **shape)
    inputs, targets, weight, reset, conditions = rows(windows, epoch=3)
    counted = weight.bool()
    assert int(counted.sum()) == part.count
    # a shuffled piece may go on in the next row, so rows are read one after the other
    columns = (conditions["piece"][counted], targets[counted], reset[counted])
    places = {}
    for piece, token, begins in zip(*(column.tolist() for column in columns), strict=True):
        assert begins == (piece not in places)
        places.setdefault(piece, []).append(token)
    expected = {p: part.steps[part.offsets[p] : part.offsets[p + 1]].tolist() for p in range(len(lengths))}
    assert places == expected
    assert not reset[~counted].any()
    assert (inputs[reset] == TOKENS.end).all()


@settings(deadline=None)
@given(lengths, shapes, seeds)
def test_inputs_are_targets_one_step_earlier(lengths, shape, seed):
    inputs, targets, weight, reset, _ = rows(Windows(part_of(lengths), TOKENS, seed=seed, **shape))
    goes_on = weight[:, 1:].bool() & ~reset[:, 1:]
    assert (inputs[:, 1:][goes_on] == targets[:, :-1][goes_on]).all()


@settings(deadline=None)
@given(lengths, shapes)
def test_what_is_measured_has_whole_pieces_in_its_rows(lengths, shape):
    windows = Windows(part_of(lengths), TOKENS, **shape)
    _, _, weight, reset, conditions = rows(windows)
    begins = dict(zip(conditions["piece"][reset].tolist(), reset.nonzero()[:, 0].tolist(), strict=True))
    for row, column in weight.nonzero().tolist():
        assert begins[int(conditions["piece"][row, column])] == row


@settings(deadline=None)
@given(lengths, shapes, seeds, st.data())
def test_any_window_can_be_had_by_its_number(lengths, shape, seed, data):
    """A run that goes on at a cursor sees what an uninterrupted one would have seen."""
    part = part_of(lengths)
    every = list(Windows(part, TOKENS, seed=seed, **shape).windows(2))
    number = data.draw(st.integers(0, len(every) - 1))
    later = list(Windows(part, TOKENS, seed=seed, **shape).windows(2, first=number))
    assert len(later) == len(every) - number
    assert all(torch.equal(ours.targets, theirs.targets) for ours, theirs in zip(later, every[number:], strict=True))


@settings(deadline=None)
@given(lengths, shapes, seeds, st.integers(1, 4))
def test_the_rows_of_a_window_can_be_had_apart(lengths, shape, seed, world):
    windows = Windows(part_of(lengths), TOKENS, seed=seed, **shape)
    whole = windows.window(1, 0)
    parts = [windows.window(1, 0, shard(range(windows.rows), rank, world)) for rank in range(world)]
    for name in ("inputs", "targets", "weight", "reset"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(whole, name))
    assert torch.equal(torch.cat([part.conditions["piece"] for part in parts]), whole.conditions["piece"])


@settings(deadline=None)
@given(lengths, shapes, seeds)
def test_windows_are_no_longer_than_asked_for_and_alike(lengths, shape, seed):
    windows = Windows(part_of(lengths), TOKENS, seed=seed, **shape)
    widths = {batch.targets.shape[1] for batch in windows.windows(0)}
    assert max(widths) <= shape["length"]
    assert max(widths) - min(widths) <= windows.align
    assert windows.rows <= shape["batch"]


@pytest.mark.parametrize("align", [4, 16])
def test_pieces_begin_at_few_places(align):
    windows = Windows(part_of([33, 50, 7, 20] * 10), TOKENS, batch=4, length=32, align=align, seed=0)
    assert all(column % align == 0 for column in rows(windows)[3].nonzero()[:, 1].tolist())


def test_alignment_is_chosen_so_that_little_is_wasted():
    assert Windows(part_of([8] * 40), TOKENS, batch=4, length=64, seed=0).align == 1
    for length in (50, 100, 400):
        windows = Windows(part_of([length] * 40), TOKENS, batch=4, length=64, seed=0)
        weight = rows(windows)[2]
        assert weight.mean() > 0.9
        assert windows.align > 1


def test_epochs_are_shuffled_differently_and_by_the_seed():
    part = part_of([5] * 30)
    first, second, again, other = (
        rows(Windows(part, TOKENS, batch=2, length=16, seed=seed), epoch)[1]
        for seed, epoch in [(0, 0), (0, 1), (0, 0), (1, 0)]
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert not torch.equal(first, other)


def test_frames_begin_with_an_empty_one():
    windows = Windows(part_of([5, 9], FRAMES), FRAMES, batch=2, length=8, align=4, seed=0)
    inputs, targets, weight, reset, _ = rows(windows)
    assert targets.shape[-1] == 11
    assert (targets.sum(-1) == weight).all()
    assert (inputs[reset] == 0).all()
    assert int(weight.sum()) == 14


def test_little_data_has_fewer_rows_rather_than_few_windows():
    windows = Windows(part_of([100] * 30), TOKENS, batch=64, length=64, align=1, seed=0)
    assert windows.rows == 5
    assert windows.per_epoch >= 8


def test_one_long_piece_still_fills_the_rows():
    windows = Windows(part_of([5000]), TOKENS, batch=8, length=64, seed=0)
    assert windows.rows == 8
    assert windows.per_epoch == 10


@settings(deadline=None)
@given(lengths, shapes, seeds)
def test_a_stream_is_all_pieces_in_their_order_and_forgets_nothing(lengths, shape, seed):
    part = part_of(lengths)
    windows = Windows(part, TOKENS, seed=seed, stream=True, **shape)
    inputs, targets, weight, reset, conditions = rows(windows, epoch=3)
    counted = weight.bool()
    assert not reset.any()
    told = targets[counted]
    begin = 0 if seed is None else int(part.offsets[conditions["piece"][counted][0]])
    assert torch.equal(told, torch.from_numpy(np.roll(part.steps.astype(np.int64), -begin)))
    before = torch.cat([torch.zeros(1, dtype=torch.int64), told[:-1]])
    first = torch.zeros_like(counted)
    first[:, 0] = True  # before a row's first step is what was the last one of the row above
    assert torch.equal(inputs[counted & ~first], before[~first[counted]])


def test_each_epoch_of_a_stream_begins_elsewhere():
    windows = Windows(part_of([9] * 30), TOKENS, batch=3, length=20, seed=0, stream=True)
    begins = {int(rows(windows, epoch)[4]["piece"][0, 0]) for epoch in range(8)}
    assert len(begins) > 4
