"""What learns: a network, its optimiser and how far they have come.

As the data of a step, its learning rate and its random numbers depend on the step's number alone, `resuming` can keep
all that is needed to go on exactly.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import composer
from composer.api import CheckpointError
from composer.checkpoints.file import Checkpoint, Header
from composer.data.sources import public_name
from composer.system.out_of_memory import DoesNotFit, OOMGuard, OutOfMemory, release_cached_memory
from composer.training import gradient_step, microbatch
from composer.training import optimizer as optimizers
from composer.training.ema import EMA
from composer.training.gradient_step import StepResult

if TYPE_CHECKING:
    import torch

    from composer.api.network import Batch, Network, Phase
    from composer.data.batches import Windows
    from composer.training.loop import TrainingRun

MAX_FP16 = 65504.0
SEED_STRIDE = 0x9E3779B97F4A7C15
"""How far apart the seeds of two ranks are."""


@dataclass(slots=True)
class Progress:
    """How far training has come: `phase_updates` steps of phase number `phase`, `update` of the run.

    `best` is the best validation value (nats a step) and `validations_since_best` the number of validations since;
    `seconds` of training so far. At most `max_rows` go through the network at a time, for want of memory; 0 is no
    limit.
    """

    phase: int = 0
    phase_updates: int = 0
    update: int = 0
    best: float | None = None
    best_update: int = 0
    reported: float | None = None
    validations_since_best: int = 0
    seconds: float = 0.0
    max_rows: int = 0


@dataclass(slots=True, eq=False)
class Trainer:
    """A network in training.

    `state` is the state of this rank's rows that is carried from one window to the next, None at an epoch's start.
    `ema`, where there is one, is what is measured and kept in place of the weights as they are. `training_id` tells
    this training from others of the same name; `has_saved_model` says whether it has left a model yet.
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
    _axes: microbatch.BatchAxes | None = None

    @classmethod
    def start(cls, run: TrainingRun) -> Trainer:
        """A new network, or one with the weights of the checkpoint to start from; the same on all ranks."""
        import torch

        torch.manual_seed(run.settings.seed)
        network = run.model.network(run.data.spec, run.config).to(run.device)
        network.checkpoint_chunks = run.settings.checkpoint_chunks
        if run.origin is not None:
            load_weights(network, run.origin.weights, "the checkpoint to start from")
        run.group.broadcast_(network.state_dict().values())  # processors of different makes draw different numbers
        optimiser = optimizers.make_optimizer(run.settings, network.parameters(), run.device)
        learner = cls(run, network, optimiser, optimizers.choose_precision(run.settings.precision, run.device))
        if run.origin is not None:
            came_from = {key: run.origin.header.record.get(key) for key in ("data", "update")}
            learner.origin = came_from | {"digest": run.origin.digest}
        return learner

    def start_phase(self, phase: Phase) -> None:
        """Turn to `phase`, with an optimiser that remembers nothing where the phase is just beginning."""
        self.network.start_phase(phase)
        self.network.train()
        self._axes = None
        if self.progress.phase_updates == 0:
            self.optimizer = optimizers.make_optimizer(self.run.settings, self.network.parameters(), self.run.device)
        share = self.run.settings.ema
        if share and (self.ema is None or self.progress.phase_updates == 0):
            self.ema = EMA(self.network, share)

    @property
    def phases(self) -> Sequence[Phase]:
        """The parts of this training. One that starts from a model is past what makes a beginning: the last alone."""
        every = self.network.phases()
        return every if self.origin is None else every[-1:]

    @property
    def axes(self) -> microbatch.BatchAxes:
        """Where the rows of the stream are, in this phase."""
        if self._axes is None:
            batch = to_device(self.run.train_batches.window(0, 0, range(1)), self.run.device)
            self._axes = microbatch.BatchAxes(self.network, batch)
        return self._axes

    def train_step(self, batch: Batch, lr: float) -> StepResult:
        """One step of descent, of which `batch` are this rank's rows.

        Its random numbers depend on seed, step and rank alone. Raises OutOfMemory, on all ranks alike; nothing has then
        changed, and `halve_micro_batch` lets it be tried again.
        """
        import torch

        seed, rank = self.run.settings.seed, self.run.group.process.rank
        torch.manual_seed((seed * 1_000_003 + self.progress.update + 1 + rank * SEED_STRIDE) % 2**63)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        step = gradient_step.compute_gradient(self, batch)
        optimizers.clip_gradients(self.run.settings, list(self.network.parameters()))
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.state = step.state
        self.progress.phase_updates += 1
        self.progress.update += 1
        if self.ema is not None:
            self.ema.update(self.progress.phase_updates)
        return step

    def using_ema(self) -> contextlib.AbstractContextManager[None]:
        """For as long as this lasts, the network is what is measured and kept: the average, where there is one."""
        return self.ema.applied() if self.ema is not None else contextlib.nullcontext()

    def validate(self) -> float:
        """Nats a step on the validation part, in full precision, over all ranks. Raises OutOfMemory, on all alike."""
        from composer.api.network import Measurement

        total, watch, group, windows = Measurement(), OOMGuard(), self.run.group, self.run.valid_batches
        own = group.local_rows(windows.rows)
        self.network.eval()
        with self.using_ema(), watch.guarding():
            for part in gradient_step.micro_batches(len(own), self.progress.max_rows):
                stream = None
                for batch in windows.windows(0, rows=own[part.start : part.stop]):
                    measure, stream = self.network.evaluate(to_device(batch, self.run.device), stream)
                    total += measure
        self.network.train()
        told = group.all_gather_floats([float(watch.triggered), total.total, total.count])
        if any(short for short, *_ in told):
            stream = None
            release_cached_memory(self.run.device)
            raise OutOfMemory
        return Measurement(sum(each for _, each, _ in told), sum(count for *_, count in told)).mean

    def halve_micro_batch(self, windows: Windows) -> None:
        """Let half as many rows of `windows` go through the network at a time. Raises DoesNotFit at one."""
        most = self.run.group.max_local_rows(windows.rows)
        most = min(most, self.progress.max_rows) if self.progress.max_rows else most
        if most == 1:
            raise DoesNotFit(f"there is not enough memory to train on one row of {self.run.settings.seq_length} steps")
        self.progress.max_rows = most // 2

    def checkpoint(self, **record: Any) -> Checkpoint:
        """What is kept of the network, its weights rounded to fp16 as they are stored and played."""
        import torch

        weights = {}
        with self.using_ema():
            for name, tensor in self.network.state_dict().items():
                value = tensor.detach().cpu()
                if value.is_floating_point() and not float(value.abs().amax() if value.numel() else 0) > MAX_FP16:
                    value = value.to(torch.float16)
                weights[name] = value.numpy().copy()
        return Checkpoint(self.header(**record), weights, extra=self.run.extra_arrays)

    def header(self, **record: Any) -> Header:
        """All of a checkpoint but its weights."""
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
        """How the network came to be what it is."""
        run, at, report = self.run, self.progress, self.run.data.report
        return {
            "kind": "model",
            "finished": False,
            "data": [public_name(name) for name in run.data.arguments],
            "digest": run.data.digest,
            "split": run.data.split.describe(),
            "augmented": run.data.augment,
            "pieces": dict(report.pieces),
            "counted": {part: each.count for part, each in run.data.splits.items()},
            "usual_length": run.usual_length,
            "refused": dict(report.rejected),
            "unreadable": len(report.unreadable),
            "duplicates": report.duplicates,
            "losses": dict(report.losses),
            "training": self.training_id,
            "phase": at.phase,
            "update": at.update,
            "best": at.best,
            "best_update": at.best_update,
            "reported": at.reported,
            "unit": run.unit,
            "seconds": round(at.seconds, 1),
            "settings": asdict(run.settings),
            "device": run.device,
            "processes": run.group.process.world_size,
            "precision": self.precision,
            "from": self.origin,
        }


def to_device(batch: Batch, device: str) -> Batch:
    """`batch` on `device`."""
    if device == "cpu":
        return batch
    from composer.api.network import Batch

    def move(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.pin_memory().to(device, non_blocking=True) if device.startswith("cuda") else tensor.to(device)

    conditions = {name: move(value) for name, value in batch.conditions.items()}
    return Batch(move(batch.inputs), move(batch.targets), move(batch.weight), move(batch.reset), conditions)


def load_weights(network: Network, weights: Mapping[str, Any], where: str) -> None:
    """Give `network` its weights. Raises CheckpointError, naming `where` they come from, where they do not fit."""
    import torch

    given = {name: torch.from_numpy(array.copy()) for name, array in weights.items()}
    unfit = CheckpointError(f"the weights in {where} do not fit the model", "was it made with other settings?")
    try:
        network.load_state_dict(given)
    except RuntimeError as error:
        raise unfit from error
    own = network.state_dict()
    if not all(torch.equal(own[name].cpu(), each.to(own[name].dtype)) for name, each in given.items()):
        raise unfit  # one table of two names, as with tied weights, and two tables for it
