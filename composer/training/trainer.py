"""Trainer: a network, its optimizer and its progress.

The data, learning rate and random numbers of an update depend on its number alone, so that `resume` can save everything
needed to continue exactly.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import composer
from composer.checkpoints.default_temperature import ENTRY
from composer.checkpoints.file import Checkpoint, Header
from composer.checkpoints.network import check_file_size, load_weights, make_network
from composer.data.batches import to_device
from composer.data.sources import public_name
from composer.system import threads
from composer.system.out_of_memory import DoesNotFit, OOMGuard, OutOfMemory, release_cached_memory
from composer.training.batch_rows import BatchAxes
from composer.training.ema import EMA
from composer.training.gradient_accumulation import StepResult, compute_gradient, micro_batches
from composer.training.optimizer import autocast, choose_precision, clip_gradients, make_optimizer
from composer.training.progress import Progress
from composer.training.run import TrainingRun

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from composer.api.network import Batch, Network, Phase
    from composer.data.batches import BPTTBatches

MAX_FP16 = 65504.0
SEED_STRIDE = 0x9E3779B97F4A7C15
"""Distance between the seeds of two ranks."""


@dataclass(slots=True, eq=False)
class Trainer:
    """A network in training.

    `state` is the state of this rank's rows that is carried from one batch to the next, None at the start of an epoch.
    `ema`, if there is one, is validated and saved instead of the weights. `training_id` distinguishes this training
    from others of the same name; `has_saved_model` says whether it has saved a model yet, `has_lost_model` whether the
    best one is missing or damaged, so that the current one is to be saved.
    """

    run: TrainingRun
    network: Network
    optimizer: torch.optim.Optimizer
    precision: str
    progress: Progress = field(default_factory=Progress)
    state: Any = None
    ema: EMA | None = None
    origin: Any = None
    training_id: str = field(default_factory=lambda: secrets.token_hex(8))
    has_saved_model: bool = False
    has_lost_model: bool = False
    threads: int | None = None
    """Threads of torch on a CPU; None leaves torch's own number. Results of other numbers differ by rounding."""
    saved_extra: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """The extra arrays in the state of a fine-tuning that is resumed, which does not have its origin at hand."""
    _axes: BatchAxes | None = None
    _by_gradient: bool = True

    @classmethod
    def start(cls, run: TrainingRun) -> Trainer:
        """Return a trainer of a new network, or of the checkpoint to fine-tune; the weights are equal on all ranks.

        Raises CheckpointError for a model that is too large for its file.
        """
        import torch

        check_file_size(run.model, run.data.spec, run.config)

        torch.manual_seed(run.settings.seed)
        network = _new_network(run).to(run.device)
        network.checkpoint_chunks = run.settings.checkpoint_chunks
        run.group.broadcast_(network.state_dict().values())  # different processors draw different numbers
        optimizer = make_optimizer(run.settings, network.parameters(), run.device)
        trainer = cls(run, network, optimizer, choose_precision(run.settings.precision, run.device))
        if run.device == "cpu":
            trainer.threads = threads.training_threads(trainer.parameters, run.group.process.local_world_size)
        if run.origin is not None:
            facts = {key: run.origin.header.record.get(key) for key in ("data", "update")}
            trainer.origin = facts | {"digest": run.origin.digest}
        return trainer

    @property
    def extra_arrays(self) -> Mapping[str, NDArray[Any]]:
        """The melodies and the baseline of the training data, and of what the model was trained on before."""
        return self.saved_extra or self.run.extra_arrays

    @property
    def parameters(self) -> int:
        """The number of parameters of the network."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    def start_phase(self, phase: Phase) -> None:
        """Switch to `phase`, with a new optimizer and average unless the phase is being resumed."""
        self.network.start_phase(phase)
        self.network.train()
        self._by_gradient = phase.gradient
        self._axes = None
        if self.progress.phase_updates == 0:
            self.optimizer = make_optimizer(self.run.settings, self.network.parameters(), self.run.device)
        decay = self.run.settings.ema
        if decay and (self.ema is None or self.progress.phase_updates == 0):
            self.ema = EMA(self.network, decay)

    @property
    def phases(self) -> Sequence[Phase]:
        """The phases of this training. Fine-tuning has only the last one."""
        phases = self.network.phases()
        return phases if self.origin is None else phases[-1:]

    @property
    def axes(self) -> BatchAxes:
        """The axes of the state's rows in this phase."""
        if self._axes is None:
            batch = to_device(self.run.train_batches.batch_at(0, 0, range(1)), self.run.device)
            self._axes = BatchAxes(self.network, batch)
        return self._axes

    def try_state(self) -> None:
        """Take one step from `state`, as a test. Raises ValueError or what the network raises if it does not fit."""
        import torch

        rows = self.run.group.local_rows(self.run.train_batches.rows)
        if self.state is None or not self._by_gradient:  # without a gradient, a step may change the network
            return
        if not self.axes.fit(self.state, len(rows)):
            raise ValueError("the state has another number of rows")
        batch = to_device(self.run.train_batches.batch_at(0, 0, rows), self.run.device).slice_time(0, 1)
        self.network.eval()  # so that running statistics stay
        with torch.no_grad(), torch.random.fork_rng(), autocast(self.precision, self.run.device):
            self.network.loss(batch, self.state)
        self.network.train()

    def train_step(self, batch: Batch, lr: float) -> StepResult:
        """Do one update; `batch` are this rank's rows.

        Its random numbers depend on seed, update and rank alone. Raises OutOfMemory on all ranks alike; nothing has
        changed then, and the update can be repeated after `halve_micro_batch`.
        """
        import torch

        run, progress = self.run, self.progress
        rank_seed = run.settings.seed * 1_000_003 + progress.update + 1 + run.group.process.rank * SEED_STRIDE
        torch.manual_seed(rank_seed % 2**63)
        result = self._descend(batch, lr) if self._by_gradient else self._update_directly(batch)
        self.state = result.state
        progress.phase_updates += 1
        progress.update += 1
        if self.ema is not None:
            self.ema.update(progress.phase_updates)
        return result

    def _descend(self, batch: Batch, lr: float) -> StepResult:
        """Change the weights along the gradient of the loss."""
        run, max_rows = self.run, self.progress.max_rows
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        result = compute_gradient(
            self.network, batch, self.state,
            group=run.group, device=run.device, precision=self.precision, max_rows=max_rows,
            axes=self.axes if max_rows else None,
        )  # fmt: skip
        clip_gradients(run.settings, list(self.network.parameters()))
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return result

    def _update_directly(self, batch: Batch) -> StepResult:
        """Let the network change itself while it computes its loss."""
        import torch

        with torch.no_grad():
            found, state = self.network.loss(to_device(batch, self.run.device), self.state)
        return StepResult(found.monitor, float(batch.weight.sum()), state)

    def using_ema(self) -> contextlib.AbstractContextManager[None]:
        """Use the average, if there is one, as the network's weights within the context."""
        return self.ema.applied() if self.ema is not None else contextlib.nullcontext()

    def validate(self) -> float:
        """Return the nats per step on the validation data, in fp32, over all ranks. Raises OutOfMemory on all alike."""
        from composer.api.network import Measurement

        total, guard, group, batches = Measurement(), OOMGuard(), self.run.group, self.run.valid_batches
        rows = group.local_rows(batches.rows)
        self.network.eval()
        with self.using_ema(), guard.guarding():
            for part in micro_batches(len(rows), self.progress.max_rows):
                state = None
                for batch in batches.epoch_batches(0, rows=rows[part.start : part.stop]):
                    measure, state = self.network.evaluate(to_device(batch, self.run.device), state)
                    total += measure
        self.network.train()
        ranks = group.all_gather_floats([float(guard.triggered), total.total, total.count])
        if any(out_of_memory for out_of_memory, *_ in ranks):
            state = None
            release_cached_memory(self.run.device)
            raise OutOfMemory
        return Measurement(sum(nats for _, nats, _ in ranks), sum(count for *_, count in ranks)).mean

    def halve_micro_batch(self, batches: BPTTBatches) -> None:
        """Halve the rows of `batches` that go through the network at a time. Raises DoesNotFit at one row."""
        rows = self.run.group.max_local_rows(batches.rows)
        rows = min(rows, self.progress.max_rows) if self.progress.max_rows else rows
        if rows == 1:
            raise DoesNotFit(f"not enough memory to train on one sequence of {self.run.settings.seq_length} steps")
        self.progress.max_rows = rows // 2

    def checkpoint(self, **record: Any) -> Checkpoint:
        """Return a checkpoint of the network, its weights rounded to fp16."""
        import torch

        weights = {}
        with self.using_ema():
            for name, tensor in self.network.state_dict().items():
                value = tensor.detach().cpu()
                if value.is_floating_point() and not float(value.abs().amax() if value.numel() else 0) > MAX_FP16:
                    value = value.to(torch.float16)
                weights[name] = value.numpy().copy()
        return Checkpoint(self.header(**record), weights, extra=self.extra_arrays)

    def header(self, **record: Any) -> Header:
        """Return the header of a checkpoint, with these entries added to its training record."""
        run = self.run
        return Header(
            representation=run.representation.name,
            representation_version=run.representation.version,
            options=asdict(run.representation.options),
            state=run.representation.state(),
            model=run.model.name,
            model_version=run.model.version,
            config=asdict(run.config),
            spec=run.data.spec,
            record={**self.record(), **record},
            program=composer.__version__,
        )

    def record(self) -> dict[str, Any]:
        """Return the training record: data, settings and progress."""
        run, progress, report = self.run, self.progress, self.run.data.report
        return {
            "kind": "model",
            "finished": False,
            "data": [public_name(name) for name in run.data.arguments],
            "digest": run.data.digest,
            "split": run.data.split.describe(),
            "augmented": run.data.augment,
            "pieces": dict(report.pieces),
            "counted": {name: split.count for name, split in run.data.splits.items()},
            "usual_length": run.usual_length,
            "refused": dict(report.rejected),
            "unreadable": len(report.unreadable),
            "duplicates": report.duplicates,
            "moved": report.moved,
            "copies": report.copies,
            "losses": dict(report.losses),
            "training": self.training_id,
            "phase": progress.phase,
            "update": progress.update,
            "best": progress.best,
            "best_update": progress.best_update,
            "reported": progress.reported,
            "unit": run.unit,
            "history": progress.history,
            "seconds": round(progress.seconds, 1),
            "settings": asdict(run.settings),
            "device": run.device,
            "processes": run.group.process.world_size,
            "precision": self.precision,
            "threads": self.threads,
            "from": self.origin,
            ENTRY: run.default_temp,
        }


def _new_network(run: TrainingRun) -> Network:
    """Return a network with new weights, or with those of the checkpoint to fine-tune. Raises CheckpointError."""
    if run.origin is None:
        return run.model.network(run.data.spec, run.config)
    weights, name = run.origin.weights, "the checkpoint to start from"
    network = make_network(run.model, run.data.spec, run.config, weights, name)
    load_weights(network, weights, name)
    return network
