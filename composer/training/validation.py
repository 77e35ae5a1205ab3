"""What is saved of a training as it goes: the best model so far, how its training ended, and snapshots."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from composer.checkpoints import file as checkpoint_file
from composer.system.out_of_memory import OutOfMemory
from composer.training.divergence import check_finite, check_sound
from composer.training.events import Event, Halved, Saved, Snapshot, Validated

if TYPE_CHECKING:
    from composer.training.loop import Run
    from composer.training.trainer import Learner


def validate(run: Run, learner: Learner, epoch: float, monitor: float) -> Generator[Event, None, bool]:
    """Measure, and keep the weights where they are the best so far; without a validation part, keep the latest.

    Whether they were kept. `monitor` is what the last steps cost. Raises Diverged.
    """
    at, spec = learner.at, run.data.spec
    if run.validated:
        value = yield from _measured(run, learner)
        check_finite(value, at.step)
        check_sound(spec, at.step, monitor, value)
        best = at.best is None or value < at.best
        # steps that lead to the kept model once more are no time without a better one
        at.stale = 0 if best or at.step <= at.best_step else at.stale + 1
        if best:
            at.best, at.best_step, at.reported = value, at.step, run.reported(value)
        yield Validated(at.step, epoch, value, run.reported(value), run.unit, best)
        if not best:
            return False
    else:
        check_sound(spec, at.step, monitor)
    if run.group.first:
        checkpoint_file.save(run.path, learner.checkpoint())
        yield Saved(at.step, run.path)
    return True


def _measured(run: Run, learner: Learner) -> Generator[Event, None, float]:
    """The value of the validation part; where memory runs out, it is tried again with fewer rows at a time."""
    while True:
        try:
            return learner.measure()
        except OutOfMemory:
            learner.halve(run.validation)
        yield Halved(learner.at.step, learner.at.rows)


def finish(run: Run, learner: Learner, reason: str) -> Iterator[Event]:
    """Leave a checkpoint that says how its training ended."""
    at = learner.at
    ended = {"finished": reason != "interrupted", "reason": reason, "steps": at.step, "seconds": round(at.seconds, 1)}
    if run.group.first:
        kept = at.best is not None and run.path.is_file()
        last = checkpoint_file.load(run.path, half=True) if kept else learner.checkpoint()
        checkpoint_file.save(run.path, last.with_record(**ended))
        yield Saved(at.step, run.path)


def snapshot(run: Run, learner: Learner) -> Iterator[Event]:
    """Keep the network as it is now, beside the checkpoint: its average, where the training keeps one."""
    if not run.group.first:
        return
    path = run.path.with_name(f"{run.path.name.removesuffix('.safetensors')}.step-{learner.at.step}.safetensors")
    checkpoint_file.save(path, learner.checkpoint(kind="snapshot"))
    yield Snapshot(learner.at.step, path)
