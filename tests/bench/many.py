"""Composing many tunes: characters a second at several widths, with the rules and without, beside one tune at a time.

    python tests/bench/many.py [--checkpoint FILE] [--seconds 4]

The bundled model composes, and what it draws is thrown away: this is the loop alone, without writing. Each round goes
through all widths, so that the ratios hold while the machine's speed drifts; medians of the rounds are printed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from composer.core import models
from composer.core.generation import Drew, Request, generate
from composer.core.player import open_player

WIDTHS = (1, 16, 64, 256)


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--checkpoint", type=Path, default=models.bundled("abc"))
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    player = open_player(given.checkpoint)
    constraint = player.representation.constraint()
    cases = [(width, rules) for rules in (None, constraint) for width in WIDTHS]
    rates: dict = {case: [] for case in cases}
    for number in range(given.rounds + 1):
        for width, rules in cases:
            request = Request(length=1000, count=max(8, width), seed=1 + number, width=width, temperature=0.9)
            begin = time.perf_counter()
            drawn = sum(
                len(event.steps)
                for event in generate(player.sampler, player.spec, request, rules, ordered=False)
                if isinstance(event, Drew)
            )
            if number:  # the first round is a warm-up
                rates[width, rules].append(drawn / (time.perf_counter() - begin))
    print(f"{given.checkpoint.stem}, {player.header.config}")
    print(
        "| tunes side by side | free, characters a second | over one | with rules | over one |\n|---|---|---|---|---|"
    )
    for width in WIDTHS:
        columns = []
        for rules in (None, constraint):
            ratios = [a / b for a, b in zip(rates[width, rules], rates[1, rules], strict=True)]
            columns += [f"{statistics.median(rates[width, rules]):,.0f}", f"{statistics.median(ratios):.1f}"]
        print(f"| {width} | {' | '.join(columns)} |")


if __name__ == "__main__":
    main()
