"""The training state of a checkpoint, from which training resumes exactly, in any number of processes.

It holds the current weights, their moving average, the optimizer's state, the network's state for all rows, the
progress, and the arguments of the training; of a fine-tuning also the melodies and the baseline of its origin. The main
process writes and reads it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from composer.api import CheckpointError, Model, OptionError, Representation, SequenceSpec
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints.file import Checkpoint, Header
from composer.checkpoints.load import check_sizes, restore_state
from composer.checkpoints.network import check_shapes, load_weights
from composer.checkpoints.old_names import STATE_ARRAYS
from composer.checkpoints.training_files import check_trusted, has_state, model_name, move_old_files, state_path
from composer.data.sources import absolute_argument
from composer.data.splits import SplitSettings, moves_copies
from composer.registry import options
from composer.system import threads
from composer.system.out_of_memory import is_oom
from composer.training import state_io
from composer.training.optimizer import choose_precision
from composer.training.progress import Progress
from composer.training.settings import Settings
from composer.training.trainer import Trainer

if TYPE_CHECKING:
    import torch

_WEIGHTS = "weights/"
"""Prefix of the names of the network's arrays."""
_FIXED_SETTINGS = ("batch_size", "seq_length", "align", "seed", "optimizer", "contiguous")
_FIXED = {
    "representation": ("representation", ""), "model": ("model", ""), "model_version": ("version of its model", ""),
    "options": ("option", "-O"), "config": ("setting", "--set"), "spec": ("vocabulary", ""),
}  # fmt: skip
"""Fields of a header that cannot change: what messages call them, and the flag that sets them, if there is one."""

_OTHER_HINT = "leave out the files to resume with the same ones, or fine-tune: use --from instead of --resume"


def saved_header(path: Path) -> Header:
    """Return the header of the training state of the checkpoint at `path`.

    Its `config` and `record["settings"]` are those of the training, `original_arguments` has its data. Raises
    CheckpointError if there is none, if it is damaged, or if others can write to its folder.
    """
    check_trusted(path)
    if not has_state(path):
        raise CheckpointError(f"'{path.stem}' has no training state to resume from", _fine_tune_hint(path.stem))
    move_old_files(path)
    with _as_damaged(path):
        header = checkpoint_file.read_header(state_path(path))
        if header.record.get("kind") != "training":
            raise ValueError("it is a model")
    return header


def _fine_tune_hint(name: str) -> str:
    return f"fine-tune it instead: use --from {shlex.quote(name)} instead of --resume"


def check_network(path: Path, header: Header, model: Model, config: Any) -> None:
    """Raise CheckpointError if the training state of the checkpoint at `path` has not all weights of its network.

    `header` is that of the state, `model` and `config` are its model. No memory is taken for the network.
    """
    state = state_path(path)
    with _as_damaged(path):
        check_sizes(model, header, state, state.stat().st_size)
        arrays = checkpoint_file.read_shapes(state)
    shapes = {name.removeprefix(_WEIGHTS): shape for name, shape in arrays.items() if name.startswith(_WEIGHTS)}
    try:
        check_shapes(model, header.spec, config, shapes, "its training state")
    except CheckpointError as error:
        raise _damaged(path, error.message) from error


@dataclass(frozen=True, slots=True)
class OriginalArguments:
    """The arguments of `dataset.prepare` when a training started; `fitted` is the spec of a fine-tuned model."""

    arguments: tuple[str, ...]
    split: SplitSettings
    augment: bool
    fitted: SequenceSpec | None = None
    conditions: tuple[str, ...] | None = None


def original_arguments(header: Header, representation: Representation) -> OriginalArguments:
    """Return what the training with this state started with; its file arguments are valid in any folder.

    The `representation` of a fine-tuning came with a checkpoint, so it is restored. Raises CheckpointError if it cannot
    be, and OptionError for shares of the splits that are out of range.
    """
    record = header.record
    fitted = header.spec if record["from"] is not None else None
    if fitted is not None:
        restore_state(representation, header, "its training state")
    return OriginalArguments(
        tuple(record["data"]), SplitSettings.from_json(record["split"]), record["augmented"], fitted,
        tuple(header.spec.conditions),
    )  # fmt: skip


def save(trainer: Trainer) -> None:
    """Write the training state, atomically; all ranks call this together.

    Raises CheckpointError and then leaves the earlier state as it was.
    """
    state = _gather_states(trainer)
    run = trainer.run
    if not run.group.is_main:
        return
    arrays = {_WEIGHTS + name: state_io.as_array(tensor) for name, tensor in trainer.network.state_dict().items()}
    if trainer.ema is not None:
        arrays |= {f"ema/{name}": state_io.as_array(tensor) for name, tensor in trainer.ema.values.items()}
    for index, values in trainer.optimizer.state_dict()["state"].items():
        for name, value in values.items():
            if value is not None:
                arrays[f"optimizer/{index}/{name}"] = state_io.as_array(value)
    structure = state_io.flatten(state, arrays, run.model.name)
    header = trainer.header(
        kind="training",
        progress=asdict(trainer.progress),
        state=structure,
        encoded=run.data.encoded_digest,
        data=[absolute_argument(name) for name in run.data.arguments],
        split=run.data.split.to_json(),
        output=str(run.output) if run.output else None,
        replace_output=run.replace_output,
    )
    extra = {} if trainer.origin is None else trainer.extra_arrays
    checkpoint_file.save(state_path(run.path), Checkpoint(header, arrays, extra=extra))


def restore(trainer: Trainer) -> int:
    """Continue from the saved state, in its phase; all ranks call this together.

    Return the update of the saved model if it is better than any that the state knows of, else 0: a training that is
    killed may have saved it since the state, and only a better one replaces it.
    Raises CheckpointError or OptionError if the state is of another training, or damaged.
    """
    run, path = trainer.run, state_path(trainer.run.path)

    def read() -> Checkpoint:
        saved_header(run.path)  # raises if there is none
        with _as_damaged(run.path):
            return checkpoint_file.load(path, limit=checkpoint_file.MAX_TRAINING_BYTES)

    saved = run.group.broadcast_object(read)
    _check_same(trainer, saved.header)
    with _as_damaged(run.path):
        _take(trainer, saved)
    return _recall_best(trainer)


@contextmanager
def _as_damaged(path: Path) -> Iterator[None]:
    """Raise CheckpointError for what the training state of the checkpoint at `path` raises if `save` did not write it.

    The model may still be whole.
    """
    try:
        yield
    except checkpoint_file.DamagedCheckpoint as error:
        raise _damaged(path, error.message) from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
        if is_oom(error):
            raise
        raise _damaged(path, f"the training state {state_path(path)} is damaged") from error


def _damaged(path: Path, message: str) -> CheckpointError:
    hint = "train it again, with --force instead of --resume"
    if whole_model_record(path) is not None:
        hint = f"fine-tune the model instead: use --from {shlex.quote(model_name(path))} instead of --resume"
    return CheckpointError(message, hint)


def _take(trainer: Trainer, saved: Checkpoint) -> None:
    """Give `trainer` what the saved state holds. Raises what `_as_damaged` turns into an error if it does not fit."""
    import torch

    run, record = trainer.run, saved.header.record
    by_owner: dict[str, dict[str, Any]] = {"weights": {}, "ema": {}, "optimizer": {}, "state": {}}
    for name, array in saved.weights.items():
        owner, _, rest = name.partition("/")
        by_owner[STATE_ARRAYS.get(owner, owner)][rest] = array
    load_weights(trainer.network, by_owner["weights"], "its training state")
    _restore_optimizer(trainer.optimizer, by_owner["optimizer"])
    trainer.progress = progress = Progress(**record["progress"])
    if min(progress.phase, progress.phase_updates, progress.update, progress.max_rows) < 0:
        raise ValueError("progress below 0")
    if 0 < run.settings.patience <= progress.validations_since_best:  # it stopped early, and gets a new chance
        progress.validations_since_best = 0
    trainer.origin, trainer.saved_extra = record["from"], saved.extra
    trainer.training_id = record.get("training", trainer.training_id)
    if trainer.threads is not None and (before := record.get("threads")):  # as many as before, for the same rounding
        trainer.threads = min(before, threads.usable_cores())
    trainer.precision = choose_precision(run.settings.precision, run.device, record.get("precision"))
    trainer.start_phase(trainer.phases[progress.phase])
    if trainer.ema is not None and by_owner["ema"]:  # else it starts with the current weights
        trainer.ema.restore({name: torch.from_numpy(array) for name, array in by_owner["ema"].items()})
    state = state_io.unflatten(record["state"], by_owner["state"], run.device, precision=trainer.precision)
    rows = run.group.local_rows(run.train_batches.rows)
    if state is not None and not run.group.is_single:
        state = trainer.axes.select_rows(state, rows) if rows else None
    trainer.state = state
    trainer.try_state()


def _restore_optimizer(optimizer: torch.optim.Optimizer, arrays: Mapping[str, Any]) -> None:
    """Restore the moments of the parameters from the arrays `INDEX/NAME`. Raises LookupError, ValueError."""
    import torch

    groups = optimizer.state_dict()["param_groups"]
    shapes = [parameter.shape for group in optimizer.param_groups for parameter in group["params"]]
    moments: dict[int, dict[str, Any]] = {}
    for name, array in arrays.items():
        index, _, key = name.partition("/")
        if array.shape != (() if key == "step" else shapes[int(index)]):
            raise ValueError(f"`{name}` has the shape {array.shape}")
        moments.setdefault(int(index), {})[key] = torch.from_numpy(array.copy())
    if len({frozenset(each) for each in moments.values()}) > 1:
        raise ValueError("moments of some parameters are missing")
    optimizer.load_state_dict({"state": moments, "param_groups": groups})


def check_settings(before: Mapping[str, Any], now: Mapping[str, Any], name: str, flag: str) -> None:
    """Raise OptionError naming the first setting of the training called `name` that differs from before."""
    for key in dict.fromkeys([*before, *now]):
        if before.get(key) != now.get(key):
            setting = f"{key}={options.as_option_value(before.get(key))}"
            given = f"--{key.replace('_', '-')} {before[key]}" if key in ("batch_size", "seed") else f"{flag} {setting}"
            raise OptionError(
                f"'{name}' was trained with {setting}, which cannot be changed", f"leave it out or use {given}"
            )


def _recall_best(trainer: Trainer) -> int:
    """Take the best value from the saved model if it is this training's and better; return its update, else 0.

    If the best model is missing or damaged, the next one is the best.
    """
    run, progress = trainer.run, trainer.progress
    saved = run.group.broadcast_object(lambda: whole_model_record(run.path))
    if saved is None:
        trainer.has_lost_model = progress.best is not None
        progress.best, progress.best_update, progress.reported, progress.validations_since_best = None, 0, None, 0
        return 0
    is_same = (saved.get("training"), saved.get("phase")) == (trainer.training_id, progress.phase)
    if not is_same or saved.get("best") is None:
        return 0
    if progress.best is not None and progress.best <= saved["best"]:
        return 0
    progress.best, progress.best_update, progress.reported = saved["best"], saved["best_update"], saved["reported"]
    return progress.best_update


def load_saved_model(path: Path) -> Checkpoint:
    """Load the checkpoint that this training has saved, of any size. Raises CheckpointError."""
    return checkpoint_file.load(path, half=True, limit=checkpoint_file.MAX_TRAINING_BYTES)


def whole_model_record(path: Path) -> Mapping[str, Any] | None:
    """Return the training record of the checkpoint at `path`; None if it is missing or damaged."""
    try:
        return load_saved_model(path).header.record
    except CheckpointError:
        return None


def saved_record(path: Path) -> Mapping[str, Any]:
    """Return the training record of the checkpoint at `path`; empty if there is none."""
    try:
        return checkpoint_file.read_header(path).record
    except CheckpointError:
        return {}


def is_of_training(path: Path, training: str | None) -> bool:
    """Return whether there is a checkpoint at `path` that the training with that id has saved."""
    return training is not None and path.is_file() and saved_record(path).get("training") == training


def _gather_states(trainer: Trainer) -> Any:
    """Return the state of the rows of all ranks, on the main process only."""
    group, device = trainer.run.group, trainer.run.device
    if group.is_single or not any(group.any(trainer.state is not None)):
        return trainer.state
    arrays: dict[str, Any] = {}
    structure = state_io.flatten(trainer.state, arrays, trainer.run.model.name)
    gathered = group.all_gather_object((structure, state_io.state_arrays(arrays)))
    if not group.is_main:
        return None
    states = [state_io.unflatten(structure, arrays, device) for structure, arrays in gathered]
    return trainer.axes.concat_rows([state for state in states if state is not None])


def _check_same(trainer: Trainer, saved: Header) -> None:
    """Raise CheckpointError or OptionError if the saved state is not of this training.

    A setting that did not exist when it was saved has its default.
    """
    header, run = trainer.header(), trainer.run
    name = model_name(run.path)
    plugins = {
        "options": (run.representation.options, f"representation `{run.representation.name}`"),
        "config": (run.config, f"model `{run.model.name}`"),
    }
    for field, (label, flag) in _FIXED.items():
        before, now = getattr(saved, field), getattr(header, field)
        if flag:
            value, owner = plugins[field]
            check_settings(_plain(asdict(options.restore(type(value), before, owner))), _plain(now), name, flag)
        elif _plain(before) != _plain(now):
            raise CheckpointError(f"'{name}' was trained with a different {label}", _OTHER_HINT)
    if saved.record["encoded"] != run.data.encoded_digest:
        if run.data.report.moved and not moves_copies(saved.record):
            message = f"'{name}' was trained by an earlier version, which held out copies of training pieces"
            raise CheckpointError(message, _fine_tune_hint(name))
        raise CheckpointError(f"'{name}' was trained on different pieces", _OTHER_HINT)
    settings = options.restore(Settings, saved.record["settings"], "training")
    for key in _FIXED_SETTINGS:
        check_settings({key: getattr(settings, key)}, {key: getattr(run.settings, key)}, name, "--set")


def _plain(value: Any) -> Any:
    """Return `value` with tuples as lists, as JSON has them."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
