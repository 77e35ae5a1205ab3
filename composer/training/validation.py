"""Validate, save the best model, and save snapshots and the final model."""

from __future__ import annotations

import math
import shlex
from collections.abc import Generator, Iterator
from pathlib import Path

from composer.api import CheckpointError
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints import training_files
from composer.checkpoints.default_temperature import ENTRY
from composer.system.out_of_memory import OutOfMemory
from composer.training import resume
from composer.training.divergence import check_better_than_guessing, check_finite
from composer.training.events import Event, MicroBatchHalved, Saved, Snapshot, Validated
from composer.training.trainer import Trainer


def validate(trainer: Trainer, epoch: float, loss: float) -> Generator[Event, None, bool]:
    """Validate, and save the model if it is the best so far; without validation data, save it always.

    Return whether it was saved. `loss` is the training loss of the last updates. Raises Diverged.
    """
    run, progress, spec = trainer.run, trainer.progress, trainer.run.data.spec
    if run.has_validation:
        value = yield from _validation_value(trainer)
        check_finite(value, progress.update)
        check_better_than_guessing(spec, progress.update, loss, value)
        best = progress.best is None or value < progress.best
        # a resumed training repeats the updates up to the saved model, which do not count as failed validations
        failed = not best and progress.update > progress.best_update
        progress.validations_since_best = progress.validations_since_best + 1 if failed else 0
        if best:
            progress.best, progress.best_update, progress.reported = value, progress.update, run.in_unit(value)
        progress.add_losses(_reported(trainer, loss), run.in_unit(value))
        yield Validated(progress.update, epoch, value, run.in_unit(value), run.unit, best)
        if not best:
            return False
    else:
        check_better_than_guessing(spec, progress.update, loss)
        progress.add_losses(_reported(trainer, loss), None)
    if run.group.is_main:
        _save_model(run.path, trainer.checkpoint())
        yield Saved(progress.update, run.path)
    return True


def _reported(trainer: Trainer, loss: float) -> float | None:
    """Return a training loss in the reported unit; None before the first update, which has none."""
    return trainer.run.in_unit(loss) if math.isfinite(loss) else None


def _validation_value(trainer: Trainer) -> Generator[Event, None, float]:
    """Return the loss on the validation data; if memory runs out, repeat with half the rows at a time."""
    while True:
        try:
            return trainer.validate()
        except OutOfMemory:
            trainer.halve_micro_batch(trainer.run.valid_batches)
        yield MicroBatchHalved(trainer.progress.update, trainer.progress.max_rows)


def finish(trainer: Trainer, reason: str) -> Iterator[Event]:
    """Save the model with a record of how its training ended."""
    run, progress = trainer.run, trainer.progress
    if not run.group.is_main:
        return
    has_best = progress.best is not None and run.path.is_file()
    final = resume.load_saved_model(run.path) if has_best else trainer.checkpoint()
    finished, seconds = reason != "interrupted", round(progress.seconds, 1)
    record = {
        "finished": finished,
        "reason": reason,
        "updates": progress.update,
        "seconds": seconds,
        "history": progress.history,
        ENTRY: run.default_temp,
    }
    _save_model(run.path, final.with_record(**record))
    yield Saved(progress.update, run.path)


def _save_model(path: Path, checkpoint: checkpoint_file.Checkpoint) -> None:
    checkpoint_file.save(path, checkpoint)
    training_files.forget_previous_state(path)


def copy_to_output(trainer: Trainer) -> Path | None:
    """Copy the model to the run's output and return that; None without an output, or if no model was saved.

    Raises CheckpointError if that fails, or if another file has appeared there during the training; the model stays.
    """
    run, this = trainer.run, trainer.training_id
    if not (run.output and run.group.is_main and run.path.is_file()):
        return None
    if resume.saved_record(run.path).get("training", this) != this:  # an earlier model, not yet overwritten
        return None
    replace = run.replace_output or resume.is_of_training(run.output, this)
    try:
        checkpoint_file.copy(run.path, run.output, replace=replace)
    except CheckpointError as error:
        command = shlex.join(["cp", str(run.path), "copy.safetensors"])
        raise CheckpointError(f"{error.message}; the model is in {run.path}", f"copy it: {command}") from error
    return run.output


def snapshot(trainer: Trainer) -> Iterator[Event]:
    """Save the network as it is now among the training files: its moving average, if there is one."""
    run, update = trainer.run, trainer.progress.update
    if run.group.is_main:
        path = training_files.snapshot_path(run.path, update)
        checkpoint_file.save(path, trainer.checkpoint(kind="snapshot"))
        yield Snapshot(update, path)
