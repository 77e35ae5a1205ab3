"""Write RESULTS.md: tables of results and the commands that produce them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..commands import flag, tidy
from ..measures.hearing import LONGEST, OPENING, TUNES
from ..measures.intervals import GROUPS, pooled
from ..stages import BASE, Ablation, Race, Stage
from . import aims
from .record import Run
from .results import AIS_LOW, Results
from .words import (
    DIGITS,
    NOT_YET,
    also_rows,
    difference_text,
    figure_text,
    interval_text,
    missing_text,
    seeds_text,
    table,
    trained_text,
    training_text,
)

HEAD = """# Quality, measured

Made by `make bench-quality DATA=FOLDER` from what has been run so far. CONTRIBUTING.md says what FOLDER contains and
where to get it, under "Data for bench-quality"; `results.json` has the figures.
"""

READING = f"""## How to read the figures

- Lower is better. All pieces are held out; with `--part valid`, they were used to select the best checkpoint. Settings
  were chosen by validation on these same data sets, so they may be worse on others. Machines were shared, so numbers of
  updates are more reliable than seconds.
- "95 %" is the confidence interval over test pieces: they are divided into up to {GROUPS} groups of equal size (of
  neighbors, in one sequence), each group is measured alone, and the interval is from Student's t with the variance
  between groups, weighted by steps.
- With several seeds, figures are means, with the standard deviation. Otherwise they are of one seed, and another one
  may miss the target.
- A figure with "± (AIS)" is an estimate by annealed importance sampling with its standard error, rounded up to
  thousandths. It may also be up to {AIS_LOW} nats per frame too low, as measured with 150 hidden units; more were
  not tried. All other figures are exact.
- The piano rolls of 2012 are not what the composers wrote. The JSB chorales are all transposed to one key, C major or
  minor: 356 of 382 end with C in the bass. One key makes them easier to predict than chorales in their own keys. They
  also lie an octave high: the median top note is C6. So compare these figures only with others on the same rolls.
- Targets are compared with figures before rounding. "Within the estimate's error": the target would be missed if the
  figure were {AIS_LOW} higher. "Within chance": the target is inside the interval over test pieces, extended by the
  standard error over seeds.
"""


def page(results: Results) -> str:
    """Return the page."""
    parts = [HEAD, *aims.summary(results), READING, *_tasks(results), *_published(results), *_openings(results)]
    parts += [*_snapshots(results), *_ablations(results), *_races(results)]
    return "\n".join(parts).rstrip() + "\n"


def _tasks(results: Results) -> Iterator[str]:
    """Yield the table of targets."""
    if results.plan.tasks:
        yield "## Targets\n"
        yield from aims.tables(results)
        yield from _commands([stage for stage in results.plan.models if stage.task])


def _published(results: Results) -> Iterator[str]:
    """Yield the table of published systems, and their commands."""
    stages = [stage for stage in results.plan.models if not stage.task]
    if not stages:
        return
    yield "## Published systems, reproduced\n"
    yield "Each was trained with its preset and the options of its command below, in some rows with other cells and"
    yield "another optimizer, until it finished or until a time limit of a few minutes, much less than in the"
    yield "articles.\n"
    rows = [row for stage in stages for row in _published_rows(results, stage)]
    yield from table(("preset", "data", "published", "measured", "95 %", "training"), rows)
    yield from _commands(stages)


def _published_rows(results: Results, stage: Stage) -> Iterator[tuple[str, ...]]:
    """Yield a system's row, and one for each of its other measures."""
    facts, found = (_preset(stage), stage.data, stage.published), results.measured(stage, stage.measure)
    if found is None:
        yield (*facts, missing_text(results, stage), "", trained_text(results, stage))
        return
    text = figure_text(found, published=stage.published)
    yield (*facts, text, interval_text(found), trained_text(results, stage))
    yield from ((facts[0], f"same model: {of}", "", text, ends, "") for of, text, ends in also_rows(results, stage))


def _preset(stage: Stage) -> str:
    return flag(stage.train[0], "--preset") or stage.name


def _commands(stages: list[Stage]) -> Iterator[str]:
    """Yield the commands that train and measure each stage."""
    if not stages:
        return
    yield "`$DATA` is the data folder, `$BEFORE` the model of the previous line; the benchmark adds `--name`, `--seed`"
    yield "and `--checkpoint`.\n"
    yield "```"
    for stage in stages:
        yield f"# {stage.name}"
        yield from (tidy(command) for command in (*stage.train, *stage.measures.values()))
    yield "```\n"


def _openings(results: Results) -> Iterator[str]:
    """Yield the likelihoods after a given opening with and without the author."""
    every = [(stage, _first_run(results, stage)) for stage in results.plan.models if stage.opening]
    known = [(stage, run) for stage, run in every if run and run.opening is not None]
    if len(known) < 2:
        return
    yield "## Effect of a given opening\n"
    yield f"Bits per character of held-out poems, from character {OPENING} to {LONGEST:,}, after the given opening:\n"
    for stage, run in known:
        yield f"- `{stage.name}`: {run.opening:.3f} ({training_text(run)})"
    yield "\nIn the article, the model without the author was better. One short training of each is too little to"
    yield "confirm or refute that.\n"


def _snapshots(results: Results) -> Iterator[str]:
    """Yield a table of tunes generated by snapshots of a training."""
    columns = {"step": "updates", "parse": "parse", "ours": "complete bars, repeats and ties"}
    columns |= {"no error": "no abc2midi error", "abc2midi": "no abc2midi warning"}
    for stage in results.plan.models:
        run = _first_run(results, stage)
        if stage.story and run and run.story:
            yield "## Output of char-rnn during training\n"
            yield f"Of {TUNES} tunes of `{stage.name}` at temperature 1, unconstrained:\n"
            rows = [["unknown" if each[name] is None else each[name] for name in columns] for each in run.story]
            yield from table(tuple(columns.values()), rows)


def _first_run(results: Results, stage: Stage) -> Run | None:
    """Return the run of the first seed."""
    return next(iter(results.runs(stage).values()), None)


def _ablations(results: Results) -> Iterator[str]:
    """Yield a table for each base training and its changes."""
    if results.plan.ablations:
        yield "## Ablations\n"
        yield "One change at a time, with the same number of updates: the best validation loss, and its difference from"
        yield "the base with the same seed (negative is better). Differences as small as those between seeds mean"
        yield "nothing.\n"
    for ablation in results.plan.ablations:
        yield from _ablation(results, ablation)


def _ablation(results: Results, ablation: Ablation) -> Iterator[str]:
    stages = ablation.stages()
    known = {name: stage for name, stage in stages.items() if results.validated(stage)}
    heads = ("change", "options", f"validation{_unit(results, stages[BASE])}", "difference", "time")
    yield f"### {ablation.title}\n"
    yield f"```\n{tidy(ablation.base)}\n```\n"
    if known:
        yield from table(heads, [_change_row(results, ablation, name, stage) for name, stage in known.items()])
    yield from _not_run(results, {name: stage for name, stage in stages.items() if name not in known})
    if ablation.tried:
        yield "Tried once, outside this table:\n"
        yield from (f"- {name}: {text}" for name, text in ablation.tried.items())
        yield ""


def _change_row(results: Results, ablation: Ablation, name: str, stage: Stage) -> tuple[str, ...]:
    """Return the row of a change: its validation loss, and the difference from the base."""
    base = ablation.stages()[BASE]
    figure, seconds, base_seconds = (
        pooled(list(results.validated(stage).values())),
        results.seconds(stage),
        results.seconds(base),
    )
    cut = ", stopped by the time limit" if results.cut(stage) else ""
    value = f"{figure.mean:.{DIGITS}f}{seeds_text(figure)}{cut}"
    spent = f"{seconds:.0f} s" if seconds is not None else ""
    if name == BASE:
        return (name, "", value, "", spent)
    ratio = f" ({seconds / base_seconds:.2f} of the base)" if seconds and base_seconds else ""
    apart = difference_text(results.validated(stage), results.validated(base))
    return (name, f"`{ablation.changes[name]}`", value, apart, spent + ratio)


def _not_run(results: Results, stages: Mapping[str, Stage]) -> Iterator[str]:
    """Yield a line for the trainings without a figure, and one for each that failed."""
    reasons = {name: missing_text(results, stage) for name, stage in stages.items()}
    waiting = [f"`{name}`" for name, reason in reasons.items() if reason == NOT_YET]
    if waiting:
        yield f"{NOT_YET.capitalize()}: {', '.join(waiting)}.\n"
    yield from (f"`{name}`: {reason}\n" for name, reason in reasons.items() if reason != NOT_YET)


def _unit(results: Results, stage: Stage) -> str:
    run = _first_run(results, stage)
    return f", {run.unit}" if run else ""


def _races(results: Results) -> Iterator[str]:
    """Yield the time that our configuration takes to be as good as the published one."""
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
            yield f"- seed {seed}: published best {each.value:.3f} after {each.theirs:.3g} s; ours {ours}"
        if any(results.cut(stage) for stage in race.stages().values()):
            yield "- one of them was stopped by the time limit"
        yield "\nBoth ran on one machine, one after the other. Times start with the first update and include"
        yield "validation.\n"
        yield f"![Validation loss over training time]({drawing(race)})\n"


def drawing(race: Race) -> str:
    """Return the file name of a race's plot."""
    return f"{race.name}.svg"
