"""Run one training: start or resume it, follow its validations, and stop it at its time limit."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

from composer.checkpoints.file import read_header
from composer.checkpoints.training_files import state_path

from ..commands import process, tidy, words
from ..stages import Stage
from .adoption import trained_from
from .store import CUT, Point, Store, Trained, chain

NEARLY = 0.98
"""A training that was stopped after this share of its time limit is complete."""


INTERRUPTED = 128 + signal.SIGINT
"""Exit code of a training that was stopped with Ctrl-C."""


class Failed(Exception):
    """A command failed; the text is its error."""


@dataclass(frozen=True)
class Limits:
    """`data` is the data folder; each training is stopped after `budget` seconds, if given.

    Without `intervals`, only the figures themselves are measured, half the work.
    """

    data: str
    budget: float | None = None
    intervals: bool = True

    def seconds(self, stage: Stage) -> float | None:
        """Return the time limit of a stage's trainings."""
        given = [seconds for seconds in (stage.seconds, self.budget) if seconds is not None]
        return min(given, default=None)


def trained(stage: Stage, seed: int, store: Store, limits: Limits) -> str:
    """Complete the trainings of a stage and return the key of the last. Raises Failed.

    If one is continued, those after it are done again.
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
    """Whether a training with a limit of `most` seconds is complete."""
    return found.reason != CUT or (most is not None and found.seconds >= NEARLY * most)


def _train(command: str, seed: int, key: str, before: str, store: Store, data: str, most: float | None) -> None:
    """Start or resume a training until its end or its time limit, and save the result."""
    arguments = [*words(command, {"DATA": data, "BEFORE": store.model(before)}), "--seed", str(seed)]
    state = state_path(store.model(key))
    spent = 0.0
    if state.exists() and (progress := read_header(state).record.get("progress")):
        spent = progress["seconds"]
        print(f"  {tidy(command)} (resuming from update {progress['update']:,})", flush=True)
        arguments = resumed(arguments)
        store.begin_curve(key, progress["update"])
    else:
        print(f"  {tidy(command)}", flush=True)
        arguments.append("--force")
        store.begin_curve(key, -1)
    follow([*arguments, "--name", key, "--json"], key, spent, store, most)
    store.keep_trained(key, trained_from(command, seed, read_header(store.model(key)).record))


def resumed(arguments: Sequence[str]) -> list[str]:
    """Return the arguments that resume a training."""
    return ["train", arguments[1], "--resume"]


def follow(arguments: Sequence[str], key: str, spent: float, store: Store, most: float | None) -> None:
    """Run a training that has taken `spent` seconds so far, and save its validations. Raises Failed.

    It has its own session, so that Ctrl-C only reaches this process, which then stops it once.
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
    """Follow the events; return whether the time limit was reached."""
    assert running.stdout is not None
    began, over = None, False
    for line in running.stdout:
        event = json.loads(line)
        now = time.monotonic()
        if event["event"] == "started":
            if began is not None:  # another phase, whose validations are not comparable
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
    """Return the error in a command's stderr, else its last line."""
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error:")]
    return (errors or lines or ["it ended without a message"])[-1]
