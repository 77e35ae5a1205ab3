"""Large corpora: memory and time per update over the size of the data, and the startup of a second training.

    python tests/bench/speed/corpora.py [--megabytes 1 10 100] [--steps 40] [--again abc FOLDER...]

Print two Markdown tables. The text is generated. The first table is of `composer train text` with a small lstm: peak
memory of the process, and median time between updates. The second compares the time to the first update of two
trainings on the same data, by default 10 MB of text: of the whole process, which mostly imports torch the second time,
and of a process that has imported torch.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

SMALL = ["--set", "hidden=64", "--set", "layers=1", "--batch-size", "32", "--device", "cpu"]

INSIDE = """
import sys, time, torch
from composer.cli.train.names import Reservations
from composer.cli.train.prepare import TrainOptions, prepare
from composer.training.loop import train
started = time.perf_counter()
settings = ["hidden=64", "layers=1"]
options = TrainOptions(sys.argv[1], sys.argv[2:], model="lstm", settings=settings, name="b", force=True)
run = prepare(options, Reservations())
prepared = time.perf_counter()
for event in train(run):
    if type(event).__name__ == "Updated":
        break
print(prepared - started, time.perf_counter() - started)
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Print both tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--megabytes", type=int, nargs="*", default=[1, 10, 100])
    arguments.add_argument("--steps", type=int, default=40)
    arguments.add_argument("--again", nargs="+", metavar=("REP", "FILE"), help="data of your own for the second table")
    arguments.add_argument("--pairs", type=int, default=3)
    given = arguments.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COMPOSER_HOME"] = str(Path(folder) / "home")
        if given.megabytes:
            memory(Path(folder), given.megabytes, given.steps)
        if given.again:
            again(given.again, given.pairs)
        else:
            write_text(Path(folder) / "ten.txt", 10)
            again(["text", str(Path(folder) / "ten.txt")], given.pairs)


def memory(folder: Path, sizes: Sequence[int], steps: int) -> None:
    """Print memory and times for one file and for many files of each size."""
    print("| text | files | peak memory | reading and encoding | an update |\n|---|---|---|---|---|")
    valid = folder / "valid.txt"
    write_text(valid, 0.05)
    for megabytes in sizes:
        for count in (1, 10 * megabytes):
            data = folder / f"{megabytes}-{count}"
            data.mkdir()
            for number in range(count):
                write_text(data / f"{number}.txt", megabytes / count, seed=number)
            most, prepared, step = training([str(data), "--valid", str(valid), "--max-updates", str(steps)])
            print(f"| {megabytes} MB | {count} | {most:.0f} MB | {prepared:.1f} s | {1000 * step:.1f} ms |", flush=True)
            for path in data.iterdir():
                path.unlink()
    print()


def training(given: Sequence[str]) -> tuple[float, float, float]:
    """Return peak memory in MB, seconds until the data are prepared, and median seconds per update."""
    started, process = start(["text", *given])
    assert process.stdout is not None
    times = [(time.perf_counter() - started, json.loads(line)["event"]) for line in process.stdout]
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, "training failed"
    stepped = [seconds for seconds, event in times if event == "updated"]
    gaps = [later - earlier for earlier, later in itertools.pairwise(stepped[4:])]
    prepared = next(seconds for seconds, event in times if event == "prepared")
    return usage.ru_maxrss / 1024, prepared, statistics.median(gaps)


def start(given: Sequence[str]) -> tuple[float, subprocess.Popen[bytes]]:
    """Start a training with events on its stdout; return the start time and the process."""
    command = [sys.executable, "-m", "composer", "train", *given, "--json", "--quiet", "--name", "b", "--force", *SMALL]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return time.perf_counter(), subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)


def again(data: Sequence[str], pairs: int) -> None:
    """Print the ratio of a second training to the first."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for _ in range(pairs):
        for measured in (whole, inside):
            shutil.rmtree(Path(os.environ["COMPOSER_HOME"]) / "cache", ignore_errors=True)
            first, second = measured(data), measured(data)
            for name in first:
                rows.setdefault(name, []).append((first[name], second[name]))
    print("| to the first update | first training | second training | ratio |\n|---|---|---|---|")
    for name, times in rows.items():
        before, after = (statistics.median(side) for side in zip(*times, strict=True))
        ratio = statistics.median(second / first for first, second in times)
        print(f"| {name} | {before:.3f} s | {after:.3f} s | 1/{1 / ratio:.1f} |")


def whole(data: Sequence[str]) -> dict[str, float]:
    """Return the seconds from the start of a process to its first update."""
    started, process = start(data)
    assert process.stdout is not None
    next(line for line in process.stdout if json.loads(line)["event"] == "updated")
    taken = time.perf_counter() - started
    process.kill()
    process.communicate()
    return {"the whole process": taken}


def inside(data: Sequence[str]) -> dict[str, float]:
    """Return the seconds of preparing, and to the first update, with torch imported before."""
    done = subprocess.run([sys.executable, "-c", INSIDE, *data], capture_output=True, text=True, check=True)
    prepared, stepped = map(float, done.stdout.split())
    return {"without importing torch": stepped, "of it, preparing": prepared}


def write_text(path: Path, megabytes: float, seed: int = 0) -> None:
    """Write random verses with two blank lines between them."""
    generator = random.Random(seed)
    words = ["".join(generator.choices("etaoinshrdlucmfw", k=generator.randint(1, 9))) for _ in range(5000)]
    left = int(megabytes * 1e6)
    with path.open("w") as file:
        while left > 0:
            verse = "\n".join(" ".join(generator.choices(words, k=7)) for _ in range(generator.randint(4, 30)))
            file.write(f"{verse}\n\n\n"[:left])
            left -= len(verse) + 3


if __name__ == "__main__":
    main()
