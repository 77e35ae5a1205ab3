"""One training: begun, gone on with where it was stopped, followed, and ended when its time is up."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

from composer.checkpoints.file import read_header
from composer.training.resume import state_path

from .commands import process, tidy, words
from .stages import Stage
from .store import CUT, Point, Store, Trained, chain

NEARLY = 0.98
"""A training that was stopped after this share of its seconds has had them."""


INTERRUPTED = 128 + signal.SIGINT
"""How a training that Ctrl-C ended exits."""


class Failed(Exception):
    """A command ended with an error; the text is what it said."""


@dataclass(frozen=True)
class Limits:
    """`data` is the folder of data; each training is stopped after `budget` seconds, where one is given.

    Without `intervals`, only the figures themselves are measured: half the work.
    """

    data: str
    budget: float | None = None
    intervals: bool = True

    def seconds(self, stage: Stage) -> float | None:
        """How long a training of a stage may take."""
        given = [seconds for seconds in (stage.seconds, self.budget) if seconds is not None]
        return min(given, default=None)


def trained(stage: Stage, seed: int, store: Store, limits: Limits) -> str:
    """Do what is left of the trainings of a stage; the key of the last. Raises Failed.

    Those that went on from one that now learns more are done again.
    """
    before, keys = "", chain(stage, seed)
    for number, (command, key) in enumerate(zip(stage.train, keys, strict=True), 1):
        found, most = store.trained(key), limits.seconds(stage)
        if found is None or not is_whole(found, most):
            for after in keys[number:]:
                store.forget(after)
            _train(command, seed, key, before, store, limits.data, most)
        before = key
    return before


def is_whole(found: Trained, most: float | None) -> bool:
    """Whether nothing is left to do of a training that may take `most` seconds."""
    return found.reason != CUT or (most is not None and found.seconds >= NEARLY * most)


def _train(command: str, seed: int, key: str, before: str, store: Store, data: str, most: float | None) -> None:
    """Train, or go on, until the end or the time is up, and keep how it ended."""
    arguments = [*words(command, {"DATA": data, "BEFORE": store.model(before)}), "--seed", str(seed)]
    state = state_path(store.model(key))
    spent = 0.0
    if state.exists() and (progress := read_header(state).record.get("progress")):
        spent = progress["seconds"]
        print(f"  {tidy(command)} (on from update {progress['update']:,})", flush=True)
        arguments = resumed(arguments)
        store.begin_curve(key, progress["update"])
    else:
        print(f"  {tidy(command)}", flush=True)
        arguments.append("--force")
        store.begin_curve(key, -1)
    follow([*arguments, "--name", key, "--json"], key, spent, store, most)
    record = read_header(store.model(key)).record
    reported = record["reported"] if record["best"] is not None else None
    ended = {"steps": record["updates"], "seconds": record["seconds"], "best_step": record["best_update"]}
    store.keep_trained(
        key, Trained(tidy(command), seed, **ended, reported=reported, unit=record["unit"], reason=record["reason"])
    )


def resumed(arguments: Sequence[str]) -> list[str]:
    """The arguments that go on with a training: it brings its options, preset and settings with it."""
    return ["train", arguments[1], "--resume"]


def follow(arguments: Sequence[str], key: str, spent: float, store: Store, most: float | None) -> None:
    """Run the training whose clock stands at `spent` seconds, and keep its validations as they come. Raises Failed.

    It is a session of its own, so that Ctrl-C comes to this process alone, which lets it save, once.
    """
    with tempfile.TemporaryFile("w+") as errors:
        running = subprocess.Popen(
            process(arguments),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        try:
            over = _read(running, key, spent, store, most)
        except KeyboardInterrupt:
            running.send_signal(signal.SIGINT)
            running.communicate()
            raise
        if running.wait() not in ({0, INTERRUPTED} if over else {0}):
            errors.seek(0)
            raise Failed(complaint(errors.read()))


def _read(running: subprocess.Popen[str], key: str, spent: float, store: Store, most: float | None) -> bool:
    """Follow the events; whether the time was up before the end."""
    assert running.stdout is not None
    began, over = None, False
    for line in running.stdout:
        event = json.loads(line)
        now = time.monotonic()
        if event["event"] == "started":
            if began is not None:  # another phase, whose validations tell something else
                store.begin_curve(key, -1)
            began = began or now
        if began is None:
            continue
        seconds = spent + now - began
        if event["event"] == "validated":
            store.validated(key, Point(event["update"], seconds, event["reported"]))
        if most is not None and seconds > most and not over:
            over = True
            running.send_signal(signal.SIGINT)
    return over


def complaint(text: str) -> str:
    """The error in what a command wrote to stderr, else its last line."""
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error:")]
    return (errors or lines or ["it ended without a word"])[-1]
