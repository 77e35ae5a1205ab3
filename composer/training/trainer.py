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
from composer.system.out_of_memory import OutOfMemory, TooLarge, Watch, give_back
from composer.training import gradient_step, microbatch
from composer.training import optimizer as optimizers
from composer.training.ema import Average
from composer.training.gradient_step import Step

if TYPE_CHECKING:
    import torch

    from composer.api.network import Batch, Network, Phase
    from composer.data.batches import Windows
    from composer.training.loop import Run

LARGEST_HALF = 65504.0
RANKS_APART = 0x9E3779B97F4A7C15
"""How far apart the seeds of two ranks are."""


@dataclass(slots=True)
class Progress:
    """How far training has come: `done` steps of phase number `phase`, `step` of the run.

    `best` is the best validation value (nats a step) and `stale` the number of validations since; `seconds` of
    training so far. At most `rows` go through the network at a time, for want of memory; 0 is no limit.
    """

    phase: int = 0
    done: int = 0
    step: int = 0
    best: float | None = None
    best_step: int = 0
    reported: float | None = None
    stale: int = 0
    seconds: float = 0.0
    rows: int = 0


@dataclass(slots=True, eq=False)
class Learner:
    """A network in training.

    `stream` is the state of this rank's rows that is carried from one window to the next, None at an epoch's start.
    `average`, where there is one, is what is measured and kept in place of the weights as they are. `training` tells
    this training from others of the same name; `kept` says whether it has left a model yet.
    """

    run: Run
    network: Network
    optimiser: torch.optim.Optimizer
    precision: str
    at: Progress = field(default_factory=Progress)
    stream: Any = None
    average: Average | None = None
    came_from: Any = None
    training: str = field(default_factory=lambda: secrets.token_hex(8))
    kept: bool = False
    _axes: microbatch.Axes | None = None

    @classmethod
    def begin(cls, run: Run) -> Learner:
        """A new network, or one with the weights of the checkpoint to start from; the same on all ranks."""
        import torch

        torch.manual_seed(run.settings.seed)
        network = run.model.network(run.data.spec, run.config).to(run.device)
        network.checkpoint_chunks = run.settings.checkpoint_chunks
        if run.origin is not None:
            load_weights(network, run.origin.weights, "the checkpoint to start from")
        run.group.copy(network.state_dict().values())  # processors of different makes draw different numbers
        optimiser = optimizers.optimiser(run.settings, network.parameters(), run.device)
        learner = cls(run, network, optimiser, optimizers.precision(run.settings.precision, run.device))
        if run.origin is not None:
            came_from = {key: run.origin.header.record.get(key) for key in ("data", "step")}
            learner.came_from = came_from | {"digest": run.origin.digest}
        return learner

    def enter(self, phase: Phase) -> None:
        """Turn to `phase`, with an optimiser that remembers nothing where the phase is just beginning."""
        self.network.start_phase(phase)
        self.network.train()
        self._axes = None
        if self.at.done == 0:
            self.optimiser = optimizers.optimiser(self.run.settings, self.network.parameters(), self.run.device)
        share = self.run.settings.average
        if share and (self.average is None or self.at.done == 0):
            self.average = Average(self.network, share)

    @property
    def phases(self) -> Sequence[Phase]:
        """The parts of this training. One that starts from a model is past what makes a beginning: the last alone."""
        every = self.network.phases()
        return every if self.came_from is None else every[-1:]

    @property
    def axes(self) -> microbatch.Axes:
        """Where the rows of the stream are, in this phase."""
        if self._axes is None:
            batch = moved(self.run.windows.window(0, 0, range(1)), self.run.device)
            self._axes = microbatch.Axes(self.network, batch)
        return self._axes

    def learn(self, batch: Batch, lr: float) -> Step:
        """One step of descent, of which `batch` are this rank's rows.

        Its random numbers depend on seed, step and rank alone. Raises OutOfMemory, on all ranks alike; nothing has then
        changed, and `halve` lets it be tried again.
        """
        import torch

        seed, rank = self.run.settings.seed, self.run.group.ranks.rank
        torch.manual_seed((seed * 1_000_003 + self.at.step + 1 + rank * RANKS_APART) % 2**63)
        for group in self.optimiser.param_groups:
            group["lr"] = lr
        step = gradient_step.find(self, batch)
        optimizers.clip(self.run.settings, list(self.network.parameters()))
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.stream = step.stream
        self.at.done += 1
        self.at.step += 1
        if self.average is not None:
            self.average.add(self.at.done)
        return step

    def as_kept(self) -> contextlib.AbstractContextManager[None]:
        """For as long as this lasts, the network is what is measured and kept: the average, where there is one."""
        return self.average.in_place() if self.average is not None else contextlib.nullcontext()

    def measure(self) -> float:
        """Nats a step on the validation part, in full precision, over all ranks. Raises OutOfMemory, on all alike."""
        from composer.api.network import Measurement

        total, watch, group, windows = Measurement(), Watch(), self.run.group, self.run.validation
        own = group.rows(windows.rows)
        self.network.eval()
        with self.as_kept(), watch.watching():
            for part in gradient_step.stretches(len(own), self.at.rows):
                stream = None
                for batch in windows.windows(0, rows=own[part.start : part.stop]):
                    measure, stream = self.network.evaluate(moved(batch, self.run.device), stream)
                    total += measure
        self.network.train()
        told = group.floats([float(watch.short), total.total, total.count])
        if any(short for short, *_ in told):
            stream = None
            give_back(self.run.device)
            raise OutOfMemory
        return Measurement(sum(each for _, each, _ in told), sum(count for *_, count in told)).mean

    def halve(self, windows: Windows) -> None:
        """Let half as many rows of `windows` go through the network at a time. Raises TooLarge at one."""
        most = self.run.group.most(windows.rows)
        most = min(most, self.at.rows) if self.at.rows else most
        if most == 1:
            raise TooLarge(f"there is not enough memory to train on one row of {self.run.settings.length} steps")
        self.at.rows = most // 2

    def checkpoint(self, **record: Any) -> Checkpoint:
        """What is kept of the network, its weights rounded to fp16 as they are stored and played."""
        import torch

        weights = {}
        with self.as_kept():
            for name, tensor in self.network.state_dict().items():
                value = tensor.detach().cpu()
                if value.is_floating_point() and not float(value.abs().amax() if value.numel() else 0) > LARGEST_HALF:
                    value = value.to(torch.float16)
                weights[name] = value.numpy().copy()
        return Checkpoint(self.header(**record), weights, extra=self.run.taught)

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
        run, at, report = self.run, self.at, self.run.data.report
        return {
            "kind": "model",
            "finished": False,
            "data": [public_name(name) for name in run.data.arguments],
            "digest": run.data.digest,
            "split": run.data.split.describe(),
            "augmented": run.data.augment,
            "pieces": dict(report.pieces),
            "counted": {part: each.count for part, each in run.data.parts.items()},
            "usual_length": run.usual_length,
            "refused": dict(report.refused),
            "unreadable": len(report.unreadable),
            "duplicates": report.duplicates,
            "losses": dict(report.losses),
            "training": self.training,
            "phase": at.phase,
            "step": at.step,
            "best": at.best,
            "best_step": at.best_step,
            "reported": at.reported,
            "unit": run.unit,
            "seconds": round(at.seconds, 1),
            "settings": asdict(run.settings),
            "device": run.device,
            "processes": run.group.ranks.world,
            "precision": self.precision,
            "from": self.came_from,
        }


def moved(batch: Batch, device: str) -> Batch:
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
