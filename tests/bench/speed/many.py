"""Generating many tunes: characters per second by batch size.

    python tests/bench/speed/many.py [--checkpoint FILE] [--rounds 3] [--whole 256]

The first table is of the bundled model with its constraint, which counts the positions that the model is given, the
second of one with 2 x 256 cells and random weights that never ends a tune, without a constraint. Output is discarded,
so this is the loop alone. Each round covers all batch sizes, so that ratios hold while the machine's speed drifts;
medians over rounds are printed. At the end, the whole program writes tunes to files, one at a time and in batches.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from generation import endless_checkpoint

from composer.api import Constraint
from composer.api.sampling.params import SamplingParams
from composer.checkpoints import store
from composer.checkpoints.load import LoadedModel, load_model
from composer.generation.generate import generate
from composer.generation.request import Generated, GenerationRequest

WIDTHS = (1, 16, 32, 64, 128, 256)


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--checkpoint", type=Path, default=store.bundled("abc"))
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--length", type=int, default=1000, help="maximum length of a tune")
    arguments.add_argument("--whole", type=int, default=256, help="number of tunes that the program writes; 0 to skip")
    given = arguments.parse_args()
    player = load_model(given.checkpoint)
    table(player, player.representation.constraint(), given.rounds, given.length)
    with tempfile.TemporaryDirectory() as folder:
        endless = Path(folder, "2x256.safetensors")
        endless_checkpoint(endless)
        table(load_model(endless), None, given.rounds, given.length // 10)
        if given.whole:
            programs(given.checkpoint, given.whole, Path(folder))


def table(player: LoadedModel, constraint: Constraint | None, rounds: int, length: int) -> None:
    """Print characters per second by batch size."""
    rates: dict[int, list[float]] = {width: [] for width in WIDTHS}
    for number in range(rounds + 1):
        for width in WIDTHS:
            request = GenerationRequest(
                length=length, count=max(8, width), seed=1 + number, requested_batch_size=width,
                sampling=SamplingParams(temperature=0.9),
            )  # fmt: skip
            begin = time.perf_counter()
            count = drawn(player, request, constraint)
            if number:  # the first round is a warm-up
                rates[width].append(count / (time.perf_counter() - begin))
    print(player.header.config)
    print("| batch size | characters/s | speedup |\n|---|---|---|")
    for width in WIDTHS:
        ratios = [a / b for a, b in zip(rates[width], rates[1], strict=True)]
        print(f"| {width} | {statistics.median(rates[width]):,.0f} | {statistics.median(ratios):.1f} |")
    print()


def drawn(player: LoadedModel, request: GenerationRequest, constraint: Constraint | None) -> int:
    """Return how many characters were generated."""
    events = generate(player.sampler, player.spec, request, constraint, ordered=False)
    return sum(len(event.steps) for event in events if isinstance(event, Generated))


def programs(checkpoint: Path, count: int, folder: Path) -> None:
    """Measure the whole program writing files: a few tunes one at a time, and many in batches."""
    few = max(1, count // 10)
    for width, pieces in ((1, few), (0, count)):
        for extra in ([], ["--unconstrained"]):
            output = folder / f"{width}{''.join(extra)}" / "%06d.abc"
            command = ["-m", "composer", "gen", "abc", "--checkpoint", checkpoint, "--count", pieces, "--seed", 1]
            begin = time.perf_counter()
            asked = [*command, "--batch-size", width, "--output", output, "--quiet", *extra]
            subprocess.run([sys.executable, *map(str, asked)], check=True, stderr=subprocess.DEVNULL)
            took = time.perf_counter() - begin
            size = sum(path.stat().st_size for path in output.parent.iterdir())
            what = f"{pieces} tunes, batch size {width or 'automatic'}{''.join(extra)}"
            print(f"{what}: {size / took:,.0f} characters/s")


if __name__ == "__main__":
    main()
