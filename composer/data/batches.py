"""Windows over an encoded part: the stream of batches that training goes through, and the one it is measured by.

Pieces stand one after the other in rows that are gone through side by side, a window at a time, so that a network
carries its state on. Each piece begins at a multiple of `align`, the gap before it having weight 0: pieces then begin
at few places of a window, and a network that must stop wherever one begins does so less often.

Any window can be had by its number, which is all that resuming takes, and only one is in memory at a time.
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
"""The share of a stream that alignment may waste."""

LEAST_WINDOWS = 8
"""An epoch has at least so many windows, if need be of fewer rows than were asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Where pieces stand: in `rows` rows of `blocks` blocks each, piece `order[i]` from block `starts[i]` on.

    Blocks are `align` steps long and numbered through all rows; `starts` ascend.
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    rows: int
    blocks: int


class Windows:
    """The windows of at most `length` steps over all of `part`, epoch by epoch.

    With a `seed`, pieces are shuffled anew in each epoch and all rows are equally long: a piece may go on in the next
    row, at whose beginning nothing is remembered. Without one, every row holds whole pieces and every epoch is the
    same, so that what is measured does not depend on `batch`.

    As a `stream`, the pieces are one long text in their own order, cut into rows of one length. Nothing is forgotten
    where a piece begins, but all is where a row does: what is measured depends on `batch`, and is of the whole text as
    one where that is 1. With a `seed`, each epoch begins at another piece.
    """

    def __init__(
        self,
        part: EncodedSplit,
        spec: SequenceSpec,
        *,
        batch: int,
        length: int,
        align: int = 0,
        seed: int | None = None,
        stream: bool = False,
    ) -> None:
        self.part, self.spec, self.seed, self.stream = part, spec, seed, stream
        self._lengths = np.diff(part.offsets)
        self._used = np.flatnonzero(self._lengths)
        align = 1 if stream else align  # a gap would be gone through as if it were part of the text
        self.align = min(align, length) if align else self._fitting(length)
        self._blocks = -(-self._lengths // self.align)
        self._batch, self._most = batch, max(1, length // self.align)
        self._layout = lru_cache(2)(self._cut if seed is not None or stream else self._whole)
        first = self._layout(0)
        self.rows = first.rows
        self.per_epoch = -(-first.blocks // self._most)

    def windows(self, epoch: int, first: int = 0, rows: range | None = None) -> Iterator[Batch]:
        """The windows of an epoch, in order, from number `first` on; of them `rows`, else all."""
        for window in range(first, self.per_epoch):
            yield self.window(epoch, window, rows)

    def window(self, epoch: int, number: int, rows: range | None = None) -> Batch:
        """One window, or `rows` of it; those of an epoch differ in length by one block at most."""
        import torch

        from composer.api.network import Batch

        layout = self._layout(epoch)
        begin, end = (layout.blocks * edge // self.per_epoch for edge in (number, number + 1))
        wanted = range(layout.rows) if rows is None else rows
        blocks = np.arange(wanted.start, wanted.stop)[:, None] * layout.blocks + np.arange(begin, end)
        at = np.searchsorted(layout.starts, blocks, "right") - 1
        piece = layout.order[at]
        within = self._steps_of(((blocks - layout.starts[at]) * self.align)[..., None] + np.arange(self.align))
        counted = within < self._each(self._lengths[piece])
        index = np.where(counted, within + self._each(self.part.offsets[piece]), 0)
        targets = self._values(index, ~counted)
        inputs = self._values(np.maximum(index - 1, 0), ~counted | (within == 0))
        conditions = {
            name: torch.from_numpy(self._each(self.part.conditions[piece, column]).astype(np.int64))
            for column, name in enumerate(self.spec.conditions)
        }
        return Batch(
            torch.from_numpy(inputs),
            torch.from_numpy(targets),
            torch.from_numpy(counted.astype(np.float32)),
            torch.from_numpy(counted & (within == 0) & (not self.stream)),
            conditions,
        )

    def _values(self, index: NDArray[np.int64], blank: NDArray[np.bool_]) -> NDArray[Any]:
        """Tokens (B, T) or frames (B, T, V) at `index`; the end symbol or an empty frame where it is `blank`."""
        if self.spec.kind is StepKind.TOKENS:
            tokens = self.part.steps[index].astype(np.int64)
            tokens[blank] = self.spec.end or 0
            return tokens
        frames = np.unpackbits(self.part.steps[index], axis=-1, count=self.spec.size).astype(np.float32)
        frames[blank] = 0
        return frames

    def _each(self, by_block: NDArray[Any]) -> NDArray[Any]:
        """A value for each block (B, blocks) as one for each step (B, T)."""
        return np.repeat(by_block, self.align, axis=1)

    def _steps_of(self, by_block: NDArray[Any]) -> NDArray[Any]:
        rows, blocks, steps = by_block.shape
        return by_block.reshape(rows, blocks * steps)

    def _cut(self, epoch: int) -> _Layout:
        order = self._order(epoch)
        ends = np.cumsum(self._blocks[order])
        total = int(ends[-1]) if len(ends) else 0
        # where there is little to go through, fewer rows rather than few or short windows
        rows = max(1, min(self._batch, total // (self._most * LEAST_WINDOWS)))
        return _Layout(order, ends - self._blocks[order], rows, -(-total // rows))

    def _order(self, epoch: int) -> NDArray[np.int64]:
        if self.seed is None:
            return self._used
        random = np.random.default_rng((self.seed, epoch))
        if self.stream:
            return np.roll(self._used, -int(random.integers(max(1, len(self._used)))))
        return self._used[random.permutation(len(self._used))]

    def _whole(self, epoch: int) -> _Layout:
        """The longest piece first, each into the row with most room (Graham's rule)."""
        order = self._used[np.argsort(-self._blocks[self._used], kind="stable")]
        if not len(order):
            return _Layout(order, order, 1, 0)
        rows = min(self._batch, int(np.ceil(self._blocks[order].sum() / self._blocks[order[0]])))
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
        by_place = np.argsort(starts)
        return _Layout(order[by_place], starts[by_place], rows, longest)

    def _fitting(self, length: int) -> int:
        """The largest power of two up to 16 that wastes little: each piece's last block is half empty on average."""
        mean = float(self._lengths[self._used].mean()) if len(self._used) else 1.0
        align = 1
        while 2 * align <= min(16, length) and align <= mean * MAX_PADDING:
            align *= 2
        return align


def to_device(batch: Batch, device: str) -> Batch:
    """Return `batch` on `device`."""
    if device == "cpu":
        return batch
    from composer.api.network import Batch

    def move(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.pin_memory().to(device, non_blocking=True) if device.startswith("cuda") else tensor.to(device)

    conditions = {name: move(value) for name, value in batch.conditions.items()}
    return Batch(move(batch.inputs), move(batch.targets), move(batch.weight), move(batch.reset), conditions)
