"""Train and measure what is left to do, and write RESULTS.md after each stage:

    make bench-quality DATA=../shared/data
    make bench-quality DATA=../shared/data QUALITY='--only erk --seeds 1,2,3 --budget 3600'

It can be stopped at any time, and goes on from there.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from composer.api import ComposerError

from . import stages
from .commands import files, words
from .data import prepare
from .hearing import after_opening, story
from .measuring import measure
from .page import drawing, page
from .races import draw
from .results import Results
from .stages import Plan, Stage
from .store import Store, chain, measure_key
from .trainings import INTERRUPTED, Failed, Limits, trained

HERE = Path(__file__).parent


def main() -> int:
    """Do as the arguments say; 1 where a stage failed."""
    given = _arguments()
    try:
        plan = stages.read(given.stages)
        wanted = plan.named(given.only)
        if not given.data.is_dir():
            raise ValueError(f"there is no folder {given.data}")
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    home, output = given.home.absolute(), given.output.absolute()
    limits = Limits(str(given.data.absolute()), given.budget, not given.no_intervals)
    home.mkdir(parents=True, exist_ok=True)
    os.environ["COMPOSER_HOME"] = str(home)
    results = Results(plan, Store(home), limits)
    if given.list:
        for stage in wanted:
            print(_line(results, stage, given.seeds))
        return 0
    failed = False
    if not given.page:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        prepare(given.data.absolute(), home)
        os.chdir(home)
        try:
            for stage in wanted:
                for seed in given.seeds:
                    failed |= not _done(stage, seed, results)
                    _write(results, output)
        except KeyboardInterrupt:
            print("stopped; the same command goes on from here", file=sys.stderr)
            return INTERRUPTED
    _write(results, output)
    return int(failed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="quality", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="with nottingham-abc, nottingham-midi, bl2012 and text")
    parser.add_argument("--home", type=Path, default=Path("runs/quality"), help="where all that is done is kept")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these stages, tasks, ablations or races")
    parser.add_argument("--seeds", type=_numbers, default=[0], metavar="N,N", help="each stage with each of these")
    parser.add_argument("--budget", type=float, metavar="SECONDS", help="stop each training after so long")
    parser.add_argument("--no-intervals", action="store_true", help="measure the figures alone; another run adds them")
    parser.add_argument("--list", action="store_true", help="name the stages, and say which are done")
    parser.add_argument("--page", action="store_true", help="run nothing, only write the page")
    parser.add_argument("--stages", type=Path, nargs="+", default=stages.FILES, metavar="TOML", help="other stages")
    parser.add_argument("--output", type=Path, default=HERE.parent, metavar="FOLDER", help="where RESULTS.md goes")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _line(results: Results, stage: Stage, seeds: list[int]) -> str:
    """A stage, and which of the seeds are done."""
    done = [str(seed) for seed in seeds if results.complete(stage, seed)]
    begun = [str(seed) for seed in results.trained(stage) if str(seed) not in done]
    told = [f"{state} {','.join(numbers)}" for state, numbers in (("done", done), ("trained", begun)) if numbers]
    return f"{stage.name:44} {'; '.join(told) or 'to do'}"


def _done(stage: Stage, seed: int, results: Results) -> bool:
    """Do what is left of a stage; whether it could be done."""
    if results.complete(stage, seed):
        return True
    print(f"{stage.name}, seed {seed}", flush=True)
    try:
        _do(stage, seed, results)
    except (Failed, ComposerError) as error:
        print(f"  {error}", file=sys.stderr, flush=True)
        results.store.keep_failed(stage.name, str(error))
        return False
    results.store.keep_failed(stage.name, "")
    return True


def _do(stage: Stage, seed: int, results: Results) -> None:
    store, limits = results.store, results.limits
    key = trained(stage, seed, store, limits)
    for command in stage.measures.values():
        measure(command, key, store, limits)
    if stage.story and not results.found(stage, seed, "story"):
        told = {"story": story(store.model(key), stage.story)}
        store.keep_measured(measure_key(key, "story"), told | {"model": store.identity(key)})
    if stage.opening and not results.found(stage, seed, "opening"):
        texts = files(words(f"composer eval text {stage.opening}", {"DATA": limits.data}))
        bits = after_opening(store.model(key), texts)
        store.keep_measured(measure_key(key, "opening"), {"bits": bits, "model": store.identity(key)})


def _write(results: Results, output: Path) -> None:
    """The page, and the drawings it shows."""
    output.mkdir(parents=True, exist_ok=True)
    (output / "RESULTS.md").write_text(page(results), "utf-8")
    _draw(results.plan, results, output)


def _draw(plan: Plan, results: Results, output: Path) -> None:
    """Each race that has been run, by its first seed."""
    for race in plan.races:
        for seed in list(results.outcomes(race))[:1]:
            keys = {name: chain(stage, seed)[-1] for name, stage in race.stages().items()}
            curves = {name: results.store.curve(key) for name, key in keys.items()}
            ended = results.store.trained(keys["ours"])
            draw(curves, ended.unit if ended else "", output / drawing(race), race.title)


if __name__ == "__main__":
    sys.exit(main())
