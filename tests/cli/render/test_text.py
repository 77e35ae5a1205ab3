"""Lines that fit a terminal."""

import pytest

from composer.cli.console import Console
from composer.cli.render.text import shorten_names, truncate, wrap_prose


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three", ["one two three"]),
        ("one two three four five six", ["one two three four", "five six"]),
        ("not 'my old tune.abc' in (`a b`), or", ["not", "'my old tune.abc' in", "(`a b`), or"]),
        ("the same with --seed 12", ["the same with", "--seed 12"]),
        ("try: composer gen abc", ["try:", "composer gen abc"]),
        ("made by composer 0.1 and changed", ["made by composer 0.1", "and changed"]),
        ("write it to -o tune%d.abc", ["write it to", "-o tune%d.abc"]),
        ("resume:   composer train abc --name mine", ["resume:   composer train abc --name mine"]),
        ("saved /a/name/that/is/too/long at last", ["saved /a/name/that/is/too/long at last"]),
        ("    17  notes moved to the grid", ["    17  notes moved", "        to the grid"]),
        ("the piece's end isn't where it is", ["the piece's end", "isn't where it is"]),
    ],
)
def test_lines_end_between_words(text, lines):
    assert wrap_prose(text, 20) == lines


def test_only_terminals_get_several_lines(stream):
    text = "invalid value for --temp: 'hot'"
    for is_terminal, shown in ((True, "error: invalid value\nfor --temp: 'hot'\n"), (False, f"error: {text}\n")):
        console = Console(stderr=stream(terminal=is_terminal), environ={"COLUMNS": "20", "NO_COLOR": "1"})
        console.fail(text)
        assert console.stderr.data.decode() == shown


def test_truncated_text_has_an_ellipsis():
    assert truncate("CDEF GABc", 9) == "CDEF GABc"
    assert truncate("CDEF GABc", 7) == "CDEF …"


def test_an_apostrophe_does_not_begin_a_name():
    prose = f"it can't be {'so ' * 200}, since it isn't"
    assert shorten_names(prose) == prose
    assert len(shorten_names(f"no model '{'n ' * 400}'")) < 300
