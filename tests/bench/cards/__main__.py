"""Measure the bundled models and write their cards.

    python tests/bench/cards [NAME...] --data FOLDER [--count 200] [--cache build/cards] [--refresh]

For each bundled model, or each named one, write NAME.md beside it: facts from its checkpoint, the likelihood of
held-out pieces, a comparison of generated pieces with its data, and five pieces. All figures come from the program as
users run it; the words that cannot be measured are in `cards.toml`. FOLDER has the training files, unless they are a
corpus of music21. `--models` writes the cards of models in another folder.

Outputs are cached, so an interrupted run continues where it was, and an unchanged model is not measured again.
`--refresh` measures everything again, which is needed after a change of the metrics.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

from card_page import Figures, near, page
from card_runs import (
    Bundled,
    OutputCache,
    comparison_command,
    generation_command,
    likelihood_command,
    training_commands,
)

from composer.checkpoints import store

PIECES = 5
PROSE = Path(__file__).with_name("cards.toml")


def main() -> None:
    """Write the cards, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="names of models [default: all]")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="folder with the training files")
    parser.add_argument(
        "--models", type=Path, default=store.PRETRAINED, metavar="FOLDER", help="folder with the models"
    )
    parser.add_argument("--count", type=int, default=200, help="number of pieces to generate and compare")
    parser.add_argument("--cache", type=Path, default=Path("build/cards"), help="folder for cached outputs")
    parser.add_argument("--refresh", action="store_true", help="ignore cached outputs")
    options = parser.parse_args()
    prose = tomllib.loads(PROSE.read_text("utf-8"))
    cache = OutputCache(options.cache, options.refresh)
    for name in options.names or sorted(path.stem for path in options.models.glob(f"*{store.SUFFIX}")):
        path = options.models / f"{name}{store.SUFFIX}"
        if not path.is_file() or name not in prose:
            raise SystemExit(f"no model `{name}` in {options.models}, or no section about it in {PROSE.name}")
        model = Bundled.at(path, options.data)
        figures = measure(model, cache, options.count, training_commands(model, prose[name].get("earlier", ())))
        path.with_suffix(".md").write_text(page(model, figures, prose[name]), "utf-8")
        print(
            f"{name}: {' of '.join(map(str, near(figures.comparison)))} means within one standard deviation", flush=True
        )


def measure(model: Bundled, cache: OutputCache, count: int, train: Sequence[Sequence[str]]) -> Figures:
    """Return all figures of a model, measured now or before; `train` are the commands that trained it."""
    pieces = [cache.output(model, generation_command(model, seed)) for seed in range(1, PIECES + 1)]
    likelihood = json.loads(cache.output(model, likelihood_command(model)))
    return Figures(train, likelihood, json.loads(cache.output(model, comparison_command(model, count))), pieces)


if __name__ == "__main__":
    main()
