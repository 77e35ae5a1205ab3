"""Train and measure what is left to do, and write RESULTS.md after each stage:

    make bench-quality DATA=FOLDER
    make bench-quality DATA=FOLDER QUALITY='--only erk --seeds 1,2,3 --budget 3600'
    make bench-quality DATA=FOLDER QUALITY='--page --output tests/bench'

It can be stopped at any time, and goes on from there. RESULTS.md is written into --home, or where --output says.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import signal
import sys
from pathlib import Path
from typing import NoReturn

from composer.api import ComposerError, UsageError

from . import stages
from .commands import files, words
from .data import HINT, prepare, require
from .hearing import after_opening, story
from .lock import locked
from .measuring import measure
from .page import drawing, page
from .races import draw
from .results import Results
from .stages import Plan, Stage
from .store import Store, chain, measure_key
from .trainings import INTERRUPTED, Failed, Limits, trained

PAGE = "RESULTS.md"


def main() -> int:
    """Do as the arguments say; 1 where a stage failed, 2 where they cannot be meant."""
    given = _arguments()
    try:
        return _run(given)
    except UsageError as error:
        return refuse(error.message, error.hint or "")


def _run(given: argparse.Namespace) -> int:
    plan, wanted = _declared(given)
    if not (given.list or given.page):
        require(given.data, wanted)
    home = given.home.absolute()
    output = (given.output or home).absolute()
    _make(home)
    _make(output)
    os.environ["COMPOSER_HOME"] = str(home)
    results = Results(plan, Store(home), Limits(str(given.data.absolute()), given.budget, not given.no_intervals))
    if given.list:
        for stage in wanted:
            print(_line(results, stage, given.seeds))
        return 0
    if given.page:
        _write(results, output)
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    failed = False
    with locked(home):
        try:
            prepare(given.data.absolute(), home)
            os.chdir(home)
            for stage in wanted:
                for seed in given.seeds:
                    failed |= not _done(stage, seed, results)
                    _write(results, output)
        except KeyboardInterrupt:
            print("stopped; the same command goes on from here", file=sys.stderr)
            return INTERRUPTED
    print(f"all that is known stands in {output / PAGE}")
    return int(failed)


def _declared(given: argparse.Namespace) -> tuple[Plan, list[Stage]]:
    """All that is declared, and which of it is asked for. Raises UsageError."""
    if not given.data.is_dir():
        raise UsageError(f"there is no folder {given.data}", HINT)
    try:
        plan = stages.read(given.stages)
    except ValueError as error:
        raise UsageError(str(error), "what such a file holds is told at the top of quality/stages.py") from error
    try:
        return plan, plan.named(given.only)
    except ValueError as error:
        raise UsageError(str(error), "--list names them all") from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made a folder: {error.strerror}", "name another") from error


def refuse(message: str, hint: str) -> int:
    """Say what cannot be meant and the way out; how such a run exits."""
    print(f"error: {message}\nhint: {hint}", file=sys.stderr)
    return 2


class _Parser(argparse.ArgumentParser):
    """One that refuses in two lines, as the program does."""

    def error(self, message: str) -> NoReturn:
        sys.exit(refuse(message, "--help tells what each option takes"))


def _arguments() -> argparse.Namespace:
    parser = _Parser(prog="quality", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="with nottingham-abc, nottingham-midi, bl2012 and text")
    parser.add_argument("--home", type=Path, default=Path("runs/quality"), help="where all that is done is kept")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these stages, tasks, ablations or races")
    parser.add_argument("--seeds", type=_seeds, default=[0], metavar="N,N", help="each stage with each of these")
    parser.add_argument("--budget", type=_seconds, metavar="SECONDS", help="stop each training after so long")
    parser.add_argument("--no-intervals", action="store_true", help="measure the figures alone; another run adds them")
    parser.add_argument("--list", action="store_true", help="name the stages, and say which are done")
    parser.add_argument("--page", action="store_true", help="run nothing, only write the page")
    parser.add_argument("--stages", type=Path, nargs="+", default=stages.FILES, metavar="TOML", help="other stages")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where RESULTS.md goes, if not into --home")
    return parser.parse_args()


def _seeds(text: str) -> list[int]:
    if not re.fullmatch(r"\d+(,\d+)*", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"`{text}` are no numbers from 0, such as 1,2,3")
    return list(dict.fromkeys(int(number) for number in text.split(",")))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        raise argparse.ArgumentTypeError(f"`{text}` is no number of seconds above 0, such as 3600")
    return seconds


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
    (output / PAGE).write_text(page(results), "utf-8")
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
