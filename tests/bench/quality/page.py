"""RESULTS.md: tables of what has been found, and how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .commands import flag, tidy
from .hearing import LONGEST, OPENING, TUNES
from .intervals import GROUPS, pooled
from .results import AIS_LOW, Results, reached
from .stages import BASE, Ablation, Race, Stage, Task
from .words import (
    DIGITS,
    NOT_YET,
    difference_text,
    figure_text,
    learnt_text,
    missing_text,
    seeds_text,
    table,
    trained_text,
)

HEAD = f"""# Quality, measured

Made by `make bench-quality DATA=...`, of what has been run so far. All figures are of pieces that no model learnt from;
where a command says `--part valid`, they chose the best of its states. Less is better. Machines were shared, so seconds
are worth less than steps.

Behind "95 %" stands the interval over test pieces: they are parted into up to {GROUPS} groups of as many pieces (as one
text: stretches of neighbours), each is measured alone, and the spread of the groups, weighted by their steps, makes the
interval by Student's t. Seeds are trainings that differ in nothing else: their mean stands here, and their standard
deviation. With one seed, nothing is known of that. Figures without "± (AIS)" are exact; it is the standard error of
annealed importance sampling, rounded up to thousandths. Beside that error, these figures may be up to {AIS_LOW} nats a
frame too low: so much was measured with 50 and with 150 hidden units, and nothing with more.

What is reached is decided by the figure before it is rounded. "Not beyond the estimate's error" says that it would not
be if the figure were {AIS_LOW} higher, and "not beyond chance" that the bound lies within the interval over test
pieces, made wider on either side by the seeds' deviation over the root of their number. "One seed" says that chance in
the training is not looked at: another seed may miss what this one reached.
"""


def page(results: Results) -> str:
    """All of it."""
    parts = [HEAD, *_tasks(results), *_published(results), *_openings(results), *_stories(results)]
    parts += [*_ablations(results), *_races(results)]
    return "\n".join(parts).rstrip() + "\n"


def _tasks(results: Results) -> Iterator[str]:
    """The table of what was to be reached."""
    if not results.plan.tasks:
        return
    yield "## What was to be reached\n"
    heads = ("task", "published", "at least", "aim", "model", "here", "reached?", "trained for")
    yield from table(heads, [row for task in results.plan.tasks for row in _task_rows(results, task)])
    yield from _commands([stage for stage in results.plan.models if stage.task])


def _task_rows(results: Results, task: Task) -> Iterator[list[str]]:
    """A row for each model that is to do it."""
    asked = [task.title, task.published, str(float(task.at_least)), str(float(task.aim))]
    if task.race:
        race = next(race for race in results.plan.races if race.name == task.race)
        yield [*asked, f"`{race.name}/ours`", *_race_cells(results, task, race)]
        return
    stages = [stage for stage in results.plan.models if stage.task == task.name]
    for stage in stages:
        found = results.measured(stage, stage.measure, task.unit)
        if found is None:
            yield [*asked, f"`{stage.name}`", missing_text(results, stage), "", trained_text(results, stage)]
            continue
        here = "; ".join([figure_text(found, (task.at_least, task.aim)), *_also(results, stage, task.unit)])
        yield [*asked, f"`{stage.name}`", here, reached(task, found.figure), trained_text(results, stage)]
    if not stages:
        yield [*asked, "none", NOT_YET, "", ""]


def _race_cells(results: Results, task: Task, race: Race) -> list[str]:
    """Here, reached, trained for."""
    ours = results.plan.named([race.name])[1]
    outcomes = results.outcomes(race)
    if not outcomes:
        return [missing_text(results, ours), "", trained_text(results, ours)]
    shares = [each.share for each in outcomes.values()]
    if None in shares:
        often = f"with {shares.count(None)} of {len(shares)} seeds"
        return [f"never as good {often}", "no", trained_text(results, ours)]
    figure = pooled([share for share in shares if share is not None])
    cut = results.cut(race.stages()["published"])
    level = "not known: the published was cut short by its time" if cut else reached(task, figure)
    return [f"{figure.mean:.3f}; {seeds_text(figure)}", level, trained_text(results, ours)]


def _also(results: Results, stage: Stage, unit: str = "") -> list[str]:
    """The other measures of a stage."""
    found = {of: results.measured(stage, command, unit) for of, command in stage.also.items()}
    return [f"{of}: {figure_text(each)}" if each else f"{of}: not measured yet" for of, each in found.items()]


def _published(results: Results) -> Iterator[str]:
    """The table of the systems with their own constants, and their commands."""
    stages = [stage for stage in results.plan.models if not stage.task]
    if not stages:
        return
    yield "## The published systems, trained again\n"
    yield "Each was trained by its preset and by what its command below sets beside it, in some rows other cells and"
    yield "another optimiser. Each learnt to its own end, except where its time cut it short: those had minutes, a"
    yield "small part of what the articles took.\n"
    yield from table(
        ("preset", "data", "published", "here", "trained"),
        [
            (_preset(stage), stage.data, stage.published, _here(results, stage), trained_text(results, stage))
            for stage in stages
        ],
    )
    yield from _commands(stages)


def _here(results: Results, stage: Stage) -> str:
    found = results.measured(stage, stage.measure)
    return "; ".join([figure_text(found), *_also(results, stage)]) if found else missing_text(results, stage)


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
    base, seconds = stages[BASE], results.seconds(stages[BASE])
    rows = []
    for name, stage in stages.items():
        given = "" if name == BASE else f"`{ablation.changes[name]}`"
        values, took = list(results.validated(stage).values()), results.seconds(stage)
        if not values or took is None:
            rows.append((name, given, missing_text(results, stage), "", ""))
            continue
        figure = pooled(values)
        apart = difference_text(results.validated(stage), results.validated(base)) if stage != base else ""
        ratio = f" ({took / seconds:.2f} of the base)" if seconds and name != BASE else ""
        cut = ", cut short by its time" if results.cut(stage) else ""
        rows.append(
            (name, given, f"{figure.mean:.{DIGITS}f}; {seeds_text(figure)}{cut}", apart, f"{took:.0f} s{ratio}")
        )
    yield f"### {ablation.title}\n"
    yield f"```\n{tidy(ablation.base)}\n```\n"
    yield from table(("change", "flags", f"validation{_unit(results, base)}", "difference", "took"), rows)
    if ablation.tried:
        yield "Tried once with a patch, as there is no flag for it:\n"
        yield from (f"- {name}: {told}" for name, told in ablation.tried.items())
        yield ""


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
