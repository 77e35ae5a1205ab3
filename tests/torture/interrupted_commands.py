"""Commands that get a signal at a random moment, while starting too, and are run again.

A file that they write is whole or is not there, nothing is left behind, and there is no traceback of the program.

    python tests/torture/interrupted_commands.py [SEED] [SECONDS] [COMMAND]

COMMAND is the first word or words of one of `COMMANDS`, such as "convert".
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from interruptions import SIGNALS, exit_codes, is_of_python
from script import start

NOTES = "ABcdefga"
TUNES = "".join(
    f"X:{number}\nT:Tune {number}\nM:4/4\nL:1/8\nK:G\n|:GA{first}c d2{second}A|{second}2c2 d4|GA{first}c B2AF|G8:|\n\n"
    for number, (first, second) in enumerate(((first, second) for first in NOTES for second in NOTES), 1)
)
MELODY = "X:1\nT:A melody\nM:3/4\nL:1/4\nK:G\nG2B|d2B|c2A|G3|B2d|g2f|e2f|g3|]\n"
MADE = "made.abc"
INPUTS = {"tunes.abc": TUNES, "melody.abc": MELODY}
COMMANDS: tuple[Sequence[str], ...] = (
    ("gen", "abc", "--seed", "1", "--count", "4", "-o", "out/%d.abc"),
    ("gen", "grid", "--seed", "1", "--count", "2", "-o", "out/%d.mid"),
    ("gen", "pianoroll", "--seed", "1", "--bars", "8", "-o", "out/roll.musicxml"),
    ("gen", "text", "--seed", "1", "--length", "200", "-o", "out/poem.txt"),
    ("harmonize", "melody.abc", "--seed", "1", "--particles", "16", "-o", "out/chorale.abc"),
    ("harmonize", "tunes.abc", "--style", "chords", "-o", "out/chords.abc"),
    ("convert", "tunes.abc", "-o", "out/%d.musicxml"),
    ("convert", "tunes.abc", "-o", "out/%d.mid"),
    ("show", "melody.abc", "-o", "out/roll.svg"),
    ("show", "melody.abc", "--units"),
    ("play", "melody.abc", "-o", "out/melody.wav"),
    ("open", "melody.abc", "-o", "out/melody.html"),
    ("similar", "melody.abc", "--corpus", "tunes.abc"),
    ("map", "tunes.abc", "-o", "out/map.svg"),
    ("originality", MADE, "--corpus", "tunes.abc"),
    ("eval", "abc", "tunes.abc"),
    ("replay", MADE, "-o", "out/again.abc"),
    ("check", "tunes.abc"),
)
FORCED = ("gen", "harmonize", "convert", "show", "play", "open", "map", "replay")
"""The commands that replace a file only with --force."""
RECORD = ".composer"
"""The suffix of the hidden file by which `composer gen --resume` continues an interrupted run."""
MOST_SECONDS = 300.0


class Interruptions:
    """Interrupts a command at random moments, and compares what it leaves with what it writes otherwise."""

    def __init__(self, seed: int, folder: Path, arguments: Sequence[str]) -> None:
        self.rng, self.folder, self.arguments = random.Random(f"{seed} {arguments}"), folder, arguments
        self.has_handlers = False
        for name, text in INPUTS.items():
            (folder / name).write_text(text)
        if MADE in arguments:
            self._run(("gen", "abc", "--seed", "1", "-o", MADE))
        self._run(arguments)  # fills caches
        self.expected, self.others = self._written(), self._others()
        began = time.monotonic()
        self._run(self._again())
        self.seconds = time.monotonic() - began
        if self._written() != self.expected:
            raise RuntimeError(f"two runs of {' '.join(arguments)} write other bytes")

    def check(self, number: int) -> tuple[str, str]:
        """Interrupt the command by signal `number`, and run it again; return what happened, and what is wrong."""
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        moment = self.rng.uniform(0, self.seconds)
        code, errors = self._interrupted(number, moment)
        shown = f"{' '.join(self.arguments[:3])}: {signal.Signals(number).name} after {moment:5.2f} s, exit code {code}"
        if not is_of_python(errors):
            if "Traceback" in errors or "internal error" in errors:
                return shown, f"an internal error: {errors[-500:]}"
            if code not in exit_codes(number, has_started=self.has_handlers):
                return shown, f"another exit code: {errors[-500:]}"
        if wrong := self._fault_of(code):
            return shown, wrong
        resumable = any(name.endswith(RECORD) for name in self._written())
        self._run((*self.arguments, "--resume") if resumable else self._again())
        return shown, "" if self._written() == self.expected else "run again, it writes other bytes"

    def _fault_of(self, code: int) -> str:
        """Return what is wrong with the files after an exit code."""
        written = self._written()
        records = {name for name in written if name.endswith(RECORD)} if code else set()
        if changed := [name for name in written.keys() - records if self.expected.get(name) != written[name]]:
            return f"not whole: {', '.join(changed)}"
        if not code and written.keys() != self.expected.keys():
            return "it reports success, and not all files are there"
        left = sorted(self._others() - self.others)
        return f"left behind: {', '.join(left)}" if left else ""

    def _again(self) -> Sequence[str]:
        """Return the arguments with which the command may run over the files of an earlier run."""
        writes = self.arguments[0] in FORCED and "-o" in self.arguments
        return (*self.arguments, "--force") if writes else self.arguments

    def _written(self) -> dict[str, bytes]:
        """Return the files that the command wrote, hidden ones too."""
        out = self.folder / "out"
        return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}

    def _others(self) -> set[str]:
        """Return the names of other files, but those of caches that are not hidden."""
        files = {path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file()}
        hidden = {path for path in files if path.name.startswith(".")}
        return {str(path) for path in files if path.parts[0] != "out" and (path.parts[0] != "home" or path in hidden)}

    def _start(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        environ = {**os.environ, "COMPOSER_HOME": str(self.folder / "home"), "OMP_NUM_THREADS": "1"}
        environ["XDG_CACHE_HOME"] = environ["XDG_CONFIG_HOME"] = str(self.folder / "home")
        return subprocess.Popen(
            [sys.executable, "-m", "composer", *arguments],
            cwd=self.folder, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def _run(self, arguments: Sequence[str]) -> None:
        with self._start(arguments) as process:
            errors = process.communicate(timeout=MOST_SECONDS)[1]
        if process.returncode:
            raise RuntimeError(f"composer {' '.join(arguments)}: {errors[-500:]}")

    def _interrupted(self, number: int, moment: float) -> tuple[int, str]:
        """Run the command until a signal is sent after some seconds; return its exit code and stderr."""
        with self._start(self.arguments) as process:
            self.has_handlers = False
            try:
                process.wait(moment)
            except subprocess.TimeoutExpired:
                self.has_handlers = is_caught(process.pid, number)
                process.send_signal(number)
            errors = process.communicate(timeout=MOST_SECONDS)[1]
        return process.returncode, errors


def is_caught(process: int, number: int) -> bool:
    """Return whether a process has a handler for a signal; False where the system does not say it."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
    caught = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) >> (number - 1) & 1)


def run(seed: int = 0, budget_seconds: float = 600.0, command: str = "") -> int:
    """Interrupt the commands that begin so, in turn, until the time is over; return how many broke the promise.

    Each is interrupted by each signal at least once.
    """
    end, done, failures = time.monotonic() + budget_seconds, 0, 0
    chosen = [arguments for arguments in COMMANDS if " ".join(arguments).startswith(command)]
    with tempfile.TemporaryDirectory() as name:
        commands = list[Interruptions]()
        for number, arguments in enumerate(chosen):
            folder = Path(name, str(number))
            folder.mkdir()
            commands.append(Interruptions(seed, folder, arguments))
        while time.monotonic() < end or not done:
            for each in commands:
                for number in SIGNALS["signal"]:
                    shown, broken = each.check(number)
                    failures, done = failures + bool(broken), done + 1
                    print(f"{shown}{f'  BROKEN: {broken}' if broken else ''}", flush=True)
    print(f"{done} interruptions, {failures} broke the promise")
    return failures


if __name__ == "__main__":
    start(run)
