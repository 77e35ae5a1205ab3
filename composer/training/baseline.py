"""Fit the baseline of a training run: a Markov chain that counts the same training data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from composer.api import Model, OptionError
from composer.checkpoints.baseline import Baseline, baseline_of, pack_baseline
from composer.data.batches import BPTTBatches
from composer.registry import options
from composer.registry import plugins as registry

if TYPE_CHECKING:
    from composer.api.network import Network
    from composer.checkpoints.file import Checkpoint
    from composer.data.dataset import Dataset

MODEL, SETTING, MAX_ORDER = "markov", "order", 4

MAX_BYTES = 1024 * 1024
"""Of a baseline in a checkpoint; a chain of lower order is smaller."""

MAX_STEPS = 8_000_000
"""Steps that are counted, about 20 seconds; of more data, evenly spaced windows."""

BATCH_SIZE, SEQ_LENGTH = 64, 256


def fit_baseline(data: Dataset, origin: Checkpoint | None = None, *, contiguous: bool = False) -> Baseline | None:
    """Return the baseline of the highest order up to 4 whose counts are small enough; None without `markov`.

    It continues that of `origin`, the checkpoint to fine-tune. `contiguous` data is one sequence.
    """
    try:
        model = registry.model(MODEL)
    except registry.UnknownName:
        return None
    for order in range(MAX_ORDER, -1, -1):
        try:
            fitted = _count(model, order, data, origin, contiguous)
        except OptionError:  # the vocabulary is too large for this order
            continue
        if pack_baseline(fitted)["baseline"].nbytes <= MAX_BYTES:
            return fitted
    return None


def _count(model: Model, order: int, data: Dataset, origin: Checkpoint | None, contiguous: bool) -> Baseline:
    """Return the chain of this order. Raises OptionError if it is too high."""
    import torch

    config = options.restore(model.Config, {SETTING: order}, f"model `{model.name}`")
    network, train = model.network(data.spec, config), data.splits["train"]
    _continue(network, origin, model, order)
    windows = BPTTBatches(train, data.spec, batch_size=BATCH_SIZE, seq_length=SEQ_LENGTH, contiguous=contiguous)
    stride, state = -(-train.count // MAX_STEPS) or 1, None
    network.train()
    with torch.no_grad():
        for number in range(0, windows.batches_per_epoch, stride):
            _, state = network.loss(windows.batch_at(0, number), state if stride == 1 else None)
    weights = {name: each.numpy().copy() for name, each in network.state_dict().items()}
    return Baseline(model.name, model.version, {SETTING: order}, weights)


def _continue(network: Network, origin: Checkpoint | None, model: Model, order: int) -> None:
    """Load the counts of the checkpoint to fine-tune, if it has the same kind of baseline."""
    import torch

    earlier = None if origin is None else baseline_of(origin)
    if earlier is not None and (earlier.model, earlier.version, dict(earlier.config)) == (
        model.name, model.version, {SETTING: order},
    ):  # fmt: skip
        network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in earlier.weights.items()})
