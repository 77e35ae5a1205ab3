"""What is saved of a training as it goes: the best model so far, how its training ended, and snapshots."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from composer.checkpoints import file as checkpoint_file
from composer.system.out_of_memory import OutOfMemory
from composer.training.divergence import check_better_than_guessing, check_finite
from composer.training.events import Event, MicroBatchHalved, Saved, Snapshot, Validated

if TYPE_CHECKING:
    from composer.training.loop import TrainingRun
    from composer.training.trainer import Trainer


def validate(run: TrainingRun, learner: Trainer, epoch: float, monitor: float) -> Generator[Event, None, bool]:
    """Measure, and keep the weights where they are the best so far; without a validation part, keep the latest.

    Whether they were kept. `monitor` is what the last steps cost. Raises Diverged.
    """
    at, spec = learner.progress, run.data.spec
    if run.has_validation:
        value = yield from _validation_value(run, learner)
        check_finite(value, at.update)
        check_better_than_guessing(spec, at.update, monitor, value)
        best = at.best is None or value < at.best
        # steps that lead to the kept model once more are no time without a better one
        at.validations_since_best = 0 if best or at.update <= at.best_update else at.validations_since_best + 1
        if best:
            at.best, at.best_update, at.reported = value, at.update, run.in_unit(value)
        yield Validated(at.update, epoch, value, run.in_unit(value), run.unit, best)
        if not best:
            return False
    else:
        check_better_than_guessing(spec, at.update, monitor)
    if run.group.is_main:
        checkpoint_file.save(run.path, learner.checkpoint())
        yield Saved(at.update, run.path)
    return True


def _validation_value(run: TrainingRun, learner: Trainer) -> Generator[Event, None, float]:
    """The value of the validation part; where memory runs out, it is tried again with fewer rows at a time."""
    while True:
        try:
            return learner.validate()
        except OutOfMemory:
            learner.halve_micro_batch(run.valid_batches)
        yield MicroBatchHalved(learner.progress.update, learner.progress.max_rows)


def finish(run: TrainingRun, learner: Trainer, reason: str) -> Iterator[Event]:
    """Leave a checkpoint that says how its training ended."""
    at = learner.progress
    ended = {
        "finished": reason != "interrupted",
        "reason": reason,
        "updates": at.update,
        "seconds": round(at.seconds, 1),
    }
    if run.group.is_main:
        kept = at.best is not None and run.path.is_file()
        last = checkpoint_file.load(run.path, half=True) if kept else learner.checkpoint()
        checkpoint_file.save(run.path, last.with_record(**ended))
        yield Saved(at.update, run.path)


def snapshot(run: TrainingRun, learner: Trainer) -> Iterator[Event]:
    """Keep the network as it is now, beside the checkpoint: its average, where the training keeps one."""
    if not run.group.is_main:
        return
    path = run.path.with_name(
        f"{run.path.name.removesuffix('.safetensors')}.update-{learner.progress.update}.safetensors"
    )
    checkpoint_file.save(path, learner.checkpoint(kind="snapshot"))
    yield Snapshot(learner.progress.update, path)
