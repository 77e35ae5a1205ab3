"""The page, with all, some and no results."""

from dataclasses import replace

import pytest
from quality.measures.intervals import Figure
from quality.report.page import drawing, page
from quality.report.races import Outcome, draw, outcome
from quality.report.results import Results, reached
from quality.report.words import digits_for
from quality.stages import Ablation, Plan, Race, Stage, Task
from quality.training.store import Point, Store, Trained, chain, measure_key
from quality.training.trainings import Limits, is_whole

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
    assert reached(TASK, Figure(mean, 1, None, half, 0.0)) == level


@pytest.mark.parametrize(
    ("figure", "level"),
    [
        (Figure(0.98, 1, None, None, 0.001), "minimum, within the estimate's error"),
        (Figure(0.93, 1, None, None, 0.001), "minimum"),
        (Figure(0.93, 1, None, 0.02, 0.001), "minimum, within chance"),
        (Figure(0.98, 1, None, 0.02, 0.001), "minimum, within the estimate's error or chance"),
        (Figure(0.95, 4, 0.12, None, 0.0), "minimum, within chance"),
        (Figure(0.93, 4, 0.12, None, 0.0), "minimum"),
        (Figure(0.93, 4, 0.12, 0.02, 0.0), "minimum, within chance"),
    ],
)
def test_doubts_of_estimates_and_seeds(figure, level):
    assert reached(TASK, figure) == level


def test_a_figure_never_looks_better_than_it_is():
    assert digits_for(1.0004, (1.0,)) == 4
    assert digits_for(1.4, (1.0,)) == 3
    assert digits_for(1.0, (1.0,)) == 3


def test_a_race_ends_with_the_first_validation_that_is_as_good():
    published = [Point(1, 10, 3.0), Point(2, 20, 2.0), Point(3, 30, 2.5), Point(4, 40, 2.0)]
    assert outcome(published, [Point(1, 2, 2.5), Point(2, 4, 2.0), Point(3, 6, 1.0)]) == Outcome(2.0, 20, 4)
    assert outcome(published, [Point(1, 2, 2.5)]).share is None
    assert outcome(published, []) is None


def test_a_race_is_plotted(tmp_path):
    pytest.importorskip("matplotlib")
    curves = {
        name: [Point(at, at * slow, 1 + 1 / at) for at in range(1, 200)]
        for name, slow in (("published", 3), ("ours", 1))
    }
    first, again = tmp_path / "a.svg", tmp_path / "b.svg"
    draw(curves, "bits per character", first, "who is first")
    draw(curves, "bits per character", again, "who is first")
    assert first.read_bytes() == again.read_bytes()
    assert len(first.read_bytes()) < 40_000
    assert "bits per character" in first.read_text()


def test_a_curve_continues_with_its_training(store):
    store.begin_curve("key", -1)
    for at in (1, 2, 3):
        store.validated("key", Point(at, at, 1.0))
    store.begin_curve("key", 2)
    store.validated("key", Point(3, 9.0, 0.5))
    assert store.curve("key") == [Point(1, 1, 1.0), Point(2, 2, 1.0), Point(3, 9.0, 0.5)]


def test_an_incomplete_line_is_ignored(store):
    store.begin_curve("key", -1)
    store.validated("key", Point(1, 1.0, 2.0))
    with (store.home / "curves" / "key.jsonl").open("a") as file:
        file.write("[2, 1.5")
    assert len(store.curve("key")) == 1


def test_a_training_is_complete_at_its_end_or_time_limit():
    cut = Trained("", 0, 1, 99.0, 1, None, "", "interrupted")
    assert is_whole(cut, 100)
    assert not is_whole(cut, 200)
    assert not is_whole(cut, None)
    assert is_whole(Trained("", 0, 1, 5.0, 1, None, "", "early"), 100)


def test_the_shorter_time_limit_counts():
    stage = Stage("a", ("composer train abc x",), seconds=30)
    assert Limits("data").seconds(stage) == 30
    assert Limits("data", 10).seconds(stage) == 10
    assert Limits("data").seconds(STAGE) is None


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
