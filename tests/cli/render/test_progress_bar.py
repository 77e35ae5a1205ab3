"""Progress of generating many pieces."""

import os
import re

import pytest

from composer.cli.console import Console
from composer.cli.render.progress_bar import (
    GenProgress,
    LineProgress,
    LiveBar,
    ProgressDisplay,
    StatusLine,
    progress_display,
)


@pytest.mark.parametrize(
    ("out", "err", "quiet", "term", "pieces", "display"),
    [
        (False, True, False, "xterm", 5, LiveBar),
        (True, True, False, "xterm", 5, StatusLine),
        (False, False, False, "xterm", 5, LineProgress),
        (False, True, True, "xterm", 5, ProgressDisplay),
        (False, True, False, "dumb", 5, LineProgress),
        (False, True, False, "xterm", 1, StatusLine),
    ],
)
def test_bar_only_on_a_terminal_without_pieces(stream, out, err, quiet, term, pieces, display):
    console = Console(stream(), stream(terminal=out), stream(terminal=err), {"TERM": term}, quiet)
    assert type(progress_display(console, pieces, lambda: 0, "step")) is display


def test_bar_beside_a_file_that_is_written_from_a_terminal(stream):
    console = Console(stream(), stream(terminal=True), stream(terminal=True), {"TERM": "xterm"})
    assert isinstance(progress_display(console, 5, lambda: 0, "step", to_stdout=False), LiveBar)


@pytest.mark.parametrize(("to_stdout", "display"), [(True, ProgressDisplay), (False, LineProgress)])
def test_no_lines_between_pieces_of_the_same_file(tmp_path, stream, to_stdout, display):
    files = tmp_path / "tune.abc", tmp_path / "progress"
    with files[0].open("w") as out, files[1].open("w") as other, os.fdopen(os.dup(out.fileno()), "w") as same:
        mixed, apart = Console(stream(), out, same, {}), Console(stream(), out, other, {})
        assert type(progress_display(mixed, 5, lambda: 0, "step", to_stdout=to_stdout)) is display
        assert type(progress_display(apart, 5, lambda: 0, "step", to_stdout=to_stdout)) is LineProgress


@pytest.mark.parametrize(("columns", "shown"), [(60, "3 of 10 pieces  23 s left"), (40, "3 of 10 pieces  2…")])
def test_a_bar_leaves_columns_for_the_echo_of_ctrl_c(stream, monkeypatch, columns, shown):
    console = Console(stream(), stream(), stream(terminal=True), {"TERM": "xterm", "COLUMNS": str(columns)})
    bar = LiveBar(console, GenProgress(10, lambda: 0, "step", done=3, steps=400))
    monkeypatch.setattr("time.monotonic", lambda: 10.0)
    console.rich_console(console.stderr).print(bar.render())
    line = re.sub(r"\x1b\[[0-9;]*m", "", console.stderr.data.decode()).rstrip("\n")
    assert len(line) <= columns - 3
    assert line.endswith(shown)


@pytest.fixture
def lines_after(monkeypatch):
    """Have lines of progress printed after so many seconds."""
    return lambda seconds: monkeypatch.setattr("composer.cli.render.reading_progress.FIRST_LINE", seconds)


def test_lines_in_a_pipe_at_growing_intervals(stream, lines_after, first_line):
    lines_after(first_line)
    console, now = Console(stream(), stream(), stream(), {}), iter([0.0, 1, 2, 3, 10, 19, 20])
    with LineProgress(console, GenProgress(10, lambda: 0, "step"), lambda: next(now)) as progress:
        for _ in range(6):
            progress.add_steps(100)
            progress.finish_piece()
    assert console.stderr.data.decode().splitlines() == [
        "1 of 10 pieces  100 steps/s",
        "3 of 10 pieces  40 steps/s  23 s left",
        "5 of 10 pieces  30 steps/s  20 s left",
    ]


def test_a_line_on_a_terminal_gives_way_to_pieces(stream):
    console, now = (
        Console(stream(), stream(), stream(terminal=True), {"TERM": "xterm"}),
        iter([0.0, 1, 2.5, 2.6, 2.7, 4, 5]),
    )
    with StatusLine(console, GenProgress(1, lambda: 0, "step"), lambda: next(now)) as progress:
        for _ in range(3):
            progress.add_steps(100)
        progress.before_output()
        progress.add_steps(100)
    assert console.stderr.data.decode() == "\rgenerating: 200 steps  80 steps/s\033[K\r\033[K"


@pytest.mark.parametrize(
    "command",
    [
        ("convert", "{tune}"),
        ("play", "{tune}"),
        ("harmonize", "{tune}", "--style", "chords"),
        ("gen", "abc", "-c", "{checkpoint}", "--length", 80),
        ("gen", "abc", "-c", "{checkpoint}", "--length", 80, "--candidates", 2),
    ],
)
def test_rendering_sound_shows_progress(composer, checkpoint, tmp_path, lines_after, command):
    lines_after(0.0)
    (tmp_path / "tune.abc").write_text("X:1\nT:One\nM:4/4\nL:1/1\nK:C\nC|D|E|F|]\n")
    words = [str(word).format(tune=tmp_path / "tune.abc", checkpoint=checkpoint) for word in command]
    done = composer(*words, "-o", tmp_path / "tune.wav")
    assert done.code == 0, done.err
    assert "rendering: 0%\n" in done.err
    assert (tmp_path / "tune.wav").stat().st_size > 44_100


def test_rendering_on_a_terminal_gives_way_to_pieces(stream):
    console = Console(stream(), stream(), stream(terminal=True), {"TERM": "xterm"})
    with StatusLine(console, GenProgress(1, lambda: 0, "step"), lambda: 0.0) as progress:
        progress.rendered(0.5)
        progress.finish_piece()
    assert console.stderr.data.decode() == "\rrendering: 50%\033[K\r\033[K"


def test_no_estimate_before_it_means_something():
    progress = GenProgress(1000, lambda: 0, "step", done=1, began=0.0)
    assert "left" not in progress.line(2.0)
    assert "left" not in progress.line(9.0)
    progress.done = 20
    assert progress.line(10.0).endswith("8 min left")


def test_line():
    progress = GenProgress(2000, lambda: 500, "character", done=500, steps=160_000, began=10.0)
    assert progress.share == 0.5
    assert progress.line(30.0) == "1,000 of 2,000 pieces  8,000 characters/s  40 s left"
    assert GenProgress(10, lambda: 0, "step", began=1.0).line(1.0) == "0 of 10 pieces"
