"""Training: one loop that yields events. The terminal, JSON lines, TensorBoard and the tests read the same stream.

    from composer.checkpoints import store
    from composer.data import dataset
    from composer.registry import plugins as registry
    from composer.training import loop

    representation = registry.representation("abc")()
    model = registry.model("lstm")
    data = dataset.prepare(representation, ["tunes/"])
    run = loop.Run(model, model.Config(), representation, data, store.path_for("mine"))
    for event in loop.train(run):
        ...                                         # Prepared, Started, Updated, Validated, Saved, Snapshot, Finished

To go on (`--resume`), the settings of the training so far are in `saved_header(path)`, and its data in
`original_arguments(header, representation)`. To fine-tune (`--from`), see `open_origin`. To stop in good order
(Ctrl-C), let `stop` return true: the step is finished, the state saved, and the last event is Finished with the reason
`interrupted`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from composer.analysis import copying
from composer.api import CheckpointError, Model, Representation, StepKind
from composer.checkpoints import load as load_checkpoint
from composer.checkpoints.file import Checkpoint, NotFinite
from composer.data.batches import Windows
from composer.data.dataset import Dataset
from composer.distributed import consistency
from composer.distributed.group import ProcessGroup
from composer.system import malloc
from composer.system.out_of_memory import DoesNotFit, OutOfMemory, report_oom
from composer.training import optimizer as optimizers
from composer.training import resume as resuming
from composer.training import validation
from composer.training.divergence import Diverged, check_finite
from composer.training.events import (
    Event,
    Finished,
    MicroBatchHalved,
    PlannedPhase,
    Prepared,
    RolledBack,
    Started,
    Updated,
)
from composer.training.gradient_step import StepResult
from composer.training.optimizer import Settings
from composer.training.resume import OriginalArguments, original_arguments, saved_header, state_path
from composer.training.timing import LossMeter, SaveTimer
from composer.training.trainer import Trainer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from composer.api.network import Batch, Phase

__all__ = [
    "Origin",
    "OriginalArguments",
    "Settings",
    "TrainingRun",
    "open_origin",
    "original_arguments",
    "saved_header",
    "state_path",
    "train",
]

MIN_VALIDATION_INTERVAL, MAX_VALIDATION_INTERVAL = 20, 1000
"""Validations are an epoch apart, but no fewer and no more steps than these."""

CONTIGUOUS_VALIDATION_ROWS = 16
"""The rows of a validation part that is one text: at the beginning of each, nothing of it is known."""


def _never() -> bool:
    return False


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """All that a training run needs. `representation` is fitted, and `data` was prepared with it.

    `path` is the checkpoint to write, `device` one that `device.resolve` gave. `data_names` are the data as the user
    named them, for messages. `origin` is a checkpoint to start from. `stop` is asked after every step. `group` are the
    processes that train together, each with a TrainingRun that differs in nothing but `device` and `stop`; the first of
    them writes to `path`.
    """

    model: Model
    config: Any
    representation: Representation
    data: Dataset
    path: Path
    settings: Settings = field(default_factory=Settings)
    device: str = "cpu"
    resume: bool = False
    origin: Checkpoint | None = None
    data_names: Sequence[str] = ()
    stop: Callable[[], bool] = _never
    group: ProcessGroup = field(default_factory=ProcessGroup)

    @cached_property
    def train_batches(self) -> Windows:
        """What is learnt from."""
        how = self.settings
        return Windows(
            self.data.splits["train"],
            self.data.spec,
            batch=how.batch_size,
            length=how.seq_length,
            align=how.align,
            seed=how.seed,
            stream=how.contiguous,
        )

    @cached_property
    def valid_batches(self) -> Windows:
        """What the best checkpoint is chosen by."""
        how = self.settings
        return Windows(
            self.data.splits["valid"],
            self.data.spec,
            batch=min(how.batch_size, CONTIGUOUS_VALIDATION_ROWS) if how.contiguous else how.batch_size,
            length=how.seq_length,
            align=how.align,
            stream=how.contiguous,
        )

    @cached_property
    def extra_arrays(self) -> Mapping[str, NDArray[Any]]:
        """What a checkpoint keeps beside its weights: the melodies of the pieces and those that `origin` knew."""
        return copying.kept(self.data.melodies, self.origin)

    @cached_property
    def usual_length(self) -> int:
        """How many steps the longer of the pieces have that are learnt; found once, since every saving tells it."""
        return self.data.splits["train"].usual_length

    @property
    def has_validation(self) -> bool:
        """Whether there is a validation part."""
        return self.data.splits["valid"].count > 0

    @property
    def unit(self) -> str:
        """What validation values are reported in."""
        unit = "bits" if self.data.spec.kind is StepKind.TOKENS else "nats"
        return f"{unit} per {self.representation.step_name}"

    def in_unit(self, nats: float) -> float:
        """Nats a step in that unit."""
        return nats / math.log(2) if self.data.spec.kind is StepKind.TOKENS else nats


def train(run: TrainingRun) -> Iterator[Event]:
    """Train, and leave the best model in `run.path`, beside it the state to go on from.

    Raises UsageError for settings by which these pieces cannot be learnt, CheckpointError where something cannot be
    saved or does not fit (what was saved before is whole), and Diverged where descent goes astray: a better model that
    was kept before then stays. Raises DoesNotFit where memory does not suffice.
    """
    yield Prepared(**asdict(run.data.report), cached=run.data.cached)
    run.settings.check(augment=run.data.augment)
    _check_origin(run)
    malloc.keep_freed_memory()
    consistency.check_same_on_all_ranks(run)
    with report_oom("the model"):
        learner = Trainer.start(run)
    if run.resume:
        if (kept := resuming.restore(learner)) > learner.progress.update:
            yield RolledBack(learner.progress.update, kept)
    else:
        _remove_state(run)
        resuming.save(learner)
    try:
        with report_oom("this training"):
            yield from _train_and_finish(run, learner)
    except (Diverged, NotFinite, DoesNotFit) as error:
        if (
            not run.resume and not learner.has_saved_model
        ):  # nothing to go on with, and the name is free for another try
            _remove_state(run)
        if isinstance(error, NotFinite):
            raise Diverged(learner.progress.update, "its weights are no numbers any more") from error
        raise


def _train_and_finish(run: TrainingRun, learner: Trainer) -> Iterator[Event]:
    """Train to the end, or to where the user wants it to end."""
    try:
        reason = yield from _train_phases(run, learner)
    except KeyboardInterrupt:  # in the middle of a step: what was saved last is what there is
        if not run.group.is_single:  # the others are in the middle of theirs
            raise
        reason = "interrupted"
    else:
        resuming.save(learner)
        yield from validation.finish(run, learner, reason)
    yield Finished(learner.progress.update, reason, learner.progress.best, run.path)


def _remove_state(run: TrainingRun) -> None:
    """Remove the training state that is there."""
    if run.group.is_main:
        state_path(run.path).unlink(missing_ok=True)


def _train_phases(run: TrainingRun, learner: Trainer) -> Generator[Event, None, str]:
    """Go through what is left of each phase; why training ended."""
    phases = learner.phases
    plan = _plan(run, phases)
    while True:
        phase, steps = phases[learner.progress.phase], plan[learner.progress.phase].updates
        learner.start_phase(phase)
        if learner.progress.phase and not learner.progress.phase_updates:  # what is kept from now on is of this phase
            resuming.save(learner)
        yield _started_event(run, learner, phase.name, plan)
        reason = yield from _train_phase(run, learner, phase, steps)
        # a phase that got no better makes room for the next; the last that has steps is never left, so that it can go
        # on when more are asked for
        if reason == "interrupted" or not any(after.updates for after in plan[learner.progress.phase + 1 :]):
            break
        learner.progress.phase, learner.progress.phase_updates, learner.state = learner.progress.phase + 1, 0, None
        learner.progress.validations_since_best, learner.progress.best, learner.progress.reported = 0, None, None
    if learner.progress.update in run.settings.snapshots:
        yield from validation.snapshot(run, learner)
    return reason


def _train_phase(run: TrainingRun, learner: Trainer, phase: Phase, steps: int) -> Generator[Event, None, str]:
    """The loop itself, to the end of a phase of `steps` steps."""
    at, settings, per_epoch = learner.progress, run.settings, run.train_batches.per_epoch
    own = run.group.local_rows(run.train_batches.rows)
    between = settings.validate_every or min(max(per_epoch, MIN_VALIDATION_INTERVAL), MAX_VALIDATION_INTERVAL)
    meter, clock = LossMeter(run.device), SaveTimer(at)
    if (
        run.origin is not None and run.has_validation and at.update == 0
    ):  # what it starts from stays until something is better
        yield from validation.validate(run, learner, 0.0, math.inf)
    while at.phase_updates < steps:
        if settings.patience and at.validations_since_best >= settings.patience:
            return "early"
        if at.update in settings.snapshots:
            yield from validation.snapshot(run, learner)
        epoch, window = divmod(at.phase_updates, per_epoch)
        if window == 0:
            learner.state = None
        batch = run.train_batches.window(epoch, window, own)
        lr = optimizers.learning_rate(settings, phase.lr or settings.lr, at.phase_updates, steps, per_epoch)
        step = yield from _train_step(run, learner, batch, lr)
        meter.add(step.monitor, step.counted)
        validates, kept = at.phase_updates % between == 0 or at.phase_updates == steps, False
        if meter.full or validates:
            monitor, rate = meter.read()
            check_finite(monitor, at.update)
            yield Updated(at.update, at.phase_updates / per_epoch, monitor, lr, rate)
        if validates:
            kept = yield from validation.validate(run, learner, at.phase_updates / per_epoch, monitor)
            learner.has_saved_model |= kept
            meter.restart_rate()
        clock.tick()
        stop, due = run.group.any(run.stop(), run.group.is_main and clock.due(settings.save_every, kept))
        if stop:
            return "interrupted"
        if due:
            resuming.save(learner)
            clock.saved()
    return "done"


def _train_step(run: TrainingRun, learner: Trainer, batch: Batch, lr: float) -> Generator[Event, None, StepResult]:
    """A step; where memory runs out, it is tried again with fewer rows at a time, to the same end."""
    while True:
        try:
            return learner.train_step(batch, lr)
        except OutOfMemory:
            learner.halve_micro_batch(run.train_batches)
        yield MicroBatchHalved(learner.progress.update, learner.progress.max_rows)


def _plan(run: TrainingRun, phases: Sequence[Phase]) -> list[PlannedPhase]:
    """How many steps each phase takes."""
    left = run.settings.max_updates or None
    plan = []
    for phase in phases:
        whole = (
            phase.epochs or optimizers.epoch_count(run.settings, run.train_batches.per_epoch)
        ) * run.train_batches.per_epoch
        steps = whole if left is None else min(whole, left)
        left = None if left is None else left - steps
        plan.append(PlannedPhase(phase.name, steps, whole))
    return plan


def _started_event(run: TrainingRun, learner: Trainer, phase: str, plan: Sequence[PlannedPhase]) -> Started:
    train, valid = (run.data.splits[part] for part in ("train", "valid"))
    parameters = sum(parameter.numel() for parameter in learner.network.parameters())
    return Started(
        phase, learner.progress.update, sum(each.updates for each in plan), run.train_batches.per_epoch, parameters,
        run.device, learner.precision,
        (train.pieces, valid.pieces), (train.count, valid.count), tuple(plan),
    )  # fmt: skip


Origin = load_checkpoint.OpenCheckpoint
"""What to start from."""


def open_origin(path: Path, representation: str) -> Origin:
    """Open the checkpoint at `path` for fine-tuning; prepare the data with `fitted=True` and its representation.

    Raises CheckpointError where it is of another representation than the one named.
    """
    return load_checkpoint.open_checkpoint(path, representation, "train {} --from")


def _check_origin(run: TrainingRun) -> None:
    if run.origin is not None and run.origin.header.spec != run.data.spec:
        raise CheckpointError(
            "the checkpoint to start from has another vocabulary than these pieces",
            "leave out -o options that it was not made with, or train a new model without --from",
        )
