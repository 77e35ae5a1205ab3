"""Train and measure what has not been done yet, and write RESULTS.md after each stage:

    make bench-quality DATA=FOLDER
    make bench-quality DATA=FOLDER QUALITY='--only erk --seeds 1,2,3 --budget 3600'
    make bench-quality DATA=FOLDER QUALITY='--only erk --seeds 1 --adopt erk-1.safetensors'
    make bench-quality DATA=FOLDER QUALITY='--page --output tests/bench'

It can be stopped at any time and continues where it was. Models that were trained elsewhere with the commands and the
seed of a stage are taken in with --adopt and need not be trained again.

RESULTS.md is written to --home or --output, and results.json beside it with its figures. Figures that are in that file
and not in --home stay on the page, so a new stage needs no models of the others.
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
from .lock import locked
from .measures.hearing import after_opening, story
from .measures.measuring import measure
from .report import record
from .report.page import drawing, page
from .report.races import draw
from .report.results import Results
from .stages import Plan, Stage
from .training.adoption import adopt
from .training.store import Store, chain, measure_key
from .training.trainings import INTERRUPTED, Failed, Limits, trained

PAGE = "RESULTS.md"


def main() -> int:
    """Run the benchmark. Return 1 if a stage failed, 2 for usage errors."""
    given = _arguments()
    try:
        return _run(given)
    except UsageError as error:
        return report_usage_error(error.message, error.hint or "")


def _run(given: argparse.Namespace) -> int:
    plan, wanted = _declared(given)
    if not (given.list or given.page):
        require(given.data, wanted)
    home = given.home.absolute()
    output = (given.output or home).absolute()
    _make(home)
    _make(output)
    os.environ["COMPOSER_HOME"] = str(home)
    limits = Limits(str(given.data.absolute()), given.budget, not given.no_intervals)
    results = Results(plan, Store(home), limits, record.read(output / record.FILE))
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
        if given.adopt:
            _adopt(given, wanted, results.store)
        try:
            prepare(given.data.absolute(), home)
            os.chdir(home)
            for stage in wanted:
                for seed in given.seeds:
                    failed |= not _complete(stage, seed, results)
                    _write(results, output)
        except KeyboardInterrupt:
            print("stopped; run the same command to continue", file=sys.stderr)
            return INTERRUPTED
    print(f"results are in {output / PAGE}")
    return int(failed)


def _adopt(given: argparse.Namespace, wanted: list[Stage], store: Store) -> None:
    """Take in the models of one stage and seed. Raises UsageError."""
    if len(wanted) != 1 or len(given.seeds) != 1:
        raise UsageError("--adopt is for one stage and one seed", "add --only STAGE --seeds N")
    try:
        adopt(wanted[0], given.seeds[0], given.adopt, store)
    except ComposerError as error:
        raise UsageError(error.message, error.hint or "give models that composer trained") from error


def _declared(given: argparse.Namespace) -> tuple[Plan, list[Stage]]:
    """Return all that is declared, and the stages to run. Raises UsageError."""
    if not given.data.is_dir():
        raise UsageError(f"no such folder: {given.data}", HINT)
    try:
        plan = stages.read(given.stages)
    except ValueError as error:
        raise UsageError(str(error), "the format is documented in quality/stages.py") from error
    try:
        return plan, plan.named(given.only)
    except ValueError as error:
        raise UsageError(str(error), "list them with --list") from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot create the folder {folder}: {error.strerror}", "choose another folder") from error


def report_usage_error(message: str, hint: str) -> int:
    """Print an error and a hint; return the exit code."""
    print(f"error: {message}\nhint: {hint}", file=sys.stderr)
    return 2


class _Parser(argparse.ArgumentParser):
    """A parser with errors in the format of the program."""

    def error(self, message: str) -> NoReturn:
        sys.exit(report_usage_error(message, "see --help"))


def _arguments() -> argparse.Namespace:
    parser = _Parser(prog="quality", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with nottingham-abc, nottingham-midi, bl2012 and text")
    parser.add_argument("--home", type=Path, default=Path("runs/quality"), help="folder for models and measurements")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="only these stages, tasks, ablations or races"
    )
    parser.add_argument("--seeds", type=_seeds, default=[0], metavar="N,N", help="seeds for each stage")
    parser.add_argument(
        "--adopt",
        type=Path,
        nargs="+",
        metavar="MODEL",
        help="models of a stage's trainings, made elsewhere",
    )
    parser.add_argument("--budget", type=_seconds, metavar="SECONDS", help="time limit of each training")
    parser.add_argument("--no-intervals", action="store_true", help="measure without intervals; a later run adds them")
    parser.add_argument("--list", action="store_true", help="list the stages and their state")
    parser.add_argument("--page", action="store_true", help="only write the page")
    parser.add_argument(
        "--stages", type=Path, nargs="+", default=stages.FILES, metavar="TOML", help="files that declare other stages"
    )
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="folder for RESULTS.md [default: --home]")
    return parser.parse_args()


def _seeds(text: str) -> list[int]:
    if not re.fullmatch(r"\d+(,\d+)*", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"'{text}' is not a list of seeds such as 1,2,3")
    return list(dict.fromkeys(int(number) for number in text.split(",")))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive number of seconds, such as 3600")
    return seconds


def _line(results: Results, stage: Stage, seeds: list[int]) -> str:
    """Return a line with a stage and the state of its seeds."""
    done = [str(seed) for seed in seeds if results.complete(stage, seed)]
    unmeasured = [str(seed) for seed in results.trained(stage) if str(seed) not in done]
    states = [f"{state} {','.join(numbers)}" for state, numbers in (("done", done), ("trained", unmeasured)) if numbers]
    return f"{stage.name:44} {'; '.join(states) or 'to do'}"


def _complete(stage: Stage, seed: int, results: Results) -> bool:
    """Complete a stage; return whether it succeeded."""
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
        found = {"story": story(store.model(key), stage.story)}
        store.keep_measured(measure_key(key, "story"), found | {"model": store.identity(key)})
    if stage.opening and not results.found(stage, seed, "opening"):
        texts = files(words(f"composer eval text {stage.opening}", {"DATA": limits.data}))
        bits = after_opening(store.model(key), texts)
        store.keep_measured(measure_key(key, "opening"), {"bits": bits, "model": store.identity(key)})


def _write(results: Results, output: Path) -> None:
    """Write the record, the page and its plots."""
    results.record().write(output / record.FILE)
    (output / PAGE).write_text(page(results), "utf-8")
    _draw(results.plan, results, output)


def _draw(plan: Plan, results: Results, output: Path) -> None:
    """Plot each race that has been run, with its first seed."""
    for race in plan.races:
        for seed in list(results.outcomes(race))[:1]:
            keys = {name: chain(stage, seed)[-1] for name, stage in race.stages().items()}
            curves = {name: results.store.curve(key) for name, key in keys.items()}
            if not all(curves.values()):
                continue  # recorded elsewhere
            ended = results.store.trained(keys["ours"])
            draw(curves, ended.unit if ended else "", output / drawing(race), race.title)


if __name__ == "__main__":
    sys.exit(main())
