"""RESULTS.md: tables of what has been found, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import aims
from .commands import flag, tidy
from .hearing import LONGEST, OPENING, TUNES
from .intervals import GROUPS, pooled
from .results import AIS_LOW, Results
from .stages import BASE, Ablation, Race, Stage
from .words import (
    DIGITS,
    NOT_YET,
    also_rows,
    difference_text,
    figure_text,
    interval_text,
    learnt_text,
    missing_text,
    seeds_text,
    table,
    trained_text,
)

HEAD = """# Quality, measured

Made by `make bench-quality DATA=FOLDER`, of what has been run so far; what FOLDER holds, and where that is from, stands
in CONTRIBUTING.md under "The data of bench-quality".
"""

READING = f"""## How to read the figures

- Less is better. All figures are of pieces that no model learnt from; where a command says `--part valid`, they chose
  the best of its states. The settings of the models were chosen by the validation figures of these same data sets, so
  that on others they may be less apt. Machines were shared, so seconds are worth less than steps.
- "95 %" is the interval over test pieces: they are parted into up to {GROUPS} groups of as many pieces (as one text:
  stretches of neighbours), each is measured alone, and the spread of the groups, weighted by their steps, makes the
  interval by Student's t.
- Seeds are trainings that differ in nothing else: their mean stands here, and their standard deviation. A figure beside
  which no seeds stand is of one: chance in the training is not looked at, and another seed may miss what it reached.
- A figure with "± (AIS)" is an estimate by annealed importance sampling, and what follows "±" is its standard error,
  rounded up to thousandths. Such an estimate may be up to {AIS_LOW} nats a frame too low beside that: so much was
  measured with 50 and with 150 hidden units, and nothing with more. All other figures are exact.
- What is reached is decided by the figure before it is rounded. "Not beyond the estimate's error" says that it would
  not be reached if the figure were {AIS_LOW} higher, and "not beyond chance" that the bound lies within the interval
  over test pieces, made wider on either side by the seeds' deviation over the root of their number.
"""


def page(results: Results) -> str:
    """All of it."""
    parts = [HEAD, *aims.summary(results), READING, *_tasks(results), *_published(results), *_openings(results)]
    parts += [*_stories(results), *_ablations(results), *_races(results)]
    return "\n".join(parts).rstrip() + "\n"


def _tasks(results: Results) -> Iterator[str]:
    """The table of what was to be reached."""
    if results.plan.tasks:
        yield "## What was to be reached\n"
        yield from aims.tables(results)
        yield from _commands([stage for stage in results.plan.models if stage.task])


def _published(results: Results) -> Iterator[str]:
    """The table of the systems with their own constants, and their commands."""
    stages = [stage for stage in results.plan.models if not stage.task]
    if not stages:
        return
    yield "## The published systems, trained again\n"
    yield "Each was trained by its preset and by what its command below sets beside it, in some rows other cells and"
    yield "another optimiser. Each learnt to its own end, except where its time cut it short: those had minutes, a"
    yield "small part of what the articles took.\n"
    rows = [row for stage in stages for row in _published_rows(results, stage)]
    yield from table(("preset", "data", "published", "here", "95 %", "trained"), rows)
    yield from _commands(stages)


def _published_rows(results: Results, stage: Stage) -> Iterator[tuple[str, ...]]:
    """A system's row, and one for each of its other measures."""
    asked, found = (_preset(stage), stage.data, stage.published), results.measured(stage, stage.measure)
    if found is None:
        yield (*asked, missing_text(results, stage), "", trained_text(results, stage))
        return
    here = figure_text(found, published=stage.published)
    yield (*asked, here, interval_text(found), trained_text(results, stage))
    yield from ((asked[0], f"the same model: {of}", "", told, ends, "") for of, told, ends in also_rows(results, stage))


def _preset(stage: Stage) -> str:
    return flag(stage.train[0], "--preset") or stage.name


def _commands(stages: list[Stage]) -> Iterator[str]:
    """How each was trained and measured."""
    if not stages:
        return
    yield "`$DATA` is the folder of data, `$BEFORE` the model of the line before; the bench adds `--name`, `--seed` and"
    yield "`--checkpoint`.\n"
    yield "```"
    for stage in stages:
        yield f"# {stage.name}"
        yield from (tidy(command) for command in (*stage.train, *stage.measures.values()))
    yield "```\n"


def _openings(results: Results) -> Iterator[str]:
    """What a given opening is worth to a model that is told the author, and to one that is not."""
    every = [(stage, _looked(results, stage, "opening")) for stage in results.plan.models if stage.opening]
    known = [(stage, found["bits"]) for stage, found in every if found]
    if len(known) < 2:
        return
    yield "## What a given opening is worth\n"
    yield f"Bits per character of the held-back poems, of which the first {OPENING} characters are given, and what"
    yield f"comes after the {LONGEST:,}th is not looked at:\n"
    for stage, bits in known:
        learnt = next(iter(results.trained(stage).values()))
        yield f"- `{stage.name}`: {bits:.3f} ({learnt_text(learnt)})"
    yield "\nThe article found the model that is not told the author to do better. One training of each, of the lengths"
    yield "that stand here, is too little to conclude that or the contrary.\n"


def _stories(results: Results) -> Iterator[str]:
    """What a network writes as it learns."""
    columns = {"step": "batches", "parse": "parse", "ours": "and every bar, repeat and tie is whole"}
    columns |= {"no error": "no error by abc2midi", "abc2midi": "and no warning"}
    for stage in results.plan.models:
        if stage.story and (found := _looked(results, stage, "story")):
            yield "## What char-rnn writes as it learns\n"
            yield f"Of {TUNES} tunes of `{stage.name}` at temperature 1, without any rule:\n"
            rows = [["not known" if each[name] is None else each[name] for name in columns] for each in found["story"]]
            yield from table(tuple(columns.values()), rows)


def _looked(results: Results, stage: Stage, name: str) -> dict[str, Any]:
    """What was kept under `name` for the first seed."""
    seeds = list(results.trained(stage))
    return results.found(stage, seeds[0], name) if seeds else {}


def _ablations(results: Results) -> Iterator[str]:
    """A table for each base training and its changes."""
    if results.plan.ablations:
        yield "## What helps, and what does not\n"
        yield "One change of a training at a time, all with the same number of steps: the best validation figure, and"
        yield "how far it is below (-) or above (+) the base's with the same seed. What is no more than seeds differ by"
        yield "says nothing.\n"
    for ablation in results.plan.ablations:
        yield from _ablation(results, ablation)


def _ablation(results: Results, ablation: Ablation) -> Iterator[str]:
    stages = ablation.stages()
    known = {name: stage for name, stage in stages.items() if results.validated(stage)}
    heads = ("change", "flags", f"validation{_unit(results, stages[BASE])}", "difference", "took")
    yield f"### {ablation.title}\n"
    yield f"```\n{tidy(ablation.base)}\n```\n"
    if known:
        yield from table(heads, [_change_row(results, ablation, name, stage) for name, stage in known.items()])
    yield from _not_run(results, {name: stage for name, stage in stages.items() if name not in known})
    if ablation.tried:
        yield "Tried once, outside this table:\n"
        yield from (f"- {name}: {told}" for name, told in ablation.tried.items())
        yield ""


def _change_row(results: Results, ablation: Ablation, name: str, stage: Stage) -> tuple[str, ...]:
    """A change that was run: what it came to, and how far that is from the base."""
    base = ablation.stages()[BASE]
    figure, took, of_base = (
        pooled(list(results.validated(stage).values())),
        results.seconds(stage),
        results.seconds(base),
    )
    cut = ", cut short by its time" if results.cut(stage) else ""
    value = f"{figure.mean:.{DIGITS}f}{seeds_text(figure)}{cut}"
    spent = f"{took:.0f} s" if took is not None else ""
    if name == BASE:
        return (name, "", value, "", spent)
    ratio = f" ({took / of_base:.2f} of the base)" if took and of_base else ""
    apart = difference_text(results.validated(stage), results.validated(base))
    return (name, f"`{ablation.changes[name]}`", value, apart, spent + ratio)


def _not_run(results: Results, stages: Mapping[str, Stage]) -> Iterator[str]:
    """A line of the trainings that have no figure, and one for each that has none because it failed."""
    reasons = {name: missing_text(results, stage) for name, stage in stages.items()}
    waiting = [f"`{name}`" for name, reason in reasons.items() if reason == NOT_YET]
    if waiting:
        yield f"{NOT_YET.capitalize()}: {', '.join(waiting)}.\n"
    yield from (f"`{name}`: {reason}\n" for name, reason in reasons.items() if reason != NOT_YET)


def _unit(results: Results, stage: Stage) -> str:
    for trained in results.trained(stage).values():
        return f", {trained[-1].unit}"
    return ""


def _races(results: Results) -> Iterator[str]:
    """How long ours takes to be as good as the published configuration becomes."""
    if results.plan.races:
        yield "## Time to quality\n"
    for race in results.plan.races:
        yield f"### {race.title}\n"
        yield f"```\n{tidy(race.published)}\n{tidy(race.ours)}\n```\n"
        outcomes = results.outcomes(race)
        if not outcomes:
            reasons = {name: missing_text(results, stage) for name, stage in race.stages().items()}
            yield "; ".join(f"{name}: {reason}" for name, reason in reasons.items() if reason) + ".\n"
            continue
        for seed, each in outcomes.items():
            ours = (
                "was never as good" if each.ours is None else f"was as good after {each.ours:.3g} s: {each.share:.3f}"
            )
            yield f"- seed {seed}: the published was best, at {each.value:.3f}, after {each.theirs:.3g} s; ours {ours}"
        if any(results.cut(stage) for stage in race.stages().values()):
            yield "- one of them was cut short by its time"
        yield "\nOne ran after the other on one machine. Their clocks begin with the first step; measuring the"
        yield "validation pieces is in the seconds of both.\n"
        yield f"![Validation against seconds of training]({drawing(race)})\n"


def drawing(race: Race) -> str:
    """The file that a race is drawn in."""
    return f"{race.name}.svg"
