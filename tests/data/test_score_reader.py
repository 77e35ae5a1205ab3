"""Reading files as scores: by a representation, as they are, and with the losses counted."""

from fractions import Fraction

import pytest

from composer.api import Meter, Note, Part, ReadError, Score
from composer.api.testing import source
from composer.data.score_reader import ScoreReader
from composer.formats import write
from composer_abc import Abc
from composer_grid import Grid, GridOptions


def midi(*notes, drums=0):
    """Return a MIDI file of (onset, pitch, length)."""
    parts = [Part(tuple(Note(Fraction(onset), pitch, Fraction(length)) for onset, pitch, length in notes))]
    beats = tuple(Note(Fraction(at), 36, Fraction(1)) for at in range(drums))
    return write("midi", Score((*parts, *([Part(beats, percussion=True)] if drums else []))))


OFF_GRID = midi((0, 60, "4/3"), ("4/3", 64, "2/3"), (2, 67, 2), drums=2)


def pitches(reader):
    [item] = reader
    return [note.pitch for note in item.score.notes]


def test_what_a_representation_loses_is_counted():
    reader = ScoreReader([source(OFF_GRID, "a.mid")], Grid())
    assert pitches(reader) == [60, 64, 67]
    assert reader.losses == {"notes moved to the grid by up to 1/12 beat": 2, "drum notes left out": 2}


def test_a_piece_that_is_rejected_is_read_as_it_is():
    refusing = Grid(GridOptions(offgrid="refuse"))
    assert pitches(ScoreReader([source(OFF_GRID, "a.mid")], refusing)) == [60, 64, 67]
    meters = (Meter(Fraction(0), 4, 4), Meter(Fraction(4), 3, 4))
    changing = write("midi", Score((Part((Note(Fraction(0), 60, Fraction(7)),)),), meters=meters))
    assert pitches(ScoreReader([source(changing, "b.mid")], Abc())) == [60]


def test_a_rejected_piece_in_the_native_format_stays_rejected():
    reader = ScoreReader([source("X:1\nK:D\nABC|\n", "odd.abc")], Abc())
    with pytest.raises(ReadError, match="no meter"):
        list(reader)
    assert reader.rejected == {"no meter": 1}
