"""Settings that suit the size of the training data.

They lie between settings that were found by validation: of frames on the JSB Chorales (14 thousand) and Nottingham (176
thousand), of tokens on Erk's songs (110 thousand), Nottingham in ABC (250 thousand), Irish and Scottish tunes (825
thousand) and poems (2 million). Less data gets more dropout, a smaller network and smaller batches, so that there are
enough updates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from composer.api import DataSize, StepKind

Curve = Sequence[tuple[float, float]]

TOKEN_DROPOUT: Curve = ((110_000, 0.5), (250_000, 0.35), (800_000, 0.25), (5_000_000, 0.2), (50_000_000, 0.1))
TOKEN_INPUT_DROPOUT: Curve = ((110_000, 0.2), (250_000, 0.1), (800_000, 0.05))
FRAME_DROPOUT: Curve = ((14_000, 0.5), (180_000, 0.4), (1_000_000, 0.25), (10_000_000, 0.15))
"""Dropout rates by the number of steps."""

TOKEN_CELLS = ((5_000, 128), (30_000, 192), (100_000, 256), (1_500_000, 320), (10_000_000, 448), (math.inf, 512))
FRAME_CELLS = ((2_000, 128), (5_000, 192), (10_000, 256), (1_000_000, 320), (10_000_000, 448), (math.inf, 512))
"""Cells by the number of steps that they are enough for."""

CELLS_PER_HEAD = 64
UPDATES, FEW_UPDATES, FEW_STEPS = 1_600, 1_000, 10_000
"""Updates in all, and those for data of fewer than FEW_STEPS steps."""
LONG_SEQUENCES = 330_000
"""Steps from which on sequences of 256 leave enough batches per epoch."""
BATCHES = 40
MIN_BATCHES = 8
"""Batches of an epoch at least: of little data, training puts fewer sequences into each."""
EPOCHS, LARGE = 11, 2_000_000
"""Epochs at least, up to LARGE steps. Of more data, fewer epochs are enough."""
UNVALIDATED_EPOCHS = 40
"""Epochs at most without validation, which would stop a training that only memorizes."""


def suggested_settings(kind: StepKind, size: DataSize) -> Mapping[str, Any]:
    """Return the settings of the model and of training for data of this kind and size."""
    frames, steps = kind is StepKind.FRAMES, size.steps
    hidden = next(cells for most, cells in (FRAME_CELLS if frames else TOKEN_CELLS) if steps < most)
    mean_length = steps / max(1, size.pieces)
    seq_length = _frame_seq_length(steps, mean_length) if frames else _token_seq_length(steps)
    batch_size = _batch_size(steps, seq_length)
    found = {
        "layers": 1,
        "hidden": hidden,
        "heads": hidden // CELLS_PER_HEAD,
        "window": min(seq_length, max(64, 32 * math.ceil(mean_length / 16))),  # two pieces of mean length
        "batch_size": batch_size,
        "seq_length": seq_length,
        "ema": 0.998,
        "epochs": _epochs(size, batch_size * seq_length),
    }
    if frames:
        dropout = _at(FRAME_DROPOUT, steps)
        lr = 0.004 if steps < 100_000 else 0.003
        output = {
            "output": "nade",
            "nade_units": 160 if steps < 50_000 else 128,
            "embedding": 128,
            "max_grad_norm": 5.0,
        }
        return found | output | {"dropout": (dropout,), "input_dropout": 0.1, "lr": lr}
    rates = {"dropout": (_at(TOKEN_DROPOUT, steps),), "input_dropout": _at(TOKEN_INPUT_DROPOUT, steps)}
    return found | rates | {"lr": 0.004 if steps < 150_000 else 0.005}


def _frame_seq_length(steps: int, mean_length: float) -> int:
    if steps >= LONG_SEQUENCES and mean_length >= 200:
        return 256
    return 96 if mean_length < 100 else 128


def _token_seq_length(steps: int) -> int:
    if steps < 60_000:
        return 64 if steps < 5_000 else 128
    return 256 if LONG_SEQUENCES <= steps < 1_500_000 else 192


def _batch_size(steps: int, seq_length: int) -> int:
    """Return the sequences per batch: few enough for BATCHES per epoch, if that leaves 16."""
    if steps < FEW_STEPS:
        return 8
    if steps >= 10_000_000:
        return 64
    return 32 if steps >= 32 * seq_length * BATCHES else 16


def _epochs(size: DataSize, steps_per_update: int) -> int:
    """Return enough epochs for the updates, at least EPOCHS of data that is not large."""
    per_epoch = max(MIN_BATCHES, size.steps_with_variants / steps_per_update)
    updates = FEW_UPDATES if size.steps < FEW_STEPS else UPDATES
    least = round(EPOCHS * min(1.0, math.sqrt(LARGE / max(1, size.steps_with_variants))))
    epochs = max(1, least, math.ceil(updates / per_epoch))
    return epochs if size.held_out else min(epochs, UNVALIDATED_EPOCHS)


def _at(curve: Curve, steps: float) -> float:
    """Return the value of a curve at a number of steps, linear in its logarithm and constant beyond its ends."""
    before = curve[0]
    for point in curve:
        if steps <= point[0]:
            share = 1.0 if point is before else math.log(steps / before[0]) / math.log(point[0] / before[0])
            return round(before[1] + share * (point[1] - before[1]), 2)
        before = point
    return curve[-1][1]
