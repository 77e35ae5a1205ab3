"""A training that gets a signal at a random moment, while starting too, and is resumed.

It leads to the same bits, nothing is left behind, and there is no traceback of the program. Python itself prints one
after Ctrl-C in the first hundredth of a second, before it runs any line of a program.

python tests/torture/interruptions.py [SEED] [SECONDS] [kill|signal]
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from script import start

import composer
from composer.checkpoints.file import load

PROGRAM = str(Path(composer.__file__).parent)
UPDATES = 60
TUNES = "".join(
    f"X:{number}\nM:4/4\nL:1/8\nK:G\n|:GA{note}c d2{note}A|{note}2c2 d4:|\n\n"
    for number, note in enumerate("ABcdefg", 1)
)
SETTINGS = (
    "hidden=8",
    "layers=1",
    "embedding=4",
    "batch_size=4",
    "seq_length=16",
    "validate_every=1",
    "save_every=0.001",
)
NOTHING_SAVED = "no training state", "no `abc` training run", "ended before it was first saved"
"""What `--resume` says of a training that was ended before it saved anything."""
TRAIN = ("train", "abc", "tunes.abc", "--name", "mine", "--seed", "1", "--device", "cpu", "--max-updates", str(UPDATES))


class Interruptions:
    """Interrupts trainings at random moments, and compares what resuming them leads to with a training that was not.

    `had_started` says whether the last training had reserved its name when the signal was sent, `had_state` whether it
    had saved a state.
    """

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng, self.folder = random.Random(seed), folder
        self.had_started = self.had_state = False
        began = time.monotonic()
        code, errors = self._train("whole")
        if code:
            raise RuntimeError(errors)
        self.seconds = time.monotonic() - began
        self.expected = self._weights("whole")

    def check(self, number: int) -> tuple[str, str]:
        """Interrupt a training by signal `number` and resume it; return what happened, and what is wrong with it."""
        with tempfile.TemporaryDirectory(dir=self.folder) as home:
            moment = self.rng.uniform(0, self.seconds)
            shown = f"{signal.Signals(number).name} after {moment:5.2f} s"
            code, errors = self._train(home, interrupt=(number, moment))
            shown += f", exit code {code}"
            python_started = not is_of_python(errors)
            if python_started and ("Traceback" in errors or "internal error" in errors):
                return shown, f"an internal error: {errors[-500:]}"
            if python_started and code not in exit_codes(number, has_started=self.had_started):
                return shown, f"another exit code: {errors[-500:]}"
            model = Path(self.folder, home, "models", "mine.safetensors")
            if self.had_state and number != signal.SIGKILL and not model.is_file():
                return shown, f"no model was saved: {errors[-500:]}"
            code, errors = self._train(home, "--resume")
            if code:  # there is nothing to resume only if it was ended before it saved anything
                if self.had_state or not any(each in errors for each in NOTHING_SAVED):
                    return shown, f"it cannot be resumed: {errors[-500:]}"
                code, errors = self._train(home)
            if code:
                return shown, f"it cannot be trained again: {errors[-500:]}"
            weights = self._weights(home)
            if weights.keys() != self.expected.keys() or any(
                not np.array_equal(weights[name], array) for name, array in self.expected.items()
            ):
                return shown, "other weights than without the interruption"
            files = [path.relative_to(self.folder / home) for path in (self.folder / home).rglob("*") if path.is_file()]
            left = [str(path) for path in files if path.name.startswith(".") or path.name == "lock"]
            return shown, f"left behind: {', '.join(left)}" if left else ""

    def _train(self, home: str, *options: str, interrupt: tuple[int, float] | None = None) -> tuple[int, str]:
        """Train to the end, or until a signal is sent after some seconds; return the exit code and stderr."""
        (self.folder / "tunes.abc").write_text(TUNES)
        arguments = [*TRAIN, *options]
        if "--resume" in options:
            arguments.remove("tunes.abc")
        for setting in SETTINGS:
            arguments += ["--set", setting]
        environ = {**os.environ, "COMPOSER_HOME": str(self.folder / home), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "composer", *arguments],
            cwd=self.folder, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        if interrupt is not None:
            number, seconds = interrupt
            self.had_started = self.had_state = False
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                training = Path(self.folder, home, "models", "training", "mine")
                self.had_state = (training / "state.safetensors").is_file()
                self.had_started = self.had_state or (training / "lock").is_file()
                process.send_signal(number)
        errors = process.communicate()[1]
        return process.returncode, errors

    def _weights(self, home: str) -> dict[str, np.ndarray]:
        return dict(load(next((self.folder / home).rglob("mine.safetensors")), half=True).weights)


def is_of_python(errors: str) -> bool:
    """Return whether a traceback is of Python before it runs the program, of which it names no file."""
    return "Traceback" in errors and errors.rstrip().endswith("KeyboardInterrupt") and PROGRAM not in errors


def exit_codes(number: int, *, has_started: bool) -> set[int]:
    """Return the exit codes that are promised after a signal; 0 if training was finished.

    The signal itself may end the process only while it starts, before it has handlers; SIGKILL always does.
    """
    if number == signal.SIGKILL:
        return {0, -number}
    return {0, 128 + number} if has_started else {0, 128 + number, -number}


SIGNALS = {"kill": [signal.SIGKILL], "signal": [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]}


def run(seed: int = 0, budget_seconds: float = 600.0, kind: str = "signal") -> int:
    """Interrupt trainings by the signals of a kind until the time is over; return how many broke the promise."""
    end, done, failures, numbers = time.monotonic() + budget_seconds, 0, 0, SIGNALS[kind]
    with tempfile.TemporaryDirectory() as folder:
        trainings = Interruptions(seed, Path(folder))
        while time.monotonic() < end or not done:
            shown, broken = trainings.check(numbers[done % len(numbers)])
            failures, done = failures + bool(broken), done + 1
            print(f"{shown}{f'  BROKEN: {broken}' if broken else ''}", flush=True)
    print(f"{done} interruptions, {failures} broke the promise")
    return failures


if __name__ == "__main__":
    start(run)
