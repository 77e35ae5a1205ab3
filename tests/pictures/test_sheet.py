"""Sheet music; only what does not need the libraries of the extra `pictures` runs without them."""

import re
from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree

import pytest

from composer.api import ChordSymbol, ComposerError, Key, Note, Part, Score, Tempo
from composer.pictures import sheet
from composer.pictures.rasterize import combine

SCORE = Score(
    (
        Part((Note(Fraction(0), 72, Fraction(2)), Note(Fraction(2), 74, Fraction(2))), "Flute"),
        Part((Note(Fraction(0), 40, Fraction(4)),)),
    ),
    (ChordSymbol(Fraction(0), Fraction(4), "F#m"),),
    (Tempo(Fraction(0), 90),),
    title="Salt & <Pepper>",
)


def prepared(score):
    return ElementTree.fromstring(sheet._prepared(score))


def test_each_part_has_a_clef_that_fits_its_pitches():
    parts = prepared(SCORE).iter("part")
    assert [[clef.findtext("sign") for clef in part.iter("clef")] for part in parts] == [["G"], ["F"]]


def test_clef_is_where_musicxml_allows_it():
    tags = [child.tag for child in next(prepared(SCORE).iter("attributes"))]
    assert tags.index("clef") > tags.index("time") > tags.index("divisions")


def test_only_names_that_the_score_has():
    assert [name.text for name in prepared(SCORE).iter("part-name")] == ["Flute", None]
    alone = Score(SCORE.parts[:1])
    assert [name.text for name in prepared(alone).iter("part-name")] == [None]


def test_chords_for_a_keyboard_are_on_two_staves():
    notes = tuple(Note(Fraction(0), pitch, Fraction(4)) for pitch in (36, 48, 64, 72))
    root = prepared(Score((Part(notes),), (ChordSymbol(Fraction(0), Fraction(4), "C"),)))
    staves = [[step.text for step in part.iter("octave")] for part in root.iter("part")]
    assert staves == [["4", "5"], ["2", "3"]]
    assert [clef.findtext("sign") for clef in root.iter("clef")] == ["G", "F"]
    assert [name.text for name in root.iter("part-name")] == [None, None]
    assert [child.tag for child in root.find("part-list")] == ["part-group", "score-part", "score-part", "part-group"]


@pytest.mark.parametrize("pitches", [(60, 64, 72), (36, 43, 52), (36, 72)])
def test_one_staff_is_enough(pitches):
    """For chords that fit one clef, and for a melody whatever its range."""
    onsets = range(len(pitches)) if len(pitches) == 2 else [0] * len(pitches)
    notes = tuple(Note(Fraction(at), pitch, Fraction(1)) for at, pitch in zip(onsets, pitches, strict=True))
    assert len([*prepared(Score((Part(notes),))).iter("part")]) == 1


def test_chord_symbols_have_no_naturals():
    chords = (ChordSymbol(Fraction(0), Fraction(2), "F"), ChordSymbol(Fraction(2), Fraction(2), "Bb/F"))
    root = prepared(replace(SCORE, chords=chords, keys=(Key(Fraction(0), 1),)))
    assert [alter.text for alter in root.iter("root-alter")] == ["-1"]
    assert not [*root.iter("bass-alter")]


def test_music_signs_in_text_become_usual_characters():
    page = '<tspan font-family="Leipzig" font-size="10px">\ueca5</tspan>F<tspan>\uea66</tspan>'
    assert sheet._plain_text(page) == '<tspan font-size="6px">♩</tspan>F<tspan>♯</tspan>'


def test_too_many_bars():
    pytest.importorskip("verovio")
    long = Score((Part((Note(Fraction(5000), 60, Fraction(1)),)),))
    with pytest.raises(ComposerError, match="1,251 bars are too many"):
        sheet.engrave(long, paged=False)


def test_title_and_chords_are_text_that_any_font_can_show():
    pytest.importorskip("verovio")
    page = "".join(sheet.engrave(SCORE, paged=False))
    assert "Salt &amp; &lt;Pepper&gt;" in page
    assert "♩" in page
    assert "♯" in page
    assert not re.search("[\ue000-\uf8ff]", page)
    assert sheet.engrave(SCORE, paged=False) == [page]


def test_svg_documents_are_stacked():
    small = '<?xml version="1.0"?>\n<svg width="30px" height="20px" xmlns="http://www.w3.org/2000/svg"></svg>'
    root = ElementTree.fromstring(combine([small, small], ".svg"))
    assert (root.get("width"), root.get("height")) == ("30px", "40px")
    assert [child.get("y") for child in root if child.tag.endswith("svg")] == ["0", "20"]
