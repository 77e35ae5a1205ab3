"""Batches for truncated BPTT over an encoded split, for training and for evaluation.

Pieces are laid out one after the other in parallel rows, and a batch is a window over all rows, so that a network
carries its state from batch to batch. Each piece begins at a multiple of `align`; the gap before it has weight 0. So
pieces begin at few positions of a window, and a network that must stop where one begins does so less often.

Any batch can be computed from its number, which makes resuming simple, and only one is in memory at a time.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from heapq import heapify, heapreplace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from composer.api import SequenceSpec, StepKind
from composer.data.encoded_split import EncodedSplit

if TYPE_CHECKING:
    import torch

    from composer.api.network import Batch

MAX_PADDING = 0.05
"""Maximum share of steps that alignment may waste."""

MIN_BATCHES = 8
"""Minimum number of batches per epoch; small data gets fewer rows instead."""


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Where pieces begin: piece `order[i]` at block `starts[i]`, in `rows` rows of `blocks` blocks each.

    Blocks are `align` steps long and numbered across rows; `starts` ascend.
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    rows: int
    blocks: int


class BPTTBatches:
    """Batches of at most `seq_length` steps over all of `data`, epoch by epoch.

    With a `seed`, pieces are shuffled in each epoch and all rows have the same length: a piece may continue in the next
    row, where the state starts anew. Without one, every row holds whole pieces and every epoch is the same, so results
    do not depend on `batch_size`.

    If `contiguous`, the pieces are one long text in their own order, cut into rows of the same length. The state is not
    reset between pieces, only between rows, so results depend on `batch_size`. With a `seed`, each epoch begins at
    another piece.
    """

    def __init__(
        self, data: EncodedSplit, spec: SequenceSpec, *, batch_size: int, seq_length: int, align: int = 0,
        seed: int | None = None, contiguous: bool = False,
    ) -> None:  # fmt: skip
        self.data, self.spec, self.seed, self.contiguous = data, spec, seed, contiguous
        self._lengths = np.diff(data.offsets)
        self._used = np.flatnonzero(self._lengths)
        align = 1 if contiguous else align  # a gap would be read as part of the text
        self.align = min(align, seq_length) if align else self._choose_align(seq_length)
        self._blocks = -(-self._lengths // self.align)
        self._batch_size, self._max_blocks = batch_size, max(1, seq_length // self.align)
        self._layout = lru_cache(2)(self._contiguous_layout if seed is not None or contiguous else self._packed_layout)
        first = self._layout(0)
        self.rows = first.rows
        self.batches_per_epoch = -(-first.blocks // self._max_blocks)

    def epoch_batches(self, epoch: int, first: int = 0, rows: range | None = None) -> Iterator[Batch]:
        """Yield the batches of an epoch in order, from number `first` on, or only `rows` of them."""
        for number in range(first, self.batches_per_epoch):
            yield self.batch_at(epoch, number, rows)

    def batch_at(self, epoch: int, number: int, rows: range | None = None) -> Batch:
        """Return a batch, or only `rows` of it. Lengths within an epoch differ by one block at most."""
        import torch

        from composer.api.network import Batch

        layout = self._layout(epoch)
        begin, end = (layout.blocks * edge // self.batches_per_epoch for edge in (number, number + 1))
        rows = range(layout.rows) if rows is None else rows
        blocks = np.arange(rows.start, rows.stop)[:, None] * layout.blocks + np.arange(begin, end)
        position = np.searchsorted(layout.starts, blocks, "right") - 1
        piece = layout.order[position]
        first_steps = (blocks - layout.starts[position]) * self.align
        step = self._per_step(first_steps) + np.tile(np.arange(self.align), blocks.shape[1])
        counted = step < self._per_step(self._lengths[piece])
        index = np.where(counted, step + self._per_step(self.data.offsets[piece]), 0)
        targets = self._values(index, ~counted)
        inputs = self._values(np.maximum(index - 1, 0), ~counted | (step == 0))
        conditions = {
            name: torch.from_numpy(self._per_step(self.data.conditions[piece, column]).astype(np.int64))
            for column, name in enumerate(self.spec.conditions)
        }
        return Batch(
            torch.from_numpy(inputs),
            torch.from_numpy(targets),
            torch.from_numpy(counted.astype(np.float32)),
            torch.from_numpy(counted & (step == 0) & (not self.contiguous)),
            conditions,
            torch.from_numpy(self._features(index, ~counted)) if self.data.features is not None else None,
        )

    def _values(self, index: NDArray[np.int64], blank: NDArray[np.bool_]) -> NDArray[Any]:
        """Return tokens (B, T) or frames (B, T, V) at `index`; the end token or an empty frame where `blank`."""
        if self.spec.kind is StepKind.TOKENS:
            tokens = self.data.steps[index].astype(np.int64)
            tokens[blank] = self.spec.end or 0
            return tokens
        frames = np.unpackbits(self.data.steps[index], axis=-1, count=self.spec.size).astype(np.float32)
        frames[blank] = 0
        return frames

    def _features(self, index: NDArray[np.int64], blank: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the position features (B, T, F) at `index`; 0 where `blank`."""
        assert self.data.features is not None
        features = self.data.features[index].astype(np.int64)
        features[blank] = 0
        return features

    def _per_step(self, by_block: NDArray[Any]) -> NDArray[Any]:
        """Repeat values of blocks (B, blocks) for each of their steps (B, T)."""
        return np.repeat(by_block, self.align, axis=1)

    def _contiguous_layout(self, epoch: int) -> _Layout:
        order = self._order(epoch)
        ends = np.cumsum(self._blocks[order])
        total = int(ends[-1]) if len(ends) else 0
        # for small data, fewer rows rather than few or short batches
        rows = max(1, min(self._batch_size, total // (self._max_blocks * MIN_BATCHES)))
        return _Layout(order, ends - self._blocks[order], rows, -(-total // rows))

    def _order(self, epoch: int) -> NDArray[np.int64]:
        if self.seed is None:
            return self._used
        random = np.random.default_rng((self.seed, epoch))
        if self.contiguous:
            return np.roll(self._used, -int(random.integers(max(1, len(self._used)))))
        return self._used[random.permutation(len(self._used))]

    def _packed_layout(self, epoch: int) -> _Layout:
        """Put the longest piece first, each into the shortest row so far (Graham's rule)."""
        order = self._used[np.argsort(-self._blocks[self._used], kind="stable")]
        if not len(order):
            return _Layout(order, order, 1, 0)
        rows = min(self._batch_size, int(np.ceil(self._blocks[order].sum() / self._blocks[order[0]])))
        loads = [(0, row) for row in range(rows)]
        heapify(loads)
        row_of, load_of = array("q"), array("q")  # two numbers for each piece, not two objects
        for blocks in map(int, self._blocks[order]):
            load, row = loads[0]
            row_of.append(row)
            load_of.append(load)
            heapreplace(loads, (load + blocks, row))
        longest = max(load for load, _ in loads)
        starts = np.frombuffer(row_of, np.int64) * longest + np.frombuffer(load_of, np.int64)
        by_start = np.argsort(starts)
        return _Layout(order[by_start], starts[by_start], rows, longest)

    def _choose_align(self, seq_length: int) -> int:
        """Return the largest power of two up to 16 that wastes little: half a block per piece on average."""
        mean = float(self._lengths[self._used].mean()) if len(self._used) else 1.0
        align = 1
        while 2 * align <= min(16, seq_length) and align <= mean * MAX_PADDING:
            align *= 2
        return align


def to_device(batch: Batch, device: str) -> Batch:
    """Return `batch` on `device`."""
    if device == "cpu":
        return batch

    def move(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.pin_memory().to(device, non_blocking=True) if device.startswith("cuda") else tensor.to(device)

    return batch.map(move)
