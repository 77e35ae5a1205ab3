"""Likelihood of held-out music under a model, in bits per token or nats per frame.

The state is reset for each piece, its end symbol counts as a step, and the steps of all pieces are pooled. As a stream,
pieces are one text instead, and the state is kept. For piano rolls without onsets this is the convention of
Boulanger-Lewandowski et al. 2012: nats per frame, summed over the pitches.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from composer.analysis.selection import select_pieces
from composer.api import ReadError, StepKind, UsageError
from composer.checkpoints.baseline import baseline_of
from composer.checkpoints.load import OpenCheckpoint
from composer.checkpoints.network import load_weights, make_network
from composer.checkpoints.training_melodies import training_melodies
from composer.data.batches import BPTTBatches, to_device
from composer.data.corpus import read
from composer.data.encoded_split import open_split, write_split
from composer.registry import options
from composer.registry import plugins as registry
from composer.system import malloc
from composer.system.device import move_network

if TYPE_CHECKING:
    from composer.api.network import Measurement, Network

BATCH_SIZE, SEQ_LENGTH = 32, 256


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`value` in `unit` with its standard error, which is 0 if the value is exact, over `pieces` of `steps` steps.

    `rejected` pieces are counted by reason, with a few `places` of each; `losses` counts, by phrase, what
    encoding loses, and `unreadable` has a line for each unreadable file. As a `stream`, the pieces are one text.
    `baseline` is the value of a simpler model of the same training data, called `baseline_name`; None if the checkpoint
    has none. `moved` and `copies` are those of the Selection, about which `notes` are for the user.
    """

    value: float
    stderr: float
    unit: str
    pieces: int
    steps: int
    rejected: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[str, Sequence[str]] = field(default_factory=dict)
    losses: Mapping[str, int] = field(default_factory=dict)
    unreadable: Sequence[str] = ()
    stream: bool = False
    baseline: float | None = None
    baseline_name: str = ""
    moved: int = 0
    copies: int = 0
    notes: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """Return this value as plain JSON."""
        return asdict(self)


def evaluate(
    checkpoint: OpenCheckpoint, arguments: Sequence[str], *, device: str = "cpu", listing: Path | None = None,
    split: str | None = None, effort: int | None = None, stream: bool = False,
    reading_progress: Callable[[int, int], object] | None = None,
    progress: Callable[[float, int], object] | None = None,
) -> Evaluation:  # fmt: skip
    """Measure the model on the pieces in the files `arguments`, selected as `select_pieces` does.

    `effort` is that of `Network.likelihood`, for estimates. `reading_progress` is called as in `corpus.read`,
    `progress` with the number of windows done, from 0 and in fractions, and the total. Raises UsageError if `effort` is
    given for an exact likelihood, ReadError if there is no piece to measure.
    """
    representation, spec = checkpoint.representation, checkpoint.checkpoint.header.spec
    corpus = read(representation, arguments, progress=reading_progress)
    header, extra = checkpoint.checkpoint.header, checkpoint.checkpoint.extra
    melodies = training_melodies(extra, "the checkpoint")
    selection = select_pieces(header, representation, melodies, corpus.pieces, listing, split)
    rejected = corpus.rejected
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "pieces"
        written = write_split(stem, representation, spec, selection.pieces, rejected.add)
        if not written["pieces"]:
            raise ReadError(
                f"no piece can be evaluated: {rejected.most_common()}",
                "use files like the training data, or choose another model with --checkpoint",
            )
        data, rows = open_split(stem, spec, written), 1 if stream else BATCH_SIZE
        windows = BPTTBatches(data, spec, batch_size=rows, seq_length=SEQ_LENGTH, contiguous=stream)
        total = _measure(checkpoint, windows, device, effort, progress)
        name, baseline = _measure_baseline(checkpoint, windows)
    unit, scale = ("bits", 1 / math.log(2)) if spec.kind is StepKind.TOKENS else ("nats", 1.0)
    return Evaluation(
        scale * total.mean, scale * total.stderr / total.count, f"{unit} per {representation.step_name}",
        written["pieces"], written["count"], rejected.counts, rejected.places, written["losses"], corpus.unreadable,
        stream, None if baseline is None else scale * baseline.mean, name, selection.moved, selection.copies,
        selection.notes(),
    )  # fmt: skip


def _measure(
    opened: OpenCheckpoint, windows: BPTTBatches, device: str, effort: int | None,
    measured: Callable[[float, int], object] | None,
) -> Measurement:  # fmt: skip
    """Return the pooled Measurement of all windows. Raises UsageError if `effort` is given for an exact likelihood."""
    import torch

    from composer.api.network import Network

    spec, weights = opened.checkpoint.header.spec, opened.checkpoint.weights
    network = make_network(opened.model, spec, opened.config, weights, "the checkpoint")
    if effort is not None and type(network).likelihood is Network.likelihood:
        raise UsageError(
            f"--effort is for estimated likelihoods, but {opened.model.name} computes them exactly",
            "remove --effort",
            flags=("--effort",),
        )
    load_weights(network, weights, "the checkpoint")
    move_network(network, device).eval()
    malloc.keep_freed_memory()
    torch.manual_seed(0)
    return _total(network, windows, device, effort or 1, measured or (lambda *_: None))


def _measure_baseline(opened: OpenCheckpoint, windows: BPTTBatches) -> tuple[str, Measurement | None]:
    """Return the name and the Measurement of the baseline of a checkpoint; None if it has none for this program."""
    baseline = baseline_of(opened.checkpoint)
    try:
        model = None if baseline is None else registry.model(baseline.model)
    except registry.UnknownName:
        model = None
    if baseline is None or model is None or baseline.version != model.version:
        return "", None
    config = options.restore(model.Config, baseline.config, f"model `{model.name}`")
    spec, name = opened.checkpoint.header.spec, "the checkpoint's baseline"
    network = make_network(model, spec, config, baseline.weights, name)
    load_weights(network, baseline.weights, name)
    return baseline.name, _total(network.eval(), windows, "cpu", 1, lambda *_: None)


def _total(
    network: Network, windows: BPTTBatches, device: str, effort: int, measured: Callable[[float, int], object]
) -> Measurement:
    """Return the pooled Measurement of all windows."""
    from composer.api.network import Measurement

    total, state, count = Measurement(), None, windows.batches_per_epoch
    measured(0, count)
    try:
        for done, batch in enumerate(windows.epoch_batches(0)):
            network.on_progress = partial(_report_share, measured, done, count)
            measure, state = network.likelihood(to_device(batch, device), state, effort)
            total += measure
            measured(done + 1, count)
    finally:
        network.on_progress = None
    return total


def _report_share(measured: Callable[[float, int], object], before: int, count: int, share: float) -> None:
    measured(before + share, count)
