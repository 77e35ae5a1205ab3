"""What the user sees of training: lines, JSON, a live picture, and a clock that the tests turn."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from composer.cli.console import Console
from composer.cli.render.text import duration
from composer.cli.train.progress import JsonReporter, LineReporter, LiveReporter, SilentReporter, reporter
from composer.cli.train.status import TrainingStatus, sparkline, update_line
from composer.training.events import Finished, PlannedPhase, Prepared, RolledBack, Saved, Started, Updated, Validated

PREPARED = Prepared(
    pieces={"train": 90, "valid": 10},
    rejected={"a bar does not fill its meter": 4},
    places={"a bar does not fill its meter": ["jigs.abc: tune 3", "jigs.abc: tune 7", "reels.abc: tune 1"]},
    unreadable=["photo.abc is not a text file"],
    duplicates=2,
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


def tell(told):
    with told:
        for event in STORY:
            told.on_event(event)


def test_lines_where_there_is_no_terminal(console):
    tell(LineReporter(console, TrainingStatus()))
    text = console.stderr.data.decode()
    assert "100 pieces: 90 for training, 10 held out; skipped 2 duplicates\n" in text
    assert "skipped 4 pieces:\n     4  a bar does not fill its meter, such as jigs.abc: tune 3\n" in text
    assert "\n    17  notes moved to the grid\n" in text
    assert "warning: photo.abc is not a text file" in text
    assert "step 50: validation 2.885 bits per token, the best so far" in text
    assert text.count("\nstep ") - text.count(": validation") == 5, "a line for each twentieth of the way"
    assert not console.stdout.data


def test_the_lines_of_a_phase_that_is_not_the_last_say_so(console):
    phases = (PlannedPhase("pretraining", 100, 100), PlannedPhase("train", 100, 100))
    told = LineReporter(console, TrainingStatus())
    for phase, step in (("pretraining", 50), ("train", 150)):
        told.on_event(replace(STARTED, phase=phase, phases=phases))
        told.on_event(Updated(step, 1.0, 2.0, 0.003, 5000.0))
        told.on_event(Validated(step, 1.0, 2.0, 2.885, "bits per token", best=True))
    lines = [line.partition("  ")[0] for line in console.stderr.data.decode().splitlines()]
    assert lines[1:3] == [
        "pretraining: step 50/200",
        "pretraining: step 50: validation 2.885 bits per token, the best so far",
    ]
    assert lines[4].startswith("step 150/200")


@pytest.mark.parametrize("terminal", [False, True])
def test_going_back_is_told(stream, terminal):
    console = Console(stream(), stream(), stream(terminal=terminal), {"TERM": "xterm", "COLUMNS": "200"})
    with reporter(console, TrainingStatus()) as told:
        told.on_event(RolledBack(60, 80))
    text = console.stderr.data.decode()
    assert "going back to step 60" in text
    assert "the model of step 80 is kept" in text


def test_one_is_one(console):
    one = replace(PREPARED, pieces={"train": 1}, rejected={"no notes": 1}, places={}, duplicates=1)
    told = LineReporter(console, TrainingStatus())
    told.on_event(one)
    told.on_event(replace(STARTED, pieces=(1, 0), counted=(1, 0)))
    text = console.stderr.data.decode()
    assert "1 piece; skipped 1 duplicate\nskipped 1 piece:\n" in text
    assert "1 piece of 1 step; " in text


def test_json_is_a_line_for_each_event_on_stdout(console):
    tell(JsonReporter(console))
    lines = [json.loads(line) for line in console.stdout.data.decode().splitlines()]
    assert [line["event"] for line in lines[:3]] == ["prepared", "started", "updated"]
    assert len(lines) == len(STORY)
    assert lines[-1]["path"] == "mine.safetensors"


def test_quiet_says_only_what_went_wrong(console):
    console.quiet = True
    tell(SilentReporter(console))
    assert console.stderr.data.decode() == "warning: photo.abc is not a text file\n"


def test_the_live_picture_shows_bar_losses_and_curve(terminal):
    seconds = iter(range(10_000))
    tell(LiveReporter(terminal, TrainingStatus(clock=lambda: float(next(seconds)))))
    text = terminal.stderr.data.decode()
    assert "━" in text
    assert "step 51/200" in text
    assert "validation 3.030 bits per token (best 2.885)" in text
    assert "▁█" in text


def test_who_reports_depends_on_the_terminal(console, terminal):
    assert isinstance(reporter(console, TrainingStatus()), LineReporter)
    assert isinstance(reporter(console, TrainingStatus(), as_json=True), JsonReporter)
    assert isinstance(reporter(terminal, TrainingStatus()), LiveReporter)
    terminal.environ = {"TERM": "dumb"}
    assert isinstance(reporter(terminal, TrainingStatus()), LineReporter)
    terminal.quiet = True
    assert isinstance(reporter(terminal, TrainingStatus()), SilentReporter)


def test_the_time_left_follows_the_pace():
    now = 0.0
    standing = TrainingStatus(clock=lambda: now)
    standing.on_event(STARTED)
    now = 10.0
    standing.on_event(Updated(50, 1.0, 2.0, 0.003, 5000.0))
    assert standing.left == pytest.approx(30.0)
    assert update_line(standing).endswith("30 s left")


def test_a_resumed_run_is_timed_from_where_it_went_on():
    now = 0.0
    standing = TrainingStatus(clock=lambda: now)
    standing.on_event(Started("train", 100, 200, 50, 1, "cpu", "fp32", (1, 1), (1, 1)))
    assert standing.left is None
    now = 5.0
    standing.on_event(Updated(150, 3.0, 2.0, 0.003, 5000.0))
    assert standing.left == pytest.approx(5.0)


def test_sparklines():
    assert sparkline([3, 2, 1], 10) == "█▅▁"
    assert sparkline([3, 2, 1], 2) == "█▁"
    assert sparkline([1, 1], 5) == "▁▁"
    assert sparkline([], 5) == ""
    assert sparkline([1, 2], 0) == ""


@pytest.mark.parametrize(("seconds", "words"), [(9.6, "10 s"), (90, "2 min"), (3 * 3600 + 300, "3 h 05 min")])
def test_durations(seconds, words):
    assert duration(seconds) == words
