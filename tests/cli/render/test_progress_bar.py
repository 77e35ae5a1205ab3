"""How far a run has come: where a bar is drawn, and its pace in words."""

import pytest

from composer.cli.console import Console
from composer.cli.render.progress_bar import GenProgress, LiveBar
from composer.cli.render.progress_lines import progress_display


@pytest.mark.parametrize(
    ("out", "err", "quiet", "term", "pieces", "drawn"),
    [
        (False, True, False, "xterm", 5, True),
        (True, True, False, "xterm", 5, False),
        (False, False, False, "xterm", 5, False),
        (False, True, True, "xterm", 5, False),
        (False, True, False, "dumb", 5, False),
        (False, True, False, "xterm", 1, False),
    ],
)
def test_where_a_bar_is_drawn(stream, out, err, quiet, term, pieces, drawn):
    console = Console(stream(), stream(terminal=out), stream(terminal=err), {"TERM": term}, quiet)
    assert isinstance(progress_display(console, pieces, lambda: 0, "step"), LiveBar) == drawn


def test_the_pace_in_words():
    pace = GenProgress(2000, lambda: 500, "character", done=500, steps=160_000, began=10.0)
    assert pace.share == 0.5
    assert pace.line(30.0) == "1,000 of 2,000 pieces  8,000 characters a second  40 s left"
    assert GenProgress(10, lambda: 0, "step", began=1.0).line(1.0) == "0 of 10 pieces"
