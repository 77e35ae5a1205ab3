"""The training state beside a checkpoint, so that training can go on, exactly, in as many processes as one likes.

It stands in `NAME.training.safetensors` beside `NAME.safetensors`: the weights as they descend, their average where one
is kept, the optimiser's moments, the state carried from window to window of all rows, how far training has come, and
what it began with. The first rank writes and reads it; the others tell it of their rows, and are told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from composer.api import CheckpointError, OptionError, Representation
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints.file import Checkpoint, Header
from composer.checkpoints.old_names import STATE_ARRAYS
from composer.data.sources import absolute_argument
from composer.data.splits import SplitSettings
from composer.registry import options
from composer.training import state_io
from composer.training.optimizer import Settings

if TYPE_CHECKING:
    from composer.training.trainer import Trainer


def state_path(path: Path) -> Path:
    """Where the training state of the checkpoint at `path` is kept."""
    return path.with_name(f"{path.name.removesuffix('.safetensors')}.training.safetensors")


def saved_header(path: Path) -> Header:
    """The header of the training state beside the checkpoint at `path`.

    Its `config` and `record["settings"]` are those that training began with; `original_arguments` says the same of the
    data. Raises CheckpointError where there is none.
    """
    if not state_path(path).is_file():
        raise CheckpointError(f"there is no training to go on with beside {path}", "train without --resume")
    return checkpoint_file.read_header(state_path(path))


@dataclass(frozen=True, slots=True)
class OriginalArguments:
    """What `encoding.prepare` was given when a training began; `fitted` where it was a fine-tuning."""

    arguments: tuple[str, ...]
    split: SplitSettings
    augment: bool
    fitted: bool


def original_arguments(header: Header, representation: Representation) -> OriginalArguments:
    """What the training with this state began with, its arguments such that they hold in any folder.

    A `representation` that was not fitted to these pieces, but came with a checkpoint, is restored.
    """
    record = header.record
    fitted = record["from"] is not None
    if fitted:
        representation.restore(header.state)
    return OriginalArguments(
        tuple(record["data"]), SplitSettings.from_json(record["split"]), record["augmented"], fitted
    )


def save(learner: Trainer) -> None:
    """Write the training state, atomically; all ranks call this together.

    Raises CheckpointError; the earlier one is then as it was.
    """
    stream = _gather_states(learner)
    if not learner.run.group.is_main:
        return
    arrays: dict[str, Any] = {}
    for name, tensor in learner.network.state_dict().items():
        arrays[f"weights/{name}"] = state_io.as_array(tensor)
    if learner.ema is not None:
        for name, tensor in learner.ema.values.items():
            arrays[f"ema/{name}"] = state_io.as_array(tensor)
    for index, values in learner.optimizer.state_dict()["state"].items():
        for name, value in values.items():
            if value is not None:
                arrays[f"optimizer/{index}/{name}"] = state_io.as_array(value)
    structure = state_io.flatten(stream, arrays, learner.run.model.name)
    data = learner.run.data
    header = learner.header(
        kind="training",
        progress=asdict(learner.progress),
        state=structure,
        encoded=data.encoded_digest,
        data=[absolute_argument(name) for name in data.arguments],
        split=data.split.to_json(),
    )
    checkpoint_file.save(state_path(learner.run.path), Checkpoint(header, arrays))


def restore(learner: Trainer) -> int:
    """Let `learner` go on from the saved state, in the phase that was saved; all ranks call this together.

    The step of the model that is kept, where it is better than any that the state knows of, else 0: a training that is
    killed may have kept it since, and from now on only a better one takes its place.
    Raises CheckpointError or OptionError where the state is of another training.
    """
    import torch

    from composer.training.trainer import Progress, load_weights

    run, path = learner.run, state_path(learner.run.path)
    arrays, text = state_io.from_bytes(run.group.broadcast_bytes(lambda: state_io.to_bytes(*_read(run.path))))
    header = checkpoint_file.header_of(path, text)
    _check_same(learner, header)
    by_owner: dict[str, dict[str, Any]] = {"weights": {}, "ema": {}, "optimizer": {}, "state": {}}
    for name, array in arrays.items():
        owner, _, rest = name.partition("/")
        by_owner[STATE_ARRAYS.get(owner, owner)][rest] = array
    load_weights(learner.network, by_owner["weights"], path.name)
    moments: dict[int, dict[str, Any]] = {}
    for name, array in by_owner["optimizer"].items():
        index, _, key = name.partition("/")
        moments.setdefault(int(index), {})[key] = torch.from_numpy(array.copy())
    groups = learner.optimizer.state_dict()["param_groups"]
    learner.optimizer.load_state_dict({"state": moments, "param_groups": groups})
    record = header.record
    learner.progress = Progress(**record["progress"])
    if (
        0 < run.settings.patience <= learner.progress.validations_since_best
    ):  # it had stopped early, and is to try for as long again
        learner.progress.validations_since_best = 0
    learner.origin = record["from"]
    learner.training_id = record.get("training", learner.training_id)
    learner.start_phase(learner.phases[learner.progress.phase])
    if learner.ema is not None and by_owner["ema"]:  # else it begins with the weights as they are
        learner.ema.restore({name: torch.from_numpy(array) for name, array in by_owner["ema"].items()})
    stream = state_io.unflatten(record["state"], by_owner["state"], run.device)
    own = run.group.local_rows(run.train_batches.rows)
    if stream is not None and not run.group.is_single:
        stream = learner.axes.select_rows(stream, own) if own else None
    learner.state = stream
    return _recall_best(learner)


def check_settings(before: Mapping[str, Any], now: Mapping[str, Any], name: str, flag: str) -> None:
    """Raise OptionError, naming it, where one of the settings of the training called `name` is not as it was."""
    for key in dict.fromkeys([*before, *now]):
        if before.get(key) != now.get(key):
            was = _as_option(before.get(key))
            raise OptionError(
                f"the setting `{key}` was {was} when the training of {name} began", f"leave it, or {flag} {key}={was}"
            )


def _recall_best(learner: Trainer) -> int:
    """Take the best value from the kept model, where it is this training's and better; the model's step, else 0."""
    run, at = learner.run, learner.progress
    kept = json.loads(run.group.broadcast_bytes(lambda: json.dumps(_record(run.path)).encode()))
    if (kept.get("training"), kept.get("phase")) != (learner.training_id, at.phase) or kept["best"] is None:
        return 0
    if at.best is not None and at.best <= kept["best"]:
        return 0
    at.best, at.best_update, at.reported = kept["best"], kept["best_update"], kept["reported"]
    return at.best_update


def _record(path: Path) -> Mapping[str, Any]:
    """The training record of the checkpoint at `path`; empty where there is none."""
    try:
        return checkpoint_file.read_header(path).record
    except CheckpointError:
        return {}


def _gather_states(learner: Trainer) -> Any:
    """On the first rank, the state of the rows of all ranks."""
    group, owner, device = learner.run.group, learner.run.model.name, learner.run.device
    if group.is_single or not any(group.any(learner.state is not None)):
        return learner.state
    arrays: dict[str, Any] = {}
    structure = state_io.flatten(learner.state, arrays, owner)
    every = [
        state_io.from_bytes(data) for data in group.all_gather_bytes(state_io.to_bytes(arrays, json.dumps(structure)))
    ]
    if not group.is_main:
        return None
    states = [state_io.unflatten(json.loads(text), state_io.state_arrays(each), device) for each, text in every]
    return learner.axes.concat_rows([state for state in states if state is not None])


def _read(path: Path) -> tuple[Mapping[str, Any], str]:
    """What is in the state beside the checkpoint at `path`."""
    saved_header(path)
    saved = checkpoint_file.load(state_path(path))
    return saved.weights, saved.header.to_json()


def _check_same(learner: Trainer, saved: Header) -> None:
    """Raise CheckpointError or OptionError where what was saved is not of the training that is to go on.

    What was saved before a setting existed has its default.
    """
    ours, run = learner.header(), learner.run
    name = run.path.name.removesuffix(".safetensors")
    plugins = {
        "options": (run.representation.options, f"representation `{run.representation.name}`"),
        "config": (run.config, f"model `{run.model.name}`"),
    }
    for what, (called, flag) in _KEPT.items():
        before, now = getattr(saved, what), getattr(ours, what)
        if flag:
            value, owner = plugins[what]
            check_settings(_plain(asdict(options.restore(type(value), before, owner))), _plain(now), name, flag)
        elif _plain(before) != _plain(now):
            raise CheckpointError(
                f"the training of {name} began with another {called}", "leave it as it was, or train a new model"
            )
    if saved.record["encoded"] != run.data.encoded_digest:
        raise CheckpointError(
            f"the training of {name} began with other pieces",
            "name the same files, or use --from to learn new ones",
        )
    settings = options.restore(Settings, saved.record["settings"], "training")
    for key in ("batch_size", "seq_length", "align", "seed", "optimizer", "contiguous"):
        check_settings({key: getattr(settings, key)}, {key: getattr(run.settings, key)}, name, "--set")


_KEPT = {
    "representation": ("representation", ""), "model": ("model", ""), "model_version": ("version of its model", ""),
    "options": ("option", "-o"), "config": ("setting", "--set"), "spec": ("vocabulary", ""),
}  # fmt: skip
"""What of a header cannot change: what it is called, and the flag that its values are given by, where there is one."""


def _as_option(value: Any) -> str:
    """A setting as it is given on the command line."""
    words = {True: "on", False: "off", None: "none"}
    if isinstance(value, bool | None):
        return words[value]
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _plain(value: Any) -> Any:
    """For comparing what was JSON with what was not."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
