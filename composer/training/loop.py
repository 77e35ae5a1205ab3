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
        ...                                         # Prepared, Started, Stepped, Validated, Saved, Snapshot, Finished

To go on (`--resume`), the settings of the training so far are in `saved_header(path)`, and its data in
`began(header, representation)`. To fine-tune (`--from`), see `open_origin`. To stop in good order (Ctrl-C), let
`stop` return true: the step is finished, the state saved, and the last event is Finished with the reason
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
from composer.distributed.group import Group
from composer.system import malloc
from composer.system.out_of_memory import OutOfMemory, TooLarge, fitting
from composer.training import optimizer as optimizers
from composer.training import resume as resuming
from composer.training import validation
from composer.training.divergence import Diverged, check_finite
from composer.training.events import Event, Finished, Halved, Prepared, Started, Stepped, Stretch, WentBack
from composer.training.gradient_step import Step
from composer.training.optimizer import Settings
from composer.training.resume import Began, began, saved_header, state_path
from composer.training.timing import Clock, Meter
from composer.training.trainer import Learner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from composer.api.network import Batch, Phase

__all__ = ["Began", "Origin", "Run", "Settings", "began", "open_origin", "saved_header", "state_path", "train"]

LEAST_BETWEEN, MOST_BETWEEN = 20, 1000
"""Validations are an epoch apart, but no fewer and no more steps than these."""

STREAMS = 16
"""The rows of a validation part that is one text: at the beginning of each, nothing of it is known."""


def _never() -> bool:
    return False


@dataclass(frozen=True, eq=False)
class Run:
    """All that a training run needs. `representation` is fitted, and `data` was prepared with it.

    `path` is the checkpoint to write, `device` one that `device.resolve` gave. `names` are the data as the user named
    them, for messages. `origin` is a checkpoint to start from. `stop` is asked after every step. `group` are the
    processes that train together, each with a Run that differs in nothing but `device` and `stop`; the first of them
    writes to `path`.
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
    names: Sequence[str] = ()
    stop: Callable[[], bool] = _never
    group: Group = field(default_factory=Group)

    @cached_property
    def windows(self) -> Windows:
        """What is learnt from."""
        how = self.settings
        return Windows(
            self.data.parts["train"],
            self.data.spec,
            batch=how.batch,
            length=how.length,
            align=how.align,
            seed=how.seed,
            stream=how.stream,
        )

    @cached_property
    def validation(self) -> Windows:
        """What the best checkpoint is chosen by."""
        how = self.settings
        return Windows(
            self.data.parts["valid"],
            self.data.spec,
            batch=min(how.batch, STREAMS) if how.stream else how.batch,
            length=how.length,
            align=how.align,
            stream=how.stream,
        )

    @cached_property
    def taught(self) -> Mapping[str, NDArray[Any]]:
        """What a checkpoint keeps beside its weights: the melodies of the pieces and those that `origin` knew."""
        return copying.kept(self.data.melodies, self.origin)

    @cached_property
    def usual_length(self) -> int:
        """How many steps the longer of the pieces have that are learnt; found once, since every saving tells it."""
        return self.data.parts["train"].usual_length

    @property
    def validated(self) -> bool:
        """Whether there is a validation part."""
        return self.data.parts["valid"].count > 0

    @property
    def unit(self) -> str:
        """What validation values are reported in."""
        unit = "bits" if self.data.spec.kind is StepKind.TOKENS else "nats"
        return f"{unit} per {self.representation.step_name}"

    def reported(self, nats: float) -> float:
        """Nats a step in that unit."""
        return nats / math.log(2) if self.data.spec.kind is StepKind.TOKENS else nats


def train(run: Run) -> Iterator[Event]:
    """Train, and leave the best model in `run.path`, beside it the state to go on from.

    Raises UsageError for settings by which these pieces cannot be learnt, CheckpointError where something cannot be
    saved or does not fit (what was saved before is whole), and Diverged where descent goes astray: a better model that
    was kept before then stays. Raises TooLarge where memory does not suffice.
    """
    yield Prepared(**asdict(run.data.report), cached=run.data.cached)
    run.settings.check(augment=run.data.augment)
    _check_origin(run)
    malloc.keep_freed_memory()
    consistency.check_alike(run)
    with fitting("the model"):
        learner = Learner.begin(run)
    if run.resume:
        if (kept := resuming.restore(learner)) > learner.at.step:
            yield WentBack(learner.at.step, kept)
    else:
        _forget(run)
        resuming.save(learner)
    try:
        with fitting("this training"):
            yield from _through(run, learner)
    except (Diverged, NotFinite, TooLarge) as error:
        if not run.resume and not learner.kept:  # nothing to go on with, and the name is free for another try
            _forget(run)
        if isinstance(error, NotFinite):
            raise Diverged(learner.at.step, "its weights are no numbers any more") from error
        raise


def _through(run: Run, learner: Learner) -> Iterator[Event]:
    """Train to the end, or to where the user wants it to end."""
    try:
        reason = yield from _phases(run, learner)
    except KeyboardInterrupt:  # in the middle of a step: what was saved last is what there is
        if not run.group.alone:  # the others are in the middle of theirs
            raise
        reason = "interrupted"
    else:
        resuming.save(learner)
        yield from validation.finish(run, learner, reason)
    yield Finished(learner.at.step, reason, learner.at.best, run.path)


def _forget(run: Run) -> None:
    """Remove the training state that is there."""
    if run.group.first:
        state_path(run.path).unlink(missing_ok=True)


def _phases(run: Run, learner: Learner) -> Generator[Event, None, str]:
    """Go through what is left of each phase; why training ended."""
    phases = learner.phases
    plan = _plan(run, phases)
    while True:
        phase, steps = phases[learner.at.phase], plan[learner.at.phase].steps
        learner.enter(phase)
        if learner.at.phase and not learner.at.done:  # what is kept from now on is of this phase
            resuming.save(learner)
        yield _started(run, learner, phase.name, plan)
        reason = yield from _descend(run, learner, phase, steps)
        # a phase that got no better makes room for the next; the last that has steps is never left, so that it can go
        # on when more are asked for
        if reason == "interrupted" or not any(after.steps for after in plan[learner.at.phase + 1 :]):
            break
        learner.at.phase, learner.at.done, learner.stream = learner.at.phase + 1, 0, None
        learner.at.stale, learner.at.best, learner.at.reported = 0, None, None
    if learner.at.step in run.settings.snapshots:
        yield from validation.snapshot(run, learner)
    return reason


def _descend(run: Run, learner: Learner, phase: Phase, steps: int) -> Generator[Event, None, str]:
    """The loop itself, to the end of a phase of `steps` steps."""
    at, settings, per_epoch = learner.at, run.settings, run.windows.per_epoch
    own = run.group.rows(run.windows.rows)
    between = settings.validate_every or min(max(per_epoch, LEAST_BETWEEN), MOST_BETWEEN)
    meter, clock = Meter(run.device), Clock(at)
    if run.origin is not None and run.validated and at.step == 0:  # what it starts from stays until something is better
        yield from validation.validate(run, learner, 0.0, math.inf)
    while at.done < steps:
        if settings.patience and at.stale >= settings.patience:
            return "early"
        if at.step in settings.snapshots:
            yield from validation.snapshot(run, learner)
        epoch, window = divmod(at.done, per_epoch)
        if window == 0:
            learner.stream = None
        batch = run.windows.window(epoch, window, own)
        lr = optimizers.learning_rate(settings, phase.lr or settings.lr, at.done, steps, per_epoch)
        step = yield from _learn(run, learner, batch, lr)
        meter.add(step.monitor, step.counted)
        validates, kept = at.done % between == 0 or at.done == steps, False
        if meter.full or validates:
            monitor, rate = meter.read()
            check_finite(monitor, at.step)
            yield Stepped(at.step, at.done / per_epoch, monitor, lr, rate)
        if validates:
            kept = yield from validation.validate(run, learner, at.done / per_epoch, monitor)
            learner.kept |= kept
            meter.restart()
        clock.tick()
        stop, due = run.group.any(run.stop(), run.group.first and clock.due(settings.save_every, kept))
        if stop:
            return "interrupted"
        if due:
            resuming.save(learner)
            clock.saved()
    return "done"


def _learn(run: Run, learner: Learner, batch: Batch, lr: float) -> Generator[Event, None, Step]:
    """A step; where memory runs out, it is tried again with fewer rows at a time, to the same end."""
    while True:
        try:
            return learner.learn(batch, lr)
        except OutOfMemory:
            learner.halve(run.windows)
        yield Halved(learner.at.step, learner.at.rows)


def _plan(run: Run, phases: Sequence[Phase]) -> list[Stretch]:
    """How many steps each phase takes."""
    left = run.settings.max_steps or None
    plan = []
    for phase in phases:
        whole = (phase.epochs or optimizers.epochs(run.settings, run.windows.per_epoch)) * run.windows.per_epoch
        steps = whole if left is None else min(whole, left)
        left = None if left is None else left - steps
        plan.append(Stretch(phase.name, steps, whole))
    return plan


def _started(run: Run, learner: Learner, phase: str, plan: Sequence[Stretch]) -> Started:
    train, valid = (run.data.parts[part] for part in ("train", "valid"))
    parameters = sum(parameter.numel() for parameter in learner.network.parameters())
    return Started(
        phase, learner.at.step, sum(each.steps for each in plan), run.windows.per_epoch, parameters,
        run.device, learner.precision,
        (train.pieces, valid.pieces), (train.count, valid.count), tuple(plan),
    )  # fmt: skip


Origin = load_checkpoint.Opened
"""What to start from."""


def open_origin(path: Path, representation: str) -> Origin:
    """Open the checkpoint at `path` for fine-tuning; prepare the data with `fitted=True` and its representation.

    Raises CheckpointError where it is of another representation than the one named.
    """
    return load_checkpoint.open_checkpoint(path, representation, "train {} --from")


def _check_origin(run: Run) -> None:
    if run.origin is not None and run.origin.header.spec != run.data.spec:
        raise CheckpointError(
            "the checkpoint to start from has another vocabulary than these pieces",
            "leave out -o options that it was not made with, or train a new model without --from",
        )
