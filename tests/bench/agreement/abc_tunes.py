"""Compare composer's reading of ABC with abc2midi's: notes, tempos and length, with the cause of each difference."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from agreement import abc2midi
from agreement.abc_causes import CAUSES, Cause
from agreement.attribution import Case, attribute
from agreement.playing import Playing, differences, evenly, of_score

from composer.api import ReadError, Source
from composer.formats.abc.reader.lexer import TuneText, split_tunes
from composer.formats.abc.reader.score import read_tune

UNTIMED, TIMED = ("notes", "length"), ("notes", "tempos", "length")
"""What is compared: tempos only if the tune has a `Q:` field, since abc2midi assumes 120 else."""


def compare(collections: dict[str, list[Path]], limit: int) -> None:
    """Print the tables for collections of files, of at most `limit` tunes each, taken evenly."""
    results = {name: of_collection(files, limit) for name, files in collections.items()}
    print("| collection | tunes | same notes, tempos and length | abc2midi differs from ABC 2.1 |", end="")
    print(" the file leaves it open | both | unexplained |\n|---|---|---|---|---|---|---|")
    for name, (count, cases) in results.items():
        kinds = Counter(_whose(case) for case in cases)
        cells = [count, count - len(cases), kinds["abc2midi"], kinds["the file"], kinds["both"], kinds[""]]
        print(f"| {name} | {' | '.join(f'{cell:,}' for cell in cells)} |")
    print("\n| aspect | " + " | ".join(results) + " |\n|---|" + "---|" * len(results))
    for aspect in TIMED:
        counts = [_count(cases, lambda case: case.aspects, aspect) for _, cases in results.values()]
        print(f"| {aspect} differ | {_row(counts)}")
    print("\nTunes for each cause; a tune may have several:\n")
    print("| cause | whose | rule of ABC 2.1 | " + " | ".join(results) + " |\n|---|---|---|" + "---|" * len(results))
    for cause in CAUSES:
        counts = [_count(cases, lambda case: case.causes, cause) for _, cases in results.values()]
        if any(counts):
            texts = [text.replace("|", "\\|") for text in (cause.name, cause.whose, cause.rule)]
            print(f"| {' | '.join(texts)} | {_row(counts)}")
    for name, (_, cases) in results.items():
        for case in cases:
            if not case.causes:
                print(f"\nunexplained, {name}: {case.place}: {', '.join(sorted(case.aspects))}")


def of_collection(files: Sequence[Path], limit: int) -> tuple[int, list[Case]]:
    """Return the number of tunes that were compared, and those that differ, with their causes."""
    tunes = evenly([(file, tune) for file in files for tune in split_tunes(Source(file).text())], limit)
    cases = []
    for (file, tune), ours, theirs in zip(tunes, *_both([tune.text for _, tune in tunes]), strict=True):
        if ours is None or theirs is None:
            found = frozenset({"notes"} if ours is not theirs else ())
        else:
            found = differences(ours, theirs, _aspects(tune.text))
        if found:
            cases.append(Case(f"{file.name}, line {tune.first}", tune.text, found))
    for aspects in (TIMED, UNTIMED):
        attribute([case for case in cases if _aspects(case.text) == aspects], CAUSES, read, abc2midi.play, aspects)
    return len(tunes), cases


def read(texts: Sequence[str]) -> list[Playing | None]:
    """Return what composer reads of each tune; None if it refuses it."""
    return [_read(text) for text in texts]


def _read(text: str) -> Playing | None:
    try:
        return of_score(read_tune(TuneText(tuple(text.rstrip("\n").split("\n")))))
    except ReadError:
        return None


def _both(texts: Sequence[str]) -> tuple[list[Playing | None], list[Playing | None]]:
    return read(texts), abc2midi.play(texts)


def _aspects(text: str) -> Sequence[str]:
    return TIMED if re.search(r"^Q:", text, re.MULTILINE) else UNTIMED


def _whose(case: Case) -> str:
    whose = {cause.whose for cause in case.causes}
    return "both" if len(whose) > 1 else next(iter(whose), "")


def _count(cases: Iterable[Case], values, value: str | Cause) -> int:
    return sum(value in values(case) for case in cases)


def _row(counts: Iterable[int]) -> str:
    return " | ".join(f"{count:,}" if count else "" for count in counts) + " |"
