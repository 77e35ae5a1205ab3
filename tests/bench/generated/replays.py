"""Reproduce 100 pieces of the bundled models byte for byte, in every format with provenance.

    python tests/bench/generated/replays.py [--processes]

For each representation and format, generate eight pieces in a batch and reproduce each of them alone; then others with
various options. With `--processes`, each is reproduced in its own process, as a user does it.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from composer.cli.app import main as composer
from composer.cli.console import Console
from composer.formats import format_named, provenance
from composer.registry import plugins as registry

REPRESENTATIONS = ("abc", "grid", "pianoroll")
SIDE_BY_SIDE = 8
OPENING = "X:1\nM:4/4\nL:1/8\nK:C\nCDEF GABc|dcBA GFED|\n"

OPTIONS = (
    ("--temp", "0.6..1.2", "--top-k", "12"),
    ("--temp", "1.3", "--top-p", "0.95", "--batch-size", "5"),
    ("--temp", "0.8", "--min-p", "0.02", "--length", "300"),
    ("--prime", "opening.abc", "--batch-size", "2"),
    ("--candidates", "4", "--keep", "1"),
    ("--max-copy", "9"),
    ("--unconstrained", "--batch-size", "3"),
    ("--tempo", "96", "--instrument", "24", "--velocity", "90"),
    ("--batch-size", "64"),
)
"""Options of the other pieces, whose representation and format alternate."""


def main() -> None:
    """Generate, reproduce, and print how many are identical."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", action="store_true")
    given = parser.parse_args()
    same, all_, took = Counter[str](), Counter[str](), 0.0
    with tempfile.TemporaryDirectory() as folder:
        for kind, path in list(composed(Path(folder))):
            begin = time.perf_counter()
            again = replayed(path, given.processes)
            took += time.perf_counter() - begin
            all_[kind] += 1
            same[kind] += again == path.read_bytes()
            if again != path.read_bytes():
                print(f"{path.name} differs: {path.read_bytes()[:400]!r}")
    for kind, number in all_.items():
        print(f"{kind:24} {same[kind]:3} of {number:3} identical")
    print(f"{'all':24} {same.total():3} of {all_.total():3} identical, {1000 * took / all_.total():.0f} ms each")


def composed(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield 100 pieces, each in its own file, with their kind."""
    (folder / "opening.abc").write_text(OPENING)
    pairs = [
        (name, form)
        for name in REPRESENTATIONS
        for form in registry.representation(name).formats
        if provenance.can_hold(form)
    ]
    number = 0
    for place, (name, form) in enumerate(pairs):
        pattern = f"{name}-{form}-%d{format_named(form).suffixes[0]}"
        run("gen", name, "--count", str(SIDE_BY_SIDE), "--seed", str(1000 * place), "--output", str(folder / pattern))
        for piece in range(1, SIDE_BY_SIDE + 1):
            number += 1
            yield f"{name}, {form}", folder / (pattern % piece)
    for seed in range(100 - number):
        name, form = pairs[(seed + seed // len(pairs)) % len(pairs)]
        options = [str(folder / each) if each == "opening.abc" else each for each in OPTIONS[seed % len(OPTIONS)]]
        path = folder / f"more-{seed}{format_named(form).suffixes[0]}"
        run("gen", name, "--seed", str(seed), *options, "--output", str(path))
        yield f"{name}, {form}", path


def replayed(path: Path, process: bool) -> bytes:
    """Return the reproduction of the piece at `path`."""
    if process:
        return subprocess.run(
            [sys.executable, "-m", "composer", "replay", "-q", str(path)], stdout=subprocess.PIPE, check=False
        ).stdout
    return run("replay", str(path), fails=True)


def run(*arguments: str, fails: bool = False) -> bytes:
    """Return the program's output. A failure ends the benchmark, unless `fails`."""
    out, err = io.BytesIO(), io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    console = Console(io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(out, write_through=True), err, {})
    if composer([*arguments, "-q"], console) != 0 and not fails:
        err.seek(0)
        raise SystemExit(f"composer {' '.join(arguments)}: {err.read()}")
    return out.getvalue()


if __name__ == "__main__":
    main()
