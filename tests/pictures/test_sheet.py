"""Sheet music; only what does not need the libraries of the extra `pictures` runs without them."""

import re
from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree

import pytest

from composer.api import ChordSymbol, ComposerError, Key, Note, Part, Score, Tempo
from composer.formats.abc.reader.score import read_score
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


def test_voices_of_abc_are_on_their_staves_with_a_name_for_each_instrument():
    score = read_score("X:1\nL:1/4\n%%score (S A) B\nK:C\nV:S name=Choir\nc4|\nV:A name=Choir\nG4|\nV:B\nC,4|\n")
    root = prepared(score)
    assert [name.text for name in root.iter("part-name")] == ["Choir", None]
    assert [[clef.findtext("sign") for clef in part.iter("clef")] for part in root.iter("part")] == [["G"], ["F"]]


def test_chords_for_a_keyboard_are_on_two_staves():
    notes = tuple(Note(Fraction(0), pitch, Fraction(4)) for pitch in (36, 48, 64, 72))
    root = prepared(Score((Part(notes),), (ChordSymbol(Fraction(0), Fraction(4), "C"),)))
    assert [(note.findtext("staff"), note.findtext("pitch/octave")) for note in root.iter("note")] == [
        ("1", "4"), ("1", "5"), ("2", "2"), ("2", "3"),
    ]  # fmt: skip
    assert [clef.findtext("sign") for clef in root.iter("clef")] == ["G", "F"]
    assert [name.text for name in root.iter("part-name")] == [None]


def test_voices_of_a_chorale_are_on_two_staves_of_one_part():
    voices = ((72, 74, 76, 74) * 2, (67, 67, 67, 65) * 2, (64, 62, 60, 62) * 2, (48, 47, 48, 50) * 2)
    notes = sorted(Note(Fraction(at), pitch, Fraction(1)) for voice in voices for at, pitch in enumerate(voice))
    root = prepared(Score((Part(tuple(notes)),)))
    assert [clef.findtext("sign") for clef in root.iter("clef")] == ["G", "F"]
    assert [child.tag for child in root.find("part-list")] == ["score-part"]
    assert {note.findtext("stem") for note in root.iter("note")} == {"up", "down"}


@pytest.mark.parametrize("pitches", [(60, 64, 72), (36, 43, 52), (36, 72)])
def test_one_staff_is_enough(pitches):
    """For chords that fit one clef, and for a melody whatever its range."""
    onsets = range(len(pitches)) if len(pitches) == 2 else [0] * len(pitches)
    notes = tuple(Note(Fraction(at), pitch, Fraction(1)) for at, pitch in zip(onsets, pitches, strict=True))
    root = prepared(Score((Part(notes),)))
    assert len([*root.iter("part")]) == 1
    assert not [*root.iter("staves")]


def test_chord_symbols_have_no_naturals():
    chords = (ChordSymbol(Fraction(0), Fraction(2), "F"), ChordSymbol(Fraction(2), Fraction(2), "Bb/F"))
    root = prepared(replace(SCORE, chords=chords, keys=(Key(Fraction(0), 1),)))
    assert [alter.text for alter in root.iter("root-alter")] == ["-1"]
    assert not [*root.iter("bass-alter")]


def test_music_signs_in_text_become_usual_characters():
    page = '<tspan font-family="Leipzig" font-size="10px">\ueca5 \uecb7</tspan>F<tspan>\uea66</tspan>'
    fonts = ' font-family="DejaVu Sans, sans-serif"'
    assert sheet._plain_text(page) == f'<tspan font-size="6px"{fonts}>♩.</tspan>F<tspan{fonts}>♯</tspan>'


JIG = """X:1
T:Jig
R:jig
M:6/8
L:1/8
K:D
|: A | "D"d3 d2 A | f3 |1 d3 a2 :|2 d6 ||
D3 D3 | D6 |]
"""


def test_abc_is_engraved_as_written():
    """With a pickup, endings, a double and a final bar line, the rhythm, and the numbers of bars that `show` has."""
    root = prepared(read_score(JIG))
    bar_lines = [
        [(each.find("repeat").get("direction") if each.find("repeat") is not None else each.findtext("bar-style"))
         for each in measure.iter("barline") if len(each) > (each.find("ending") is not None)]
        for measure in root.iter("measure")
    ]  # fmt: skip
    assert bar_lines == [["forward"], [], [], ["backward"], ["light-light"], [], ["light-heavy"]]
    assert [measure.get("number") for measure in root.iter("measure")] == ["0", "1", "2", "3", "4", "5", "6"]
    endings = [(each.get("number"), each.get("type")) for each in root.iter("ending")]
    assert endings == [("1", "start"), ("1", "stop"), ("2", "start"), ("2", "stop")]
    assert [(each.findtext("beats"), each.findtext("beat-type")) for each in root.iter("time")] == [("6", "8")]
    assert [words.text for words in root.iter("words")] == ["Jig"]
    assert not [*root.iter("rest")]


def test_repeated_notes_are_highlighted_each_time():
    score = read_score(JIG)
    spans = [*sheet._as_played([("pickup", 0.0, 0.5), ("ending", 7.5, 10.5)], score)]
    assert spans == [("pickup", 0, 0.5), ("pickup", 7.5, 8), ("ending", 12.5, 15.5)]


def test_bars_have_the_numbers_of_show_when_a_jump_is_written_out():
    root = prepared(read_score("X:1\nM:3/4\nL:1/4\nK:C\nCDE | FGA !fine!| GFE | DDD !D.C.alfine! |]"))
    assert [measure.get("number") for measure in root.iter("measure")] == ["1", "2", "3", "4", "1", "2"]


def test_pdf_pages_are_a4():
    pytest.importorskip("cairosvg")
    page = '<svg width="1050px" height="1485px" xmlns="http://www.w3.org/2000/svg"></svg>'
    sizes = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", combine([page, page], ".pdf"))
    assert {(round(float(width)), round(float(height))) for width, height in sizes} == {(595, 842)}


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
