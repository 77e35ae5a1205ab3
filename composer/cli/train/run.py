"""From what the user asked for to a model that is kept: training as it is seen, heard and stopped."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

import typer

from composer.cli.render.reading_progress import ReadingProgress
from composer.cli.train import prepare as preparation
from composer.cli.train import progress, tensorboard
from composer.cli.train.snapshots import generate_snapshot
from composer.cli.train.status import TrainingStatus, closing_line, unreached_line
from composer.distributed import environment, rendezvous
from composer.distributed.group import FailedElsewhere
from composer.system import device as devices
from composer.training import loop as training_loop
from composer.training import presets
from composer.training.events import Event, Finished, Started

if TYPE_CHECKING:
    from composer.cli.console import Console
    from composer.distributed.environment import ProcessInfo
    from composer.training.run import TrainingRun


def train_and_report(console: Console, asked: preparation.TrainOptions, log_dir: Path | None, *, as_json: bool) -> None:
    """Train as asked. Where several processes do so together, the first is seen and heard, the others not.

    An error on any of them is said by one, and ends all.
    """
    among = environment.from_environment()
    if log_dir is not None and among.is_main:
        tensorboard.check(log_dir)
    stop = _StopSignal(several=not among.is_single)
    heard = console if among.is_main else console.silenced()
    if asked.preset and asked.model not in {None, meant := presets.preset(asked.preset).model}:
        heard.warn(f"--model {asked.model} stands in for the preset's `{meant}`, whose settings are left out")
    asked = replace(asked, device=_local_device(asked.device, among))
    try:
        with rendezvous.process_group(among, asked.device) as others:
            with ReadingProgress(heard) as reading:
                run = preparation.prepare(asked, reading.update, stop.requested, others)
            if asked.device == "auto" and run.device == "cpu" and (reason := devices.unused_cuda_warning()):
                heard.warn(reason)
            if asked.resume and asked.name is None:
                heard.say(f"going on with {run.path.name.removesuffix('.safetensors')}")
            finished = _follow(heard, run, stop, log_dir if among.is_main else None, as_json=as_json)
    except FailedElsewhere:
        raise typer.Exit(1) from None
    _close(heard, run, finished, stop)


def _local_device(device: str, among: ProcessInfo) -> str:
    """What this process is to ask for, where the user asked for `device`."""
    return device if among.is_single else environment.device_of(devices.resolve(device), among, devices.cuda_devices())


def _follow(
    console: Console, run: TrainingRun, stop: _StopSignal, log_dir: Path | None, *, as_json: bool
) -> Finished | None:
    """Train, and report it."""
    told = progress.reporter(console, TrainingStatus(run.unit, run.in_unit), as_json=as_json)
    with stop.handling_signals():
        events = _with_warnings(training_loop.train(run), run.settings.snapshots, console)
        with tensorboard.TensorBoardWriter(log_dir, run) if log_dir is not None else nullcontext() as watching:
            return progress.follow(events, told, lambda event: generate_snapshot(run, event), watching)


class _StopSignal:
    """Whether Ctrl-C was pressed, or SIGTERM came: once lets the step be finished and saved, twice interrupts at once.

    Where several processes train, a launcher that is told to end may pass Ctrl-C on a second time, and SIGTERM to all:
    both are the same wish for FORCE_QUIT_SECONDS seconds.
    """

    def __init__(self, *, several: bool) -> None:
        self._several = several
        self._pressed: float | None = None
        self.number: int = signal.SIGINT

    def requested(self) -> bool:
        """True once it was pressed."""
        return self._pressed is not None

    @contextmanager
    def handling_signals(self) -> Iterator[None]:
        """While this lasts, Ctrl-C and SIGTERM are wishes; nothing is changed in a thread, which gets no signals."""
        if current_thread() is not main_thread():
            yield
            return
        before = {number: signal.signal(number, self._press) for number in (signal.SIGINT, signal.SIGTERM)}
        if self._several:  # it stays one: when a rank is lost, torchrun ends the others, who have a last word to say
            del before[signal.SIGTERM]
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _press(self, number: int, frame: object) -> None:
        now = time.monotonic()
        if self._pressed is None:
            self._pressed, self.number = now, number
        elif self._several and (number == signal.SIGTERM or now - self._pressed <= FORCE_QUIT_SECONDS):
            return
        else:
            raise KeyboardInterrupt


FORCE_QUIT_SECONDS = 5.0


def _with_warnings(events: Iterable[Event], snapshots: Sequence[int], console: Console) -> Iterator[Event]:
    """The events of a training, with warnings at its start of snapshots and phases that will never come."""
    begun = False
    for event in events:
        if isinstance(event, Started) and not begun:
            begun = True
            if late := [step for step in snapshots if step > event.updates]:
                console.warn(
                    f"--snapshots {','.join(map(str, late))} will not come: training ends at step {event.updates:,}"
                )
            if (missing := unreached_line(event)) is not None:
                console.warn(missing)
        yield event


def _close(console: Console, run: TrainingRun, finished: Finished | None, stop: _StopSignal) -> None:
    """Say how it ended, and how to go on or hear it."""
    name, rep = run.path.name.removesuffix(".safetensors"), run.representation.name
    quoted = f'"{name}"' if " " in name else name
    if finished is not None:
        console.say(closing_line(finished, run.unit, run.in_unit))
    if finished is None or finished.reason == "interrupted":
        console.say(f"saved; go on with: composer train {rep} --name {quoted} --resume")
        console.say(f"hear it as it is:  composer gen {rep} --checkpoint {quoted}")
        raise typer.Exit(128 + stop.number)
    console.say(f"kept in {run.path}\nhear it: composer gen {rep}")
