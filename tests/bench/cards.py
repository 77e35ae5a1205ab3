"""The cards of the bundled models, measured and written anew.

    python tests/bench/cards.py [NAME...] --data FOLDER [--count 200] [--kept build/cards] [--anew]

Of each bundled model, or of those named, writes NAME.md beside it: what its checkpoint tells, what the steps of the
music that was held back cost it, how what it composes is beside its data, and five pieces. All of it is had from the
program as a user has it; words that nobody can measure are in `cards.toml`. FOLDER is where the files are that a model
was taught, where it was not taught a corpus of music21. Models of another folder than composer/pretrained, which may
be bundled one day, have cards by `--models`.

What the program printed is kept by the model and the command, so that a run that was interrupted goes on, and a model
that stays as it is is not measured again. `--anew` measures all again, as is right after a change of what is measured.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

from card_page import Figures, near, page
from card_runs import Bundled, Keeping, comparing, composing, costing, making

from composer.checkpoints import store

PIECES = 5
PROSE = Path(__file__).with_suffix(".toml")


def main() -> None:
    """Write the cards, and say of each what it says first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="models, by what they compose; else all")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where files are that a model was taught")
    parser.add_argument("--models", type=Path, default=store.PRETRAINED, metavar="FOLDER", help="where the models are")
    parser.add_argument("--count", type=int, default=200, help="pieces to compose and compare")
    parser.add_argument("--kept", type=Path, default=Path("build/cards"), help="where figures are kept")
    parser.add_argument("--anew", action="store_true", help="measure again what was measured before")
    given = parser.parse_args()
    prose = tomllib.loads(PROSE.read_text("utf-8"))
    keeping = Keeping(given.kept, given.anew)
    for name in given.names or sorted(path.stem for path in given.models.glob(f"*{store.SUFFIX}")):
        path = given.models / f"{name}{store.SUFFIX}"
        if not path.is_file() or name not in prose:
            raise SystemExit(f"there is no model `{name}` in {given.models}, or nothing about it in {PROSE.name}")
        model = Bundled.at(path, given.data)
        figures = measured(model, keeping, given.count, making(model, prose[name].get("earlier", ())))
        path.with_suffix(".md").write_text(page(model, figures, prose[name]), "utf-8")
        print(f"{name}: {' of '.join(map(str, near(figures.beside)))} means within one deviation", flush=True)


def measured(model: Bundled, keeping: Keeping, count: int, made: Sequence[Sequence[str]]) -> Figures:
    """All that is measured of a model, now or before, and how it was `made`."""
    pieces = [keeping.printed(model, composing(model, seed)) for seed in range(1, PIECES + 1)]
    costs = json.loads(keeping.printed(model, costing(model)))
    return Figures(made, costs, json.loads(keeping.printed(model, comparing(model, count))), pieces)


if __name__ == "__main__":
    main()
