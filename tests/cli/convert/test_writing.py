"""What `composer convert` writes can be read again, and errors in it are not blamed on the source."""

from fractions import Fraction

import pytest

from composer import formats
from composer.api import ComposerError, Note, Part, Score
from composer.cli.convert.pieces import FoundPiece
from composer.cli.convert.writing import make_writer

PIECE = FoundPiece("esc.abc: tune 1", Score((Part((Note(Fraction(0), 60, Fraction(1)),)),), title="a\x1bb"))


@pytest.mark.parametrize("name", ["abc", "midi", "musicxml"])
def test_control_characters_of_titles_are_not_written(name):
    write, _ = make_writer(formats.format_named(name))
    data, losses = write(PIECE)
    assert b"a b" in data
    assert b"\x1b" not in data
    assert "titles left out" not in losses


def test_unreadable_output_is_not_blamed_on_the_source(monkeypatch):
    broken = formats.format_named("musicxml")._replace(write=lambda score, settings: b"<score-partwise><")
    monkeypatch.setitem(formats.FORMATS, "musicxml", broken)
    write, _ = make_writer(broken)
    with pytest.raises(ComposerError, match=r"the musicxml written for it cannot be read again: .* is invalid XML"):
        write(PIECE)
