"""Progress of training: lines, JSON and a live display."""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from composer.cli.console import ClosedPipe, Console
from composer.cli.render.text import duration
from composer.cli.train.progress import JsonReporter, LineReporter, LiveReporter, SilentReporter, follow, reporter
from composer.cli.train.status import TrainingStatus, sparkline, update_line
from composer.training.events import Finished, PlannedPhase, Prepared, RolledBack, Saved, Started, Updated, Validated

PREPARED = Prepared(
    pieces={"train": 90, "valid": 10},
    rejected={"a bar does not fill its meter": 4},
    places={"a bar does not fill its meter": ["jigs.abc: tune 3", "jigs.abc: tune 7", "reels.abc: tune 1"]},
    unreadable=["photo.abc is not a text file"],
    duplicates=2,
    moved=0,
    copies=0,
    notes=[],
    losses={"notes moved to the grid": 17},
    cached=False,
)
STARTED = Started("train", 0, 200, 50, 12345, "cpu", "fp32", (90, 10), (9000, 1000))
STORY = [
    PREPARED,
    STARTED,
    *(Updated(step, step / 50, 3.0 - step / 100, 0.003, 5000.0) for step in range(1, 51)),
    Validated(50, 1.0, 2.0, 2.885, "bits per token", best=True),
    Saved(50, Path("mine.safetensors")),
    Updated(51, 1.02, 2.4, 0.003, 5000.0),
    Validated(100, 2.0, 2.1, 3.03, "bits per token", best=False),
    Finished(200, "done", 2.0, Path("mine.safetensors")),
]


@pytest.fixture
def console(stream):
    return Console(stream(), stream(), stream(), {"TERM": "xterm", "COLUMNS": "100"})


@pytest.fixture
def terminal(stream):
    return Console(
        stream(), stream(), stream(terminal=True), {"TERM": "xterm", "COLORTERM": "truecolor", "COLUMNS": "100"}
    )


def report_story(report):
    with report:
        for event in STORY:
            report.on_event(event)


def test_plain_lines(console):
    report_story(LineReporter(console, TrainingStatus()))
    text = console.stderr.data.decode()
    assert "100 pieces: 90 for training, 10 held out; skipped 2 duplicates" in text
    assert "warning: skipped 4 pieces:\n     4  a bar does not fill its meter, such as jigs.abc: tune 3\n" in text
    assert "\n    17  notes moved to the grid\n" in text
    assert "warning: photo.abc is not a text file" in text
    assert "update 50: validation 2.885 bits per token, best so far" in text
    assert text.count("\nupdate ") - text.count(": validation") == 5, "a line for each twentieth of the training"
    assert not console.stdout.data


@pytest.mark.parametrize(("name", "tune"), [("a.abc", ": tune 3"), ("my: a.abc", ": tune 3"), ("my: a.abc", "")])
def test_guesses_are_warnings_with_a_place(console, tmp_path, name, tune):
    path, phrase = tmp_path / name, "impossible note lengths changed"
    path.touch()
    guessed = replace(PREPARED, losses={phrase: 2}, places={**PREPARED.places, phrase: [f"{path}{tune}"]})
    SilentReporter(console).on_event(guessed)
    command = f"composer check {shlex.quote(str(path))}"
    line = f"warning: 2 {phrase}, the first in {path}{tune}; for details: {command}\n"
    assert line in console.stderr.data.decode().replace("\n  ", " ")


def test_lines_name_all_phases_but_the_last(console):
    phases = (PlannedPhase("pretraining", 100, 100), PlannedPhase("train", 100, 100))
    report = LineReporter(console, TrainingStatus())
    for phase, step in (("pretraining", 50), ("train", 150)):
        report.on_event(replace(STARTED, phase=phase, phases=phases))
        report.on_event(Updated(step, 1.0, 2.0, 0.003, 5000.0))
        report.on_event(Validated(step, 1.0, 2.0, 2.885, "bits per token", best=True))
    lines = [line.partition("  ")[0] for line in console.stderr.data.decode().splitlines()]
    assert lines[1:3] == [
        "pretraining: update 50/200",
        "pretraining: update 50: validation 2.885 bits per token, best so far",
    ]
    assert lines[4].startswith("update 150/200")


@pytest.mark.parametrize("terminal", [False, True])
def test_rolled_back(stream, terminal):
    console = Console(stream(), stream(), stream(terminal=terminal), {"TERM": "xterm", "COLUMNS": "200"})
    with reporter(console, TrainingStatus()) as report:
        report.on_event(RolledBack(60, 80))
    text = console.stderr.data.decode()
    assert "resuming from update 60, the last saved state" in text
    assert "the model from update 80 stays" in text


def test_singulars(console):
    one = replace(PREPARED, pieces={"train": 1}, rejected={"no notes": 1}, places={}, duplicates=1)
    report = LineReporter(console, TrainingStatus())
    report.on_event(one)
    report.on_event(replace(STARTED, pieces=(1, 0), counted=(1, 0)))
    text = console.stderr.data.decode()
    assert "1 piece; skipped 1 duplicate\nwarning: skipped 1 piece:\n" in text
    assert "training on 1 piece (1 step), " in text


def test_json_has_one_line_per_event(console):
    report_story(JsonReporter(console))
    lines = [json.loads(line) for line in console.stdout.data.decode().splitlines()]
    assert [line["event"] for line in lines[:3]] == ["prepared", "started", "updated"]
    assert len(lines) == len(STORY)
    assert lines[-1]["path"] == "mine.safetensors"


def test_quiet_prints_only_warnings(console):
    console.quiet = True
    report_story(SilentReporter(console))
    assert console.stderr.data.decode().splitlines() == [
        "warning: skipped 4 pieces:",
        "     4  a bar does not fill its meter, such as jigs.abc: tune 3",
        "warning: photo.abc is not a text file",
    ]


def test_live_display(terminal):
    seconds = iter(range(10_000))
    live = LiveReporter(terminal, TrainingStatus(clock=lambda: float(next(seconds))))
    with live:
        for event in STORY:
            live.on_event(event)
        live._live.refresh()
        shown = terminal.stderr.data.decode()
    assert "━" in shown
    assert "update 51/200" in shown
    last = terminal.stderr.data.decode().removeprefix(shown)
    assert not re.search("━|update 51", last), "the bar is erased"
    assert "validation 3.030 bits per token (best 2.885)" in last
    assert "▁█" in last


def test_reporter_for_each_terminal(console, terminal):
    assert isinstance(reporter(console, TrainingStatus()), LineReporter)
    assert isinstance(reporter(console, TrainingStatus(), as_json=True), JsonReporter)
    assert isinstance(reporter(terminal, TrainingStatus()), LiveReporter)
    terminal.environ = {"TERM": "dumb"}
    assert isinstance(reporter(terminal, TrainingStatus()), LineReporter)
    terminal.quiet = True
    assert isinstance(reporter(terminal, TrainingStatus()), SilentReporter)


def test_time_left():
    now = 0.0
    status = TrainingStatus(clock=lambda: now)
    status.on_event(STARTED)
    now = 10.0
    status.on_event(Updated(50, 1.0, 2.0, 0.003, 5000.0))
    assert status.left == pytest.approx(30.0)
    assert update_line(status) == "update 50/200  epoch 1.0  loss 2.000 nats  5,000 steps/s  30 s left"
    assert update_line(status, 50) == "update 50/200  loss 2.000 nats  30 s left"
    assert update_line(status, 40) == "update 50/200  loss 2.000  30 s left"


def test_time_left_of_a_resumed_run():
    now = 0.0
    status = TrainingStatus(clock=lambda: now)
    status.on_event(Started("train", 100, 200, 50, 1, "cpu", "fp32", (1, 1), (1, 1)))
    assert status.left is None
    now = 5.0
    status.on_event(Updated(150, 3.0, 2.0, 0.003, 5000.0))
    assert status.left == pytest.approx(5.0)


def test_sparklines():
    assert sparkline([3, 2, 1], 10) == "█▅▁"
    assert sparkline([3, 2, 1], 2) == "█▁"
    assert sparkline([1, 1], 5) == "▁▁"
    assert sparkline([], 5) == ""
    assert sparkline([1, 2], 0) == ""


@pytest.mark.parametrize(("seconds", "words"), [(9.6, "10 s"), (90, "2 min"), (3 * 3600 + 300, "3 h 05 min")])
def test_durations(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize("error", [ClosedPipe(), OSError("gone")])
def test_an_error_in_reporting_does_not_end_a_run(console, monkeypatch, error):
    def fail(*_, **options):
        shown.append(None)
        raise error

    shown, failures, seen = [], [], []
    report = JsonReporter(console)
    monkeypatch.setattr(console, "write_json", fail)
    events = (seen.append(event) or event for event in STORY)
    ending = follow(events, report, lambda snapshot: None, on_failure=failures.append)
    assert seen == STORY
    assert len(shown) == 1
    assert failures == [error]
    assert ending == (STORY[-1], error)
