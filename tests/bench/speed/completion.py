"""Processor time of Tab in a shell, as a multiple of that of `composer --help`: medians of pairs of processes.

    python tests/bench/speed/completion.py [--pairs 20] [LINE ...]

Compile the modules first, as an installation does: python -m compileall -q composer plugins
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

from composer.cli.completion.scripts import LINE, VARIABLE

LINES = (
    "composer ",
    "composer gen ",
    "composer gen abc --key ",
    "composer gen abc --rhythm ",
    "composer gen abc --instrument ",
    "composer gen abc --format ",
    "composer gen abc -c ",
    "composer gen text --condition ",
    "composer train ",
    "composer train abc --preset ",
    "composer plugins ",
    "composer models use ",
    "composer eval ",
    "composer show abc",
    "composer config set ",
    "composer help ",
)
"""Lines at whose end Tab is pressed."""
COMMAND = [sys.executable, "-m", "composer"]


def main(arguments: list[str] | None = None) -> None:
    """Print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines", nargs="*", metavar="LINE", default=LINES)
    parser.add_argument("--pairs", type=int, default=20)
    options = parser.parse_args(arguments)
    for line in options.lines:
        measure(line, options.pairs)


def measure(line: str, pairs: int) -> None:
    """Print the times of Tab after `line` and of the help, and their ratio."""
    tab, usage = {**os.environ, VARIABLE: "complete_zsh", LINE: line}, dict(os.environ)
    seconds([*COMMAND], tab), seconds([*COMMAND, "--help"], usage)
    times = [(seconds(COMMAND, tab), seconds([*COMMAND, "--help"], usage)) for _ in range(pairs)]
    ratio = statistics.median(ours / other for ours, other in times)
    ours, other = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{line!r:34} {1000 * ours:5.0f} ms, help {1000 * other:5.0f} ms: {ratio:.2f} times", flush=True)


def seconds(command: list[str], environ: dict[str, str]) -> float:
    """Return the processor time of a process and of its children."""
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
