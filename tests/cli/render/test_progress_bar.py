"""Progress of generating many pieces."""

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


def test_lines_in_a_pipe_at_growing_intervals(stream):
    console, now = Console(stream(), stream(), stream(), {}), iter([0.0, 2, 5, 9, 10, 19, 20])
    with LineProgress(console, GenProgress(10, lambda: 0, "step"), lambda: next(now)) as progress:
        for _ in range(6):
            progress.add_steps(100)
            progress.finish_piece()
    assert console.stderr.data.decode().splitlines() == [
        "1 of 10 pieces  40 steps/s  45 s left",
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
