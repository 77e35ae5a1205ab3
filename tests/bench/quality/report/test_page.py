"""The page, with all, some and no results."""

from dataclasses import replace

import pytest
from quality.measures.intervals import Figure
from quality.report import record
from quality.report.page import drawing, page
from quality.report.results import Results, reached
from quality.report.words import digits_for
from quality.stages import Ablation, Plan, Race, Stage, Task
from quality.training.store import Point, Store, Trained, chain, measure_key
from quality.training.trainings import Limits

TASK = Task("tunes", "Tunes, nats", "9.0", at_least=1.0, aim=0.5, unit="nats per step")
STAGE = Stage("mine", ("composer train abc x",), "composer eval abc x", "tunes")
TIMES = Task("soon", "share of time", "1", at_least=0.2, aim=0.1, race="race")
RACE = Race("race", "who is first", "composer train abc x --batch-size 1", "composer train abc x --batch-size 2")
ABLATION = Ablation("abl", "a base", "composer train abc x --set layers=2", {"one": "--set layers=1"})


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def results(store, budget=None, **plan):
    return Results(Plan(**plan), store, Limits("data", budget))


def train(store, stage, seed=0, reported=1.0, seconds=20.0, reason="done", steps=1200):
    key = chain(stage, seed)[-1]
    store.model(key).parent.mkdir(exist_ok=True)
    store.model(key).write_text(f"weights after {steps} steps with seed {seed}")
    store.keep_trained(key, Trained(stage.train[-1], seed, steps, seconds, 900, reported, "bits per step", reason))
    return key


def measure(store, stage, value, seed=0, stderr=0.0, groups=()):
    found = {"value": value, "stderr": stderr, "unit": "bits per step", "pieces": 12, "steps": 100}
    parts = [{"value": each, "stderr": 0.0, "steps": 10, "pieces": 1} for each in groups]
    key = chain(stage, seed)[-1]
    kept = {"model": store.identity(key), "found": found, "groups": parts, "parts": [["x"] for _ in parts]}
    store.keep_measured(measure_key(key, stage.measure), kept)


def row(text, name):
    return next(line for line in text.splitlines() if line.startswith("|") and name in line)


def test_stages_that_were_not_run(store):
    text = page(results(store, tasks=(TASK, TIMES), models=(STAGE,), races=(RACE,), ablations=(ABLATION,)))
    assert "not run yet" in row(text, "`mine`")
    assert "not run yet" in row(text, "race/ours")
    assert "reached?" in text
    assert "Not run yet: `base`, `one`.\n" in text
    assert "| change |" not in text


def test_a_task_without_a_model(store):
    assert "not run yet" in row(page(results(store, tasks=(TASK,))), "Tunes")


def test_figures_are_in_the_unit_of_their_task(store):
    train(store, STAGE)
    measure(store, STAGE, 1.0, groups=(0.9, 1.1))
    line = row(page(results(store, tasks=(TASK,), models=(STAGE,))), "`mine`")
    assert "| 0.693 nats per step, 12 pieces | -0.188 to 1.574 |" in line
    assert "| minimum, within chance | 1,200 updates, 20 s; best after 900 |" in line


def test_seeds_are_averaged(store):
    for seed, value in enumerate((1.0, 1.2)):
        train(store, STAGE, seed)
        measure(store, STAGE, value, seed)
    line = row(page(results(store, models=(Stage("mine", STAGE.train, STAGE.measure, data="tunes"),))), "tunes")
    assert "1.100 bits per step, 12 pieces; 2 seeds, deviation 0.141" in line
    assert "| 1,200 updates, 20 s; best after 900 |" in line


def test_seeds_with_different_times_are_listed(store):
    train(store, STAGE, 0)
    train(store, STAGE, 1, steps=700, reason="interrupted")
    line = row(page(results(store, tasks=(TASK,), models=(STAGE,))), "`mine`")
    assert "seed 0: 1,200 updates, 20 s; best after 900; seed 1: 700 updates" in line
    assert line.endswith("stopped by the time limit |")


def test_estimates_have_their_error(store):
    train(store, STAGE)
    measure(store, STAGE, 1.0, stderr=0.00001)
    assert "± 0.001 (AIS)" in page(results(store, tasks=(TASK,), models=(STAGE,)))


def test_a_training_stopped_by_its_time_limit(store):
    train(store, STAGE, reason="interrupted")
    text = page(results(store, tasks=(TASK,), models=(STAGE,)))
    assert "stopped by the time limit" in row(text, "`mine`")
    assert "not measured yet" in row(text, "`mine`")


def test_the_reason_of_a_failure(store):
    store.keep_failed("mine", "error: no | such setting")
    assert "failed: error: no / such setting" in row(page(results(store, tasks=(TASK,), models=(STAGE,))), "`mine`")


def test_an_ablation_has_differences(store):
    base, one = ABLATION.stages().values()
    train(store, base, reported=1.5, seconds=40)
    train(store, one, reported=1.25, seconds=20)
    line = row(page(results(store, ablations=(ABLATION,))), "layers=1")
    assert line == "| one | `--set layers=1` | 1.250 | -0.250 | 20 s (0.50 of the base) |"


def run_a_race(store, reason="done"):
    for name, points in (("published", [(50, 2.0), (100, 1.5), (150, 1.6)]), ("ours", [(10, 1.7), (15, 1.4)])):
        key = train(store, RACE.stages()[name], reason=reason if name == "published" else "done")
        store.begin_curve(key, -1)
        for at, value in points:
            store.validated(key, Point(at, at, value))


def test_a_race_against_a_stopped_training_reaches_nothing(store):
    run_a_race(store, reason="interrupted")
    text = page(results(store, tasks=(TIMES,), races=(RACE,)))
    assert "| unknown: the published training was stopped by the time limit |" in row(text, "share of time")
    assert "- 1 without a decisive figure yet: `soon`\n" in text


def test_a_race_has_the_share_of_time(store):
    run_a_race(store)
    text = page(results(store, tasks=(TIMES,), races=(RACE,)))
    assert "0.150 |  | minimum |" in row(text, "share of time")
    assert "published best 1.500 after 100 s; ours was as good after 15 s: 0.150" in text
    assert f"]({drawing(RACE)})" in text


def test_an_ablation_compares_the_same_seeds(store):
    base, one = ABLATION.stages().values()
    for seed, value in enumerate((1.0, 1.2, 9.0)):
        train(store, base, seed, value)
    for seed, value in enumerate((0.9, 1.0)):
        train(store, one, seed, value)
    line = row(page(results(store, ablations=(ABLATION,))), "layers=1")
    assert "| -0.150, deviation 0.071 |" in line


def test_only_changes_that_were_run_have_a_row(store):
    base, one = ABLATION.stages().values()
    train(store, base)
    text = page(results(store, ablations=(ABLATION,)))
    assert row(text, "| base |")
    assert "| one |" not in text
    assert "\nNot run yet: `one`.\n" in text
    store.keep_failed(one.name, "error: no memory")
    assert "\n`one`: failed: error: no memory\n" in page(results(store, ablations=(ABLATION,)))


def test_another_measure_has_its_own_row(store):
    twice = replace(STAGE, also={"afresh": "composer eval abc y"})
    train(store, twice)
    measure(store, twice, 1.0)
    assert "| not measured yet |" in row(page(results(store, tasks=(TASK,), models=(twice,))), "same model: afresh")
    measure(store, replace(twice, measure=twice.also["afresh"]), 2.0)
    assert "| 1.386 nats per step," in row(page(results(store, tasks=(TASK,), models=(twice,))), "same model: afresh")
    alone = replace(twice, task="", data="tunes")
    assert "| 2.000 bits per step," in row(page(results(store, models=(alone,))), "same model: afresh")


@pytest.mark.parametrize(
    ("published", "text"),
    [
        ("0.74 nats (1.07 bits) per token", "1.000 bits per step (0.693 nats), 12 pieces"),
        ("1.38 bits per character", "1.000 bits per step, 12 pieces"),
        ("none", "1.000 bits per step, 12 pieces"),
    ],
)
def test_figures_are_also_in_the_published_unit(store, published, text):
    stage = replace(STAGE, task="", data="tunes", published=published)
    train(store, stage)
    measure(store, stage, 1.0)
    assert f"| {text} |" in row(page(results(store, models=(stage,))), "tunes")


def test_the_page_begins_with_a_summary(store):
    tasks = [replace(TASK, name=name) for name in ("low", "middle", "doubted", "high", "none")]
    models = [
        replace(STAGE, name=f"of {task.name}", task=task.name, train=(f"composer train abc {task.name}",))
        for task in tasks
    ]
    for stage, value in zip(models, (0.5, 1.0, 1.0, 2.0), strict=False):
        train(store, stage)
        measure(store, stage, value, groups=(value - 0.5, value + 0.5) if stage.task == "doubted" else ())
    text = page(results(store, tasks=tuple(tasks), models=tuple(models))).partition("## ")[0]
    assert "Summary of 5 tasks:\n" in text
    assert "- 1 reached the aim: `low`\n" in text
    assert "- 2 reached the minimum but not the aim: `middle`, `doubted` (?)\n" in text
    assert "- 1 missed the minimum: `high`\n" in text
    assert "- 1 without a decisive figure yet: `none`\n" in text


def test_the_better_of_two_models_counts(store):
    models = (STAGE, replace(STAGE, name="better", train=("composer train abc better",)))
    for stage, value in zip(models, (2.0, 0.1), strict=True):
        train(store, stage)
        measure(store, stage, value)
    assert "- 1 reached the aim: `tunes`\n" in page(results(store, tasks=(TASK,), models=models))


def test_other_experiments_are_listed(store):
    tried = Ablation("abl", "a base", ABLATION.base, {}, {"locked": "2.0 bits against 1.0"})
    assert "\n- locked: 2.0 bits against 1.0\n" in page(results(store, ablations=(tried,)))


def test_effect_of_an_opening(store):
    both = [Stage(name, (f"composer train text {name}",), data="poems", opening="x") for name in ("one", "two")]
    for steps, stage in enumerate(both, 200):
        key = train(store, stage, steps=steps)
        store.keep_measured(measure_key(key, "opening"), {"bits": steps / 100, "model": store.identity(key)})
    text = page(results(store, models=tuple(both)))
    assert "- `one`: 2.000 (200 updates, 20 s; best after 900)\n- `two`: 2.010 (201 updates" in text
    assert "too little to\nconfirm" in text


@pytest.mark.parametrize(
    ("mean", "half", "level"),
    [
        (0.4, 0.05, "aim"),
        (0.5, None, "aim"),
        (0.45, 0.1, "aim, within chance"),
        (0.9, 0.05, "minimum"),
        (1.0004, 0.3, "no"),
    ],
)
def test_targets_are_compared_with_the_figure(mean, half, level):
    assert reached(TASK, Figure(mean, 1, None, half and (mean - half, mean + half), 0.0)) == level


@pytest.mark.parametrize(
    ("figure", "level"),
    [
        (Figure(0.98, 1, None, None, 0.001), "minimum, within the estimate's error"),
        (Figure(0.93, 1, None, None, 0.001), "minimum"),
        (Figure(0.93, 1, None, (0.91, 0.95), 0.001), "minimum, within chance"),
        (Figure(0.98, 1, None, (0.96, 1.0), 0.001), "minimum, within the estimate's error or chance"),
        (Figure(0.95, 4, 0.12, None, 0.0), "minimum, within chance"),
        (Figure(0.93, 4, 0.12, None, 0.0), "minimum"),
        (Figure(0.93, 4, 0.12, (0.91, 0.95), 0.0), "minimum, within chance"),
    ],
)
def test_doubts_of_estimates_and_seeds(figure, level):
    assert reached(TASK, figure) == level


def test_a_figure_never_looks_better_than_it_is():
    assert digits_for(1.0004, (1.0,)) == 4
    assert digits_for(1.4, (1.0,)) == 3
    assert digits_for(1.0, (1.0,)) == 3


def test_a_stage_is_complete_when_all_parts_are(store):
    found = results(store, models=(STAGE,), tasks=(TASK,))
    assert not found.complete(STAGE, 0)
    train(store, STAGE)
    assert not found.complete(STAGE, 0)
    measure(store, STAGE, 1.0, groups=(0.9, 1.1))
    assert found.complete(STAGE, 0)
    assert not found.complete(STAGE, 1)
    train(store, STAGE, reason="interrupted")
    assert not found.complete(STAGE, 0)


def test_the_page_is_written_from_the_record_alone(store, tmp_path):
    """Figures keep their intervals, seeds, snapshots and openings, without the folder that they were made in."""
    both = tuple(
        Stage(name, (f"composer train text {name}",), STAGE.measure, data="poems", opening="x", story=(7,))
        for name in ("one", "two")
    )
    run_a_race(store, reason="interrupted")
    for base in ABLATION.stages().values():
        train(store, base)
    for stage in (STAGE, *both):
        for seed, groups in enumerate(((0.9, 1.1), (0.8, 1.3))):
            key = train(store, stage, seed, reported=None)
            measure(store, stage, 1.0, seed, stderr=0.001, groups=groups)
        saved = {"bits": 1.5, "story": [{"step": 7, "parse": None, "ours": 0, "no error": None, "abc2midi": 1}]}
        for name in ("opening", "story"):
            store.keep_measured(
                measure_key(chain(stage, 0)[-1], name), saved | {"model": store.identity(key[:-1] + "0")}
            )
    plan = {"tasks": (TASK, TIMES), "models": (STAGE, *both), "ablations": (ABLATION,), "races": (RACE,)}
    made = results(store, **plan)
    made.record().write(tmp_path / record.FILE)
    elsewhere = Results(Plan(**plan), Store(tmp_path / "empty"), Limits("data"), record.read(tmp_path / record.FILE))
    assert page(elsewhere) == page(made)
    assert "2 seeds" in row(page(made), "`mine`")
    assert "| 7 | unknown | 0 | unknown | 1 |" in page(made)
    assert "- `two`: 1.500 (" in page(made)
    assert not elsewhere.complete(STAGE, 0)
    elsewhere.record().write(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / record.FILE).read_bytes()


def test_the_record_of_other_commands_is_kept_but_not_shown(store, tmp_path):
    run = record.Run(
        tuple(STAGE.train), (5,), 1.0, 5, measures={STAGE.measure: record.Measure(0.4, "nats per step", 12)}
    )
    changed = replace(STAGE, train=("composer train abc x --augment",))
    found = Results(Plan((TASK,), (changed,)), store, Limits("data"), record.Record({STAGE.name: {0: run}}))
    assert "not run yet" in row(page(found), "`mine`")
    found.record().write(tmp_path / record.FILE)
    found = Results(Plan((TASK,), (STAGE,)), store, Limits("data"), record.read(tmp_path / record.FILE))
    assert "| 0.400 nats per step, 12 pieces |" in row(page(found), "`mine`")


def test_an_interval_without_its_groups(store):
    recorded = record.Measure(0.4, "nats per step", 12, interval=(0.25, 0.55))
    run = record.Run(tuple(STAGE.train), (5,), 1.0, 5, measures={STAGE.measure: recorded})
    found = Results(Plan((TASK,), (STAGE,)), store, Limits("data"), record.Record({STAGE.name: {0: run}}))
    assert "| 0.400 nats per step, 12 pieces | 0.250 to 0.550 | aim, within chance |" in row(page(found), "`mine`")


def test_figures_come_before_their_intervals(store):
    train(store, STAGE)
    measure(store, STAGE, 1.0)
    hasty = Results(Plan(tasks=(TASK,), models=(STAGE,)), store, Limits("data", intervals=False))
    assert hasty.complete(STAGE, 0)
    assert not results(store, tasks=(TASK,), models=(STAGE,)).complete(STAGE, 0)
    assert "0.693 nats per step, 12 pieces |" in page(hasty)


def test_measures_of_another_model_do_not_count(store):
    key = train(store, STAGE)
    measure(store, STAGE, 1.0, groups=(0.9, 1.1))
    found = results(store, models=(STAGE,), tasks=(TASK,))
    assert found.complete(STAGE, 0)
    store.model(key).write_text("other weights after as many steps")
    assert not found.complete(STAGE, 0)
    assert found.measured(STAGE, STAGE.measure) is None
