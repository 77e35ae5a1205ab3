"""The training loop: one generator of events, which the terminal, JSON lines, TensorBoard and the tests read.

    from composer.checkpoints import store
    from composer.data import dataset
    from composer.registry import plugins as registry
    from composer.training.loop import train
    from composer.training.run import TrainingRun

    representation = registry.representation("abc")()
    model = registry.model("lstm")
    data = dataset.prepare(representation, ["tunes/"])
    run = TrainingRun(model, model.Config(), representation, data, store.path_for("mine"))
    for event in train(run):
        ...                                         # Prepared, Started, Updated, Validated, Saved, Snapshot, Finished

To resume, `resume.saved_header(path)` has the settings of the training so far, and `resume.original_arguments` its
data. To fine-tune, pass a checkpoint as `origin`. To stop (Ctrl-C), let `stop` return true: the update is finished, the
state saved, and the last event is Finished with the reason `interrupted`.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from composer.api import UsageError
from composer.checkpoints import training_files
from composer.checkpoints.file import NotFinite
from composer.distributed import consistency
from composer.system import malloc, threads
from composer.system.out_of_memory import DoesNotFit, OutOfMemory, report_oom
from composer.training import resume, validation
from composer.training.divergence import Diverged, check_finite
from composer.training.events import (
    Event,
    Finished,
    MicroBatchHalved,
    ModelLost,
    PlannedPhase,
    Prepared,
    RolledBack,
    Started,
    Updated,
)
from composer.training.gradient_accumulation import StepResult
from composer.training.optimizer import epoch_count, learning_rate
from composer.training.progress import LossMeter, SaveTimer
from composer.training.run import TrainingRun
from composer.training.trainer import Trainer

if TYPE_CHECKING:
    from composer.api.network import Batch, Phase

MIN_VALIDATION_INTERVAL, MAX_VALIDATION_INTERVAL = 20, 1000
"""Bounds in updates; between them, validations are an epoch apart."""


def train(run: TrainingRun) -> Iterator[Event]:
    """Train, and leave the best model in `run.path` and the state to resume from among its training files.

    `training_files.reserve` keeps other processes from training a model of the same name.

    Raises UsageError for settings that do not suit the data, CheckpointError if something cannot be saved or does not
    fit (earlier files stay whole), Diverged (a better model saved before stays), DoesNotFit if memory runs out.
    """
    yield Prepared(**asdict(run.data.report), cached=run.data.cached)
    run.settings.check(augment=run.data.augment)
    run.check_origin()
    malloc.keep_freed_memory()
    consistency.check(run.group, run.reproducibility_facts())
    with report_oom("the model"):
        trainer = Trainer.start(run)
    if not run.group.is_single and not all(phase.gradient for phase in trainer.phases):
        raise UsageError(f"model `{run.model.name}` does not train in several processes", "run it without `torchrun`")
    if run.settings.epochs and all(phase.epochs for phase in trainer.phases):
        raise UsageError(
            f"model `{run.model.name}` sets its own number of epochs", "leave out --epochs and --set epochs"
        )
    if run.resume:
        best_update = resume.restore(trainer)
        if best_update > trainer.progress.update:
            yield RolledBack(trainer.progress.update, best_update)
        if trainer.has_lost_model:
            yield ModelLost(trainer.progress.update, run.path)
    else:
        _save_first_state(trainer)
    try:
        with report_oom("this training"), threads.torch_threads(trainer.threads):
            yield from _train_and_finish(trainer)
    except (Diverged, NotFinite, DoesNotFit) as error:
        if not run.resume and not trainer.has_saved_model:  # nothing to resume, and the name is free for another try
            _bring_back_state(run)
        if isinstance(error, NotFinite):
            raise Diverged(trainer.progress.update, "its weights are infinite or nan") from error
        raise


def _train_and_finish(trainer: Trainer) -> Iterator[Event]:
    run, progress = trainer.run, trainer.progress
    try:
        reason = yield from _train_phases(trainer)
    except KeyboardInterrupt:  # in the middle of an update: the last saved state counts
        if not run.group.is_single:  # the other ranks are in the middle of theirs
            raise
        reason = "interrupted"
    else:
        resume.save(trainer)
        yield from validation.finish(trainer, reason)
    yield Finished(progress.update, reason, progress.best, run.path, validation.copy_to_output(trainer))


def _save_first_state(trainer: Trainer) -> None:
    """Save the state of a new training; that of an older model stays until the model is replaced."""
    if trainer.run.group.is_main:
        training_files.set_aside_state(trainer.run.path)
    try:
        resume.save(trainer)
    except BaseException:
        _bring_back_state(trainer.run)
        raise


def _bring_back_state(run: TrainingRun) -> None:
    if run.group.is_main:
        training_files.bring_back_state(run.path)


def _train_phases(trainer: Trainer) -> Generator[Event, None, str]:
    """Train the remaining phases; return why training ended."""
    run, progress, phases = trainer.run, trainer.progress, trainer.phases
    plan = _plan(run, phases)
    while True:
        phase, updates = phases[progress.phase], plan[progress.phase].updates
        trainer.start_phase(phase)
        if progress.phase and not progress.phase_updates:  # models saved from now on are of this phase
            resume.save(trainer)
        yield _started_event(trainer, phase.name, plan)
        reason = yield from _train_phase(trainer, phase, updates)
        # stopping early leads to the next phase; the last phase with updates is never left, so that it can be resumed
        # with a higher limit
        if reason == "interrupted" or not any(later.updates for later in plan[progress.phase + 1 :]):
            break
        progress.next_phase()
        trainer.state = None
    if progress.update in run.snapshot_updates:
        yield from validation.snapshot(trainer)
    return reason


def _train_phase(trainer: Trainer, phase: Phase, updates: int) -> Generator[Event, None, str]:
    """Train a phase of `updates` updates to its end; return why it ended."""
    run, progress, settings = trainer.run, trainer.progress, trainer.run.settings
    batches, per_epoch = run.train_batches, run.train_batches.batches_per_epoch
    rows = run.group.local_rows(batches.rows)
    interval = settings.validate_every or min(max(per_epoch, MIN_VALIDATION_INTERVAL), MAX_VALIDATION_INTERVAL)
    meter, timer = LossMeter(run.device), SaveTimer(progress)
    is_fine_tuned = run.origin is not None and progress.update == 0
    if run.has_validation and (is_fine_tuned or trainer.has_lost_model):  # the model to improve on
        yield from validation.validate(trainer, progress.phase_updates / per_epoch, math.inf)
        trainer.has_lost_model = False
    while progress.phase_updates < updates:
        if settings.patience and progress.validations_since_best >= settings.patience:
            return "early"
        if progress.update in run.snapshot_updates:
            yield from validation.snapshot(trainer)
        epoch, number = divmod(progress.phase_updates, per_epoch)
        if number == 0:
            trainer.state = None
        batch = batches.batch_at(epoch, number, rows)
        lr = learning_rate(settings, phase.lr or settings.lr, progress.phase_updates, updates, per_epoch)
        result = yield from _train_step(trainer, batch, lr)
        meter.add(result.monitor, result.counted)
        epochs = progress.phase_updates / per_epoch
        validates, saved_model = progress.phase_updates % interval == 0 or progress.phase_updates == updates, False
        if meter.full or validates:
            loss, rate = meter.read()
            check_finite(loss, progress.update)
            yield Updated(progress.update, epochs, loss, lr, rate)
        if validates:
            saved_model = yield from validation.validate(trainer, epochs, loss)
            trainer.has_saved_model |= saved_model
            meter.restart_rate()
        timer.tick()
        stop, save = run.group.any(run.stop(), run.group.is_main and timer.due(settings.save_every, saved_model))
        if stop:
            return "interrupted"
        if save:
            resume.save(trainer)
            timer.saved()
    return "done"


def _train_step(trainer: Trainer, batch: Batch, lr: float) -> Generator[Event, None, StepResult]:
    """Do an update; if memory runs out, repeat it with half the rows at a time, which gives the same result."""
    while True:
        try:
            return trainer.train_step(batch, lr)
        except OutOfMemory:
            trainer.halve_micro_batch(trainer.run.train_batches)
        yield MicroBatchHalved(trainer.progress.update, trainer.progress.max_rows)


def _plan(run: TrainingRun, phases: Sequence[Phase]) -> list[PlannedPhase]:
    """Return the updates of each phase."""
    left = run.settings.max_updates or math.inf
    per_epoch, plan = run.train_batches.batches_per_epoch, []
    for phase in phases:
        unlimited = (phase.epochs or epoch_count(run.settings, per_epoch)) * per_epoch
        updates = int(min(unlimited, left))
        left -= updates
        plan.append(PlannedPhase(phase.name, updates, unlimited))
    return plan


def _started_event(trainer: Trainer, phase: str, plan: Sequence[PlannedPhase]) -> Started:
    run, (train, valid) = trainer.run, (trainer.run.data.splits[name] for name in ("train", "valid"))
    updates = sum(each.updates for each in plan)
    return Started(
        phase, trainer.progress.update, updates, run.train_batches.batches_per_epoch, trainer.parameters, run.device,
        trainer.precision, (train.pieces, valid.pieces), (train.count, valid.count), tuple(plan), trainer.threads,
    )  # fmt: skip
