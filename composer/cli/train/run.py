"""Run `composer train`: prepare, train, report events, and stop on signals."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import replace
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

import typer

from composer.checkpoints import store
from composer.cli import interrupts
from composer.cli.console import ClosedPipe, discard_output
from composer.cli.gen.default_candidates import is_music
from composer.cli.render.reading_progress import ReadingProgress
from composer.cli.render.text import count_noun
from composer.cli.train import automatic, progress, tensorboard
from composer.cli.train.names import Reservations
from composer.cli.train.options import TrainOptions
from composer.cli.train.prepare import prepare
from composer.cli.train.snapshots import generate_snapshot
from composer.cli.train.status import TrainingStatus, closing_line, unreached_line
from composer.distributed import environment, rendezvous
from composer.distributed.group import FailedElsewhere
from composer.system import device as devices
from composer.training import presets
from composer.training.events import Event, Finished, ModelLost, Prepared, RolledBack, Started, Validated
from composer.training.loop import train

if TYPE_CHECKING:
    from composer.cli.console import Console
    from composer.distributed.environment import ProcessInfo
    from composer.training.run import TrainingRun

FORCE_QUIT_SECONDS = 5.0
SIGPIPE = 13
"""Windows does not define it."""
CLOSED_PIPE = 128 + SIGPIPE
"""Exit code if nobody reads stdout to its end."""


def train_and_report(console: Console, options: TrainOptions) -> None:
    """Train and report. Of several processes, only the main one prints; an error on any of them ends all."""
    process = environment.from_environment()
    log_dir = options.log_dir if process.is_main else None
    if log_dir is not None:
        tensorboard.check(log_dir)
    stop = _StopSignal(several=not process.is_single)
    console = console if process.is_main else console.silenced()
    if options.preset and options.model not in {None, default := presets.preset(options.preset).model}:
        console.warn(f"--model {options.model} replaces the preset's `{default}`, so its model settings are ignored")
    options = replace(options, device=_local_device(options.device, process))
    try:
        with rendezvous.process_group(process, options.device) as group, Reservations() as held:
            with ReadingProgress(console) as reading:
                run = prepare(options, held, reading.update, stop.requested, group)
            for reason in held.unprotected:
                console.warn(f"{reason}; do not start a second run with this name")
            if options.device == "auto" and run.device == "cpu" and (warning := devices.unused_cuda_warning()):
                console.warn(warning)
            status = TrainingStatus(run.unit, run.in_unit, step_name=run.representation.step_name)
            reporter = progress.reporter(console, status, as_json=options.json)
            warnings = list[str]()
            events = _with_notes(train(run), run, console, _notes_after_reading(run, options), warnings)
            log: AbstractContextManager[tensorboard.TensorBoardWriter | None] = nullcontext()
            if log_dir is not None:
                folder = tensorboard.run_folder(log_dir, run.path.stem)
                console.say(f"logging to {folder}")
                log = closing(tensorboard.TensorBoardWriter(folder, run))
            with stop.handling_signals(reporter.show_stopping), log as writer:
                ending = progress.follow(
                    events, reporter, lambda event: generate_snapshot(run, event), writer, stop.after_failure
                )
    except FailedElsewhere:
        raise typer.Exit(1) from None
    if isinstance(ending.failure, ClosedPipe):
        discard_output(console.stdout)
    _close(console, run, ending, stop, warnings)


def _local_device(device: str, process: ProcessInfo) -> str:
    """Return the device of this process, if the user asked for `device`."""
    if process.is_single:
        return device
    return environment.device_of(devices.resolve(device), process, devices.cuda_devices())


class _StopSignal:
    """Whether a signal came: the first one finishes the update and saves, the second one interrupts at once.

    A report that fails counts as a signal. Of several processes, a launcher may pass on Ctrl-C a second time, and
    SIGTERM to all: within FORCE_QUIT_SECONDS they count as one.
    """

    def __init__(self, *, several: bool) -> None:
        self._several = several
        self._pressed: float | None = None
        self._on_first: Callable[[], object] = lambda: None
        self.number: int = signal.SIGINT

    def requested(self) -> bool:
        """Return whether a signal came."""
        return self._pressed is not None

    def after_failure(self, failure: Exception) -> None:
        """Stop because a report failed; the exit code for a closed pipe is that of SIGPIPE."""
        if self._pressed is None:
            self._pressed = time.monotonic()
            self.number = SIGPIPE if isinstance(failure, ClosedPipe) else 0

    @contextmanager
    def handling_signals(self, on_first: Callable[[], object]) -> Iterator[None]:
        """Handle Ctrl-C, SIGTERM and SIGHUP within the context; only the main thread gets signals.

        The first one also calls `on_first`, while the program may be anywhere.
        """
        self._on_first = on_first
        if current_thread() is not main_thread():
            yield
            return
        handled = [number for number in interrupts.SIGNALS if number == signal.SIGINT or _is_heeded(number)]
        before = {number: signal.signal(number, self._press) for number in handled}
        if self._several:  # keep it: when a rank is lost, torchrun terminates the others, which still report the error
            before.pop(signal.SIGTERM, None)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _press(self, number: int, frame: object) -> None:
        now = time.monotonic()
        interrupts.note(number)
        if self._pressed is None:
            self._pressed, self.number = now, number
            self._on_first()
        elif not (self._several and (number == signal.SIGTERM or now - self._pressed <= FORCE_QUIT_SECONDS)):
            raise KeyboardInterrupt


def _is_heeded(number: int) -> bool:
    """Return False for a signal that was ignored from the start, as SIGHUP is by `nohup`."""
    return signal.getsignal(number) is not signal.SIG_IGN


def _with_notes(
    events: Iterable[Event], run: TrainingRun, console: Console, after_reading: Sequence[str], warnings: list[str]
) -> Iterator[Event]:
    """Yield all events; say what comes `after_reading` the pieces and what is resumed, and warn of what is not reached.

    `warnings` gets those for the end.
    """
    started = rolled_back = False
    best = None
    for event in events:
        best = event.update if isinstance(event, Validated) and event.best else best
        if isinstance(event, Finished) and event.reason != "interrupted" and run.origin is not None and best == 0:
            warnings.append(f"no improvement on the held-out pieces, so {run.path.stem} is a copy of the old model")
        rolled_back |= isinstance(event, RolledBack)
        if isinstance(event, ModelLost):
            console.warn(f"{event.path} is missing or damaged, so the model of update {event.update:,} is saved there")
        if isinstance(event, Started) and not started:
            started = True
            if run.resume and not rolled_back:
                console.say(f"resuming {run.path.stem} from update {event.update:,}")
            if late := _late_snapshots(run, event.updates):
                console.warn(f"--snapshots {','.join(late)}: training ends at update {event.updates:,}")
            if (unreached := unreached_line(event)) is not None:
                console.warn(unreached)
        yield event
        for note in after_reading if isinstance(event, Prepared) else ():
            console.say(note)


def _notes_after_reading(run: TrainingRun, options: TrainOptions) -> list[str]:
    """Return what was chosen for the user, and what is done before the first update of a fine-tuning."""
    notes = [automatic.describe(run)] if automatic.is_automatic(options) else []
    if run.origin is not None and options.origin is not None:
        held_out = run.data.splits["valid"].pieces
        evaluated = f" and evaluating it on {count_noun(held_out, 'held-out piece')}" if run.has_validation else ""
        notes.append(f"loading {store.resolve_model(options.origin).stem}{evaluated}")
    return [note for note in notes if note]


def _late_snapshots(run: TrainingRun, updates: int) -> list[str]:
    """Return the snapshots that are after the last of `updates`, as --snapshots names them."""
    settings, per_epoch = run.settings, run.train_batches.batches_per_epoch
    late = [str(update) for update in settings.snapshots if update > updates]
    return late + [f"{epoch}e" for epoch in settings.snapshot_epochs if epoch * per_epoch > updates]


def _close(
    console: Console, run: TrainingRun, ending: progress.Ending, stop: _StopSignal, warnings: Sequence[str]
) -> None:
    """Print how training ended, and the commands to resume it or to generate. Raises what made reporting fail."""
    finished = ending.finished
    name, rep = run.path.stem, run.representation.name
    quoted = f'"{name}"' if " " in name else name
    generate = f"generate: composer gen {rep} --checkpoint {quoted}"
    use = f"make it the default: composer models use {quoted}"
    if finished is not None:
        console.say(closing_line(finished, run.unit, run.in_unit))
        if finished.output is not None:
            console.say(f"wrote {finished.output}")
    for warning in warnings:
        console.warn(warning)
    if finished is None or finished.reason == "interrupted":
        console.say(f"resume:   composer train {rep} --name {quoted} --resume")
        console.say(generate)
        if not stop.number and ending.failure is not None:
            raise ending.failure
        raise typer.Exit(128 + stop.number)
    console.say(f"saved {run.path}")
    console.say(generate)
    if is_music(run.representation):
        console.say(f"listen:   composer gen {rep} --checkpoint {quoted} --play")
    console.say(use)
    if isinstance(ending.failure, ClosedPipe):  # the reader did not see how training ended
        raise typer.Exit(CLOSED_PIPE)
    if ending.failure is not None:
        raise ending.failure
