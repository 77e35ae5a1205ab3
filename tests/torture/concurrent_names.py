"""Two runs that start together under one name: each keeps what it reports, or is refused in one line.

    python tests/torture/concurrent_names.py [SEED] [SECONDS]

prints a line for each pair of runs. Each has a seed of its own, by which its model or file is recognized.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from script import start

from composer.checkpoints.file import read_header

TUNES = "".join(
    f"X:{number}\nM:4/4\nL:1/8\nK:G\n|:GA{note}c d2{note}A|{note}2c2 d4:|\n\n"
    for number, note in enumerate("ABcdefg", 1)
)
SIZE = ("hidden=8", "layers=1", "embedding=4", "batch_size=4", "seq_length=16", "max_updates=3")
TRAIN = ("train", "abc", "tunes.abc", *itertools.chain(*(("--set", each) for each in SIZE)))
MORE_UPDATES = 6
SECOND_SEED = 10**6
"""The seed of a second run is larger."""
GENERATE = ("gen", "abc", "--candidates", "1", "--length", "80")


class Ended(NamedTuple):
    """A run with its seed, its exit code and its stderr."""

    seed: int
    code: int
    stderr: str

    @property
    def refused(self) -> bool:
        """Whether it was refused in one line and a hint, since the other one was first."""
        lines = [line for line in self.stderr.splitlines() if not line.startswith("warning:")]
        first = re.search("is in use by process [0-9]+ since|already exists", lines[0]) if lines else None
        return self.code == 1 and [line.partition(":")[0] for line in lines] == ["error", "hint"] and first is not None


def _models(folder: Path, ended: Ended) -> bool:
    """Return whether the model that a training reports is its own."""
    found = re.search(r"^saved (.*)$", ended.stderr, re.MULTILINE)
    return found is not None and _is_of(Path(found[1]), ended)


def _output(folder: Path, ended: Ended) -> bool:
    """Return whether the copy of a model is that of a training."""
    return _is_of(folder / "out.safetensors", ended)


def _named(folder: Path, ended: Ended) -> bool:
    """Return whether the model `mine` is that of a training, named by --name or --output."""
    return _is_of(folder / "home" / "models" / "mine.safetensors", ended)


def _is_of(path: Path, ended: Ended) -> bool:
    return bool(read_header(path).record["settings"]["seed"] == ended.seed)


def _resumed(folder: Path, ended: Ended) -> bool:
    """Return whether the training that both resume is finished."""
    record = read_header(folder / "home" / "models" / "mine.safetensors").record
    return bool(record["finished"]) and record["updates"] == MORE_UPDATES


def _file(folder: Path, ended: Ended) -> bool:
    return f'"seed":{ended.seed}' in (folder / "out.abc").read_text()


def _files(folder: Path, ended: Ended) -> bool:
    return all(f'"seed":{ended.seed + n - 1},' in (folder / f"{n}.abc").read_text() for n in range(1, 5))


def _files_or_first(folder: Path, ended: Ended) -> bool:
    """Return whether the files of the first run are there, or the one of the second run."""
    return (
        _files(folder, ended) if ended.seed < SECOND_SEED else f'"seed":{ended.seed}' in (folder / "1.abc").read_text()
    )


class Pair(NamedTuple):
    """The arguments of two runs, and whether what a run reports is there. At least `succeed` of them succeed.

    `second` are those of the second run if they differ. A run `before` both makes what they resume or replace. If they
    `replace` files, the later one may succeed too.
    """

    name: str
    arguments: Sequence[str]
    keeps: Callable[[Path, Ended], bool]
    succeed: int = 1
    second: Sequence[str] = ()
    before: Sequence[str] = ()
    replace: bool = False
    seeded: bool = True


MINE = ("--name", "mine")
COUNT = ("--count", "4")
RESUME = ("train", "abc", *MINE, "--resume", "--max-updates", str(MORE_UPDATES))
PAIRS = (
    Pair("train, one name", (*TRAIN, *MINE), _models),
    Pair("train, no name", TRAIN, _models, succeed=2),
    Pair("train --force", (*TRAIN, *MINE, "--force"), _models, before=(*TRAIN, *MINE), replace=True),
    Pair("train --resume", RESUME, _resumed, before=(*TRAIN, *MINE), replace=True, seeded=False),
    Pair(
        "train, one --output",
        (*TRAIN, "--name", "one", "--output", "out.safetensors"),
        _output,
        second=(*TRAIN, "--name", "two", "--output", "out.safetensors"),
    ),
    Pair(
        "train --name and --output",
        (*TRAIN, *MINE),
        _named,
        second=(*TRAIN, "--name", "two", "--output", "home/models/mine.safetensors"),
    ),
    Pair("gen, one file", (*GENERATE, *COUNT, "--output", "out.abc"), _file),
    Pair("gen, one file of one piece", (*GENERATE, "--output", "out.abc"), _file),
    Pair("gen, numbered files", (*GENERATE, *COUNT, "--output", "%d.abc"), _files),
    Pair("gen --force, one file", (*GENERATE, *COUNT, "--output", "out.abc", "--force"), _file, replace=True),
    Pair("gen --force, numbered files", (*GENERATE, *COUNT, "--output", "%d.abc", "--force"), _files, replace=True),
    Pair(
        "gen, numbered files and one",
        (*GENERATE, *COUNT, "--output", "%d.abc", "--force"),
        _files_or_first,
        second=(*GENERATE, "--output", "1.abc", "--force"),
        replace=True,
    ),
    Pair(
        "gen and gen --resume",
        (*GENERATE, *COUNT, "--output", "out.abc"),
        _file,
        second=(*GENERATE, *COUNT, "--output", "out.abc", "--resume"),
    ),
)


def outcomes(seed: int, budget_seconds: float) -> Iterator[tuple[Pair, str, str]]:
    """Run the pairs in turn until the time is over; yield how each ended, and what is wrong with that."""
    rng, end = random.Random(seed), time.monotonic() + budget_seconds
    for pair in itertools.cycle(rng.sample(PAIRS, len(PAIRS))):
        if time.monotonic() > end:
            return
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "tunes.abc").write_text(TUNES)
            delay = rng.choice((0.0, 0.0, rng.uniform(0, 1)))
            seeds = [rng.randrange(SECOND_SEED), SECOND_SEED + rng.randrange(SECOND_SEED)]
            if pair.before:
                _start(folder, pair.before).communicate()
            ended = _run_together(pair, folder, seeds, delay)
            yield pair, *_judge(pair, folder, ended)


def _run_together(pair: Pair, folder: Path, seeds: Sequence[int], delay: float) -> list[Ended]:
    """Start two runs, the second one `delay` seconds later, and wait for both."""
    processes: list[subprocess.Popen[str]] = []
    for seed, arguments in zip(seeds, (pair.arguments, pair.second or pair.arguments), strict=True):
        time.sleep(delay if processes else 0)
        processes.append(_start(folder, [*arguments, *(("--seed", str(seed)) if pair.seeded else ())]))
    ended = [
        (seed, process.communicate()[1], process.returncode) for seed, process in zip(seeds, processes, strict=True)
    ]
    return [Ended(seed, code, stderr) for seed, stderr, code in ended]


def _start(folder: Path, arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Start the program in `folder`."""
    return subprocess.Popen(
        [sys.executable, "-m", "composer", *arguments],
        cwd=folder, env={**os.environ, "COMPOSER_HOME": str(folder / "home")}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def _judge(pair: Pair, folder: Path, ended: Sequence[Ended]) -> tuple[str, str]:
    """Return how the runs of a pair ended, and what is wrong with that; empty if nothing is."""
    done = [each for each in ended if each.code == 0]
    shown = f"{len(done)} done, {sum(each.refused for each in ended)} refused"
    if len(done) < pair.succeed:
        return shown, "too few succeeded: " + "; ".join(each.stderr.strip() for each in ended if each.code)
    for each in ended:
        if each.code and not each.refused:
            return shown, f"failed in another way: {each.stderr.strip()}"
    kept = [pair.keeps(folder, each) for each in done]
    if not (any(kept) if pair.replace else all(kept)):
        return shown, "what a run reports is not there"
    left = [path.name for path in folder.rglob(".*") if path.is_file()] + [p.name for p in folder.rglob("lock")]
    return shown, f"left behind: {', '.join(left)}" if left else ""


def run(seed: int = 0, budget_seconds: float = 600.0) -> int:
    """Run pairs until the time is over, print how each ended, and return how many broke the promise."""
    failures = done = 0
    for pair, shown, broken in outcomes(seed, budget_seconds):
        failures, done = failures + bool(broken), done + 1
        print(f"{pair.name:28} {shown}{f'  BROKEN: {broken}' if broken else ''}", flush=True)
    print(f"{done} pairs of runs, {failures} broke the promise")
    return failures


if __name__ == "__main__":
    start(run)
