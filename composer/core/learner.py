"""What learns: a network, its optimiser and how far they have come; kept on the disk so that training can go on.

The training state stands beside the checkpoint (`NAME.training.safetensors` beside `NAME.safetensors`): weights, the
optimiser's moments, the state carried from window to window, and the number of steps done. As the data of a step, its
learning rate and its random numbers depend on the step's number alone, nothing else is needed to go on exactly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import composer
from composer.api import CheckpointError, ComposerError, OptionError
from composer.core import checkpoint, optimise
from composer.core.carried import as_array, flatten, unflatten
from composer.core.checkpoint import Checkpoint, Header
from composer.core.resuming import saved_header, state_path
from composer.core.sources import located, public_name

if TYPE_CHECKING:
    import torch

    from composer.api.network import Batch, Network, Phase
    from composer.core.training import Run

LARGEST_HALF = 65504.0


@dataclass(slots=True)
class Progress:
    """How far training has come: `done` steps of phase number `phase`, `step` of the run.

    `best` is the best validation value (nats a step) and `stale` the number of validations since; `seconds` of
    training so far.
    """

    phase: int = 0
    done: int = 0
    step: int = 0
    best: float | None = None
    best_step: int = 0
    reported: float | None = None
    stale: int = 0
    seconds: float = 0.0


@dataclass(slots=True, eq=False)
class Learner:
    """A network in training. `stream` is the state carried from one window to the next, None at an epoch's start."""

    run: Run
    network: Network
    optimiser: torch.optim.Optimizer
    precision: str
    at: Progress = field(default_factory=Progress)
    stream: Any = None
    came_from: Any = None

    @classmethod
    def begin(cls, run: Run) -> Learner:
        """A new network, or one with the weights of the checkpoint to start from, or one that goes on."""
        import torch

        torch.manual_seed(run.settings.seed)
        network = run.model.network(run.data.spec, run.config).to(run.device)
        network.checkpoint_chunks = run.settings.checkpoint_chunks
        if run.origin is not None:
            load_weights(network, run.origin.weights, "the checkpoint to start from")
        optimiser = optimise.optimiser(run.settings, network.parameters(), run.device)
        learner = cls(run, network, optimiser, optimise.precision(run.settings.precision, run.device))
        if run.origin is not None:
            came_from = {key: run.origin.header.record.get(key) for key in ("data", "step")}
            learner.came_from = came_from | {"digest": run.origin.digest}
        if run.resume:
            learner._restore()
        return learner

    def enter(self, phase: Phase) -> None:
        """Turn to `phase`, with an optimiser that remembers nothing where the phase is just beginning."""
        self.network.enter(phase)
        self.network.train()
        if self.at.done == 0:
            self.optimiser = optimise.optimiser(self.run.settings, self.network.parameters(), self.run.device)

    def learn(self, batch: Batch, lr: float) -> torch.Tensor:
        """One step of descent; the monitor, on its device. Its random numbers depend on seed and step alone."""
        import torch

        torch.manual_seed((self.run.settings.seed * 1_000_003 + self.at.step + 1) % 2**63)
        for group in self.optimiser.param_groups:
            group["lr"] = lr
        with optimise.autocast(self.precision, self.run.device):
            loss, self.stream = self.network.loss(moved(batch, self.run.device), self.stream)
        loss.objective.backward()  # type: ignore[no-untyped-call]
        optimise.clip(self.run.settings, list(self.network.parameters()))
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.at.done += 1
        self.at.step += 1
        return loss.monitor

    def measure(self) -> float:
        """Nats a step on the validation part, in full precision."""
        from composer.api.network import Measure

        total, stream = Measure(), None
        self.network.eval()
        for batch in self.run.validation.windows(0):
            measure, stream = self.network.evaluate(moved(batch, self.run.device), stream)
            total += measure
        self.network.train()
        return total.mean

    def checkpoint(self, **record: Any) -> Checkpoint:
        """The network as it is, its weights rounded to fp16 as they are stored and played."""
        import torch

        weights = {}
        for name, tensor in self.network.state_dict().items():
            value = tensor.detach().cpu()
            if value.is_floating_point() and not float(value.abs().amax() if value.numel() else 0) > LARGEST_HALF:
                value = value.to(torch.float16)
            weights[name] = value.numpy()
        return Checkpoint(self.header(**record), weights)

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
            "refused": dict(report.refused),
            "unreadable": len(report.unreadable),
            "duplicates": report.duplicates,
            "losses": dict(report.losses),
            "step": at.step,
            "best": at.best,
            "best_step": at.best_step,
            "reported": at.reported,
            "unit": run.unit,
            "seconds": round(at.seconds, 1),
            "settings": asdict(run.settings),
            "device": run.device,
            "precision": self.precision,
            "from": self.came_from,
        }

    def save_state(self) -> None:
        """Write the training state, atomically. Raises CheckpointError; the earlier one is then as it was."""
        arrays: dict[str, Any] = {}
        for name, tensor in self.network.state_dict().items():
            arrays[f"weights/{name}"] = as_array(tensor)
        for index, values in self.optimiser.state_dict()["state"].items():
            for name, value in values.items():
                if value is not None:
                    arrays[f"optimiser/{index}/{name}"] = as_array(value)
        structure = flatten(self.stream, arrays, self.run.model.name)
        data = self.run.data
        header = self.header(
            kind="training",
            progress=asdict(self.at),
            stream=structure,
            encoded=data.encoded,
            data=[located(name) for name in data.arguments],
            split=data.split.to_json(),
        )
        checkpoint.save(state_path(self.run.path), Checkpoint(header, arrays))

    def _restore(self) -> None:
        """Go on from the saved state. Raises CheckpointError or OptionError where it is of another training."""
        import torch

        saved_header(self.run.path)
        saved = checkpoint.load(state_path(self.run.path))
        self._check_same(saved.header)
        record = saved.header.record
        by_owner: dict[str, dict[str, Any]] = {"weights": {}, "optimiser": {}, "stream": {}}
        for name, array in saved.weights.items():
            owner, _, rest = name.partition("/")
            by_owner[owner][rest] = array
        load_weights(self.network, by_owner["weights"], state_path(self.run.path).name)
        moments: dict[int, dict[str, Any]] = {}
        for name, array in by_owner["optimiser"].items():
            index, _, key = name.partition("/")
            moments.setdefault(int(index), {})[key] = torch.from_numpy(array.copy())
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": moments, "param_groups": groups})
        self.stream = unflatten(record["stream"], by_owner["stream"], self.run.device)
        self.at = Progress(**record["progress"])
        if 0 < self.run.settings.patience <= self.at.stale:  # it had stopped early, and is to try for as long again
            self.at.stale = 0
        self.came_from = record["from"]

    def _check_same(self, saved: Header) -> None:
        ours = self.header()
        name = self.run.path.name
        for what in ("representation", "model", "model_version", "spec", "options", "config"):
            if _plain(getattr(saved, what)) != _plain(getattr(ours, what)):
                raise CheckpointError(
                    f"the training of {name} began with another {what.replace('_', ' ')}",
                    "leave it as it was, or train a new model",
                )
        if saved.record["encoded"] != self.run.data.encoded:
            raise CheckpointError(
                f"the training of {name} began with other pieces",
                "name the same files, or use --from to learn new ones",
            )
        for key in ("batch", "length", "align", "seed", "optimiser"):
            before, now = saved.record["settings"][key], getattr(self.run.settings, key)
            if before != now:
                raise OptionError(
                    f"`{key}` was {before} when the training of {name} began", f"leave it, or --set {key}={before}"
                )


def check_finite(monitor: float, step: int) -> None:
    """Raise ComposerError where the loss is no number any more."""
    if not math.isfinite(monitor):
        raise ComposerError(
            f"training went astray at step {step}: the loss is {monitor}",
            "train with a lower --lr, or smaller --set clip",
        )


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

    try:
        network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()})
    except RuntimeError as error:
        raise CheckpointError(
            f"the weights in {where} do not fit the model", "was it made with other settings?"
        ) from error


def _plain(value: Any) -> Any:
    """For comparing what was JSON with what was not."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
