"""Continuations on terminals of different sizes."""

import io
from fractions import Fraction

import pytest

from composer.api import Note, Part, Score
from composer.cli.choose.continuations import Draft
from composer.cli.choose.view import DraftView
from composer.cli.console import Console
from composer.cli.render.sketch import sketch
from composer.registry import plugins as registry

TUNE = f"T:{'A' * 30}\nM:4/4\nL:1/8\nK:C\n{'CDEF GABc|' * 8}"


@pytest.fixture
def shown():
    """Return the lines that show a tune in so many columns and rows."""
    representation = registry.representation("abc")()
    representation.restore({"characters": "".join(sorted(set(TUNE)))})
    draft = Draft(tuple(representation.ids[each] for each in TUNE))

    def show(width, rows):
        stderr = io.StringIO()
        console = Console(stderr=stderr, environ={"COLUMNS": str(width)})
        DraftView(console, representation).show(draft, {}, "3", rows)
        return stderr.getvalue().removesuffix("\n").split("\n")

    return show


@pytest.mark.parametrize("width", [40, 60, 140])
@pytest.mark.parametrize("rows", [1, 2, 3, 5, 30])
def test_a_continuation_takes_no_more_rows_than_there_are(shown, width, rows):
    lines = shown(width, rows)
    assert len(lines) <= rows
    assert max(map(len, lines)) <= width
    assert "(3)" in (lines if rows == 30 else lines[0][:4])


def test_what_does_not_fit_is_left_out_at_an_ellipsis(shown):
    assert shown(60, 1) == [f"(3) {'CDEF GABc|' * 5}CDEF …"]
    assert shown(60, 3)[0] == "(3) T:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA  M:4/4  L:1/8  K:C"
    assert shown(40, 3)[0] == f"(3) T:{'A' * 30} …"
    assert shown(60, 3)[2] == "    GABc|CDEF GABc|CDEF GABc|"


def notes(*pitches):
    return Score((Part(tuple(Note(Fraction(beat), pitch, Fraction(1)) for beat, pitch in enumerate(pitches))),))


def test_a_sketch_shows_the_contour_in_few_lines():
    assert sketch(notes(60, 61, 62, 63), 8, 2) == ["    ▄ ▀", "▄ ▀"]
    assert sketch(notes(60, 72, 84), 6, 1) == ["▄ ▀ ▀"]
    assert sketch(notes(60, 60), 12, 4) == ["▀▀▀▀▀ ▀▀▀▀▀"]
    assert sketch(notes(60, 72), 8, 3, ascii_only=True) == ["    ###", "", "###"]
    assert sketch(Score(()), 8, 3) == []
