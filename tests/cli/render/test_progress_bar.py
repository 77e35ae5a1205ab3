"""Progress of generating many pieces."""

import pytest

from composer.cli.console import Console
from composer.cli.render.progress_bar import GenProgress, LiveBar, progress_display


@pytest.mark.parametrize(
    ("out", "err", "quiet", "term", "pieces", "has_bar"),
    [
        (False, True, False, "xterm", 5, True),
        (True, True, False, "xterm", 5, False),
        (False, False, False, "xterm", 5, False),
        (False, True, True, "xterm", 5, False),
        (False, True, False, "dumb", 5, False),
        (False, True, False, "xterm", 1, False),
    ],
)
def test_bar_only_on_a_terminal_without_pieces(stream, out, err, quiet, term, pieces, has_bar):
    console = Console(stream(), stream(terminal=out), stream(terminal=err), {"TERM": term}, quiet)
    assert isinstance(progress_display(console, pieces, lambda: 0, "step"), LiveBar) == has_bar


def test_line():
    progress = GenProgress(2000, lambda: 500, "character", done=500, steps=160_000, began=10.0)
    assert progress.share == 0.5
    assert progress.line(30.0) == "1,000 of 2,000 pieces  8,000 characters/s  40 s left"
    assert GenProgress(10, lambda: 0, "step", began=1.0).line(1.0) == "0 of 10 pieces"
