"""Composing many tunes: characters a second at several widths, with the rules and without, beside one tune at a time.

    python tests/bench/many.py [--checkpoint FILE] [--rounds 3] [--whole 256]

Composed by the bundled model, and then by one of 2 x 256 cells with random weights that never ends a tune, which has no
use for rules. What is drawn is thrown away: this is the loop alone. Each round goes through all widths, so that the
ratios hold while the machine's speed drifts; medians of the rounds are printed. Last, the whole program writes so many
tunes into files, and one tune as often as takes about as long.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from speed import endless_checkpoint

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
    arguments.add_argument("--length", type=int, default=1000, help="the most characters of a tune")
    arguments.add_argument("--whole", type=int, default=256, help="how many tunes the program writes; 0 for none")
    given = arguments.parse_args()
    player = load_model(given.checkpoint)
    table(player, [None, player.representation.constraint()], given.rounds, given.length)
    with tempfile.TemporaryDirectory() as folder:
        endless = Path(folder, "2x256.safetensors")
        endless_checkpoint(endless)
        table(load_model(endless), [None], given.rounds, given.length // 10)
        if given.whole:
            programs(given.checkpoint, given.whole, Path(folder))


def table(player: LoadedModel, ways: list, rounds: int, length: int) -> None:
    """Characters a second by width, in each of `ways`: a constraint, or None."""
    cases = [(width, rules) for rules in ways for width in WIDTHS]
    rates: dict = {case: [] for case in cases}
    for number in range(rounds + 1):
        for width, rules in cases:
            request = GenerationRequest(
                length=length, count=max(8, width), seed=1 + number, requested_batch_size=width, temperature=0.9
            )
            begin = time.perf_counter()
            count = drawn(player, request, rules)
            if number:  # the first round is a warm-up
                rates[width, rules].append(count / (time.perf_counter() - begin))
    print(player.header.config)
    names = ["free", "with rules"][: len(ways)]
    print("| tunes side by side |" + "".join(f" {name}, characters a second | over one |" for name in names))
    print("|---|" + "---|---|" * len(names))
    for width in WIDTHS:
        columns = []
        for rules in ways:
            ratios = [a / b for a, b in zip(rates[width, rules], rates[1, rules], strict=True)]
            columns += [f"{statistics.median(rates[width, rules]):,.0f}", f"{statistics.median(ratios):.1f}"]
        print(f"| {width} | {' | '.join(columns)} |")
    print()


def drawn(player: LoadedModel, request: GenerationRequest, rules) -> int:
    """How many characters were drawn."""
    events = generate(player.sampler, player.spec, request, rules, ordered=False)
    return sum(len(event.steps) for event in events if isinstance(event, Generated))


def programs(checkpoint: Path, count: int, folder: Path) -> None:
    """The program as a whole, writing files: many tunes beside few, one at a time."""
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
            what = f"{pieces} tunes, width {width or 'as chosen'}{''.join(extra)}"
            print(f"{what}: {size / took:,.0f} characters a second")


if __name__ == "__main__":
    main()
