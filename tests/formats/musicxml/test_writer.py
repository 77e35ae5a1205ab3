"""What music21 does while MusicXML is written."""

import gc
from fractions import Fraction

import music21
import pytest

from composer.api import ComposerError, Note, Part, Score
from composer.formats import write
from composer.formats.musicxml import writer

CHORDS = Score((Part(tuple(Note(Fraction(at), pitch, Fraction(1)) for at in range(8) for pitch in range(60, 72, 2))),))


def test_no_note_is_copied_and_no_garbage_is_collected(monkeypatch):
    """Both took as long as the rest."""
    copies, collecting = [], []
    copied, to_xml = music21.note.NotRest.__deepcopy__, writer._to_xml
    monkeypatch.setattr(music21.note.NotRest, "__deepcopy__", lambda *given: copies.append(1) or copied(*given))
    monkeypatch.setattr(music21.chord.ChordBase, "__deepcopy__", lambda *given: copies.append(1) or copied(*given))
    monkeypatch.setattr(writer, "_to_xml", lambda whole: collecting.append(gc.isenabled()) or to_xml(whole))
    assert write("musicxml", CHORDS).count(b"<chord") == 8 * 5
    assert (copies, collecting, gc.isenabled()) == ([], [False], True)


def test_garbage_is_collected_again_after_an_error(monkeypatch):
    def fail(whole):
        raise music21.exceptions21.Music21Exception

    monkeypatch.setattr(writer, "_to_xml", fail)
    with pytest.raises(ComposerError, match="cannot be written as MusicXML"):
        write("musicxml", CHORDS)
    assert gc.isenabled()
