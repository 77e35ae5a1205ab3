"""Fermatas: read from notation at the beats where their notes are played, and written again."""

from fractions import Fraction

import pytest

from composer.api import Key, Meter, Note, Part, Score
from composer.api.testing import source
from composer.cli.convert.losses import lost_signs
from composer.formats import write
from composer.formats.read import read_scores

ABC = "X:1\nM:4/4\nL:1/4\nK:C\n|:CD!fermata!E2:|HF3z|]\n"
KERN = """**kern\t**kern
*M4/4\t*M4/4
*>A\t*>A
2c\t4e
.\t4f
2d;\t2g;
*>B\t*>B
=\t=
4c\t4e
2.r;\t2.g;
==\t==
*-\t*-
"""
MEI = """<mei xmlns="http://www.music-encoding.org/ns/mei" meiversion="5.0"><music><body><mdiv><score>
<scoreDef meter.count="4" meter.unit="4"><staffGrp><staffDef n="1" lines="5"/></staffGrp></scoreDef><section>
<measure n="1" right="rptend"><staff n="1"><layer n="1"><note pname="c" oct="4" dur="2"/>
<note xml:id="a" pname="d" oct="4" dur="2"/></layer></staff><fermata startid="#a"/></measure>
</section></score></mdiv></body></music></mei>
"""
NOTES = (Note(Fraction(0), 60, Fraction(3)), Note(Fraction(3), 64, Fraction(5, 2)), Note(Fraction(0), 48, Fraction(6)))
TWO_VOICES = Score((Part(NOTES),), meters=(Meter(Fraction(0), 3, 4),), keys=(Key(Fraction(0), 0),))


def read(text, name):
    ((_, score),) = read_scores(source(text, name))
    return score


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [(ABC, "a.abc", [2, 6, 8]), (KERN, "a.krn", [2, 5]), (MEI, "a.mei", [2, 6])],
    ids=["abc", "kern", "mei"],
)
def test_fermatas_are_at_the_beats_of_their_notes_each_time_through(text, name, expected):
    assert list(read(text, name).fermatas) == expected


def test_a_sign_on_a_tied_note_belongs_to_the_whole_note():
    assert read("X:1\nM:4/4\nL:1/4\nK:C\nCD3-|!fermata!D4|\n", "a.abc").fermatas == (1,)


def test_a_symbol_may_stand_for_another_decoration():
    assert read("X:1\nU:H=trill\nK:C\nHC2 C2|\n", "a.abc").fermatas == ()
    assert read("X:1\nU:T=!fermata!\nK:C\nTC2 C2|\n", "a.abc").fermatas == (0,)


def test_phrases_of_kern_end_with_their_last_notes():
    """Each time through; ABC does not mark phrases."""
    marked = KERN.replace("2c", "{2c").replace("2d;", "2d;}").replace("\n4c", "\n{4c").replace("2.g;", "2.g;}")
    assert read(marked, "a.krn").phrase_ends == (2, 5)
    again = marked.replace("*>A", "*>[A,A,B]\t*>[A,A,B]\n*>A", 1)
    assert read(again, "a.krn").phrase_ends == (2, 6, 9)
    assert read(KERN, "a.krn").phrase_ends == read(ABC, "a.abc").phrase_ends == ()


@pytest.mark.parametrize("fermatas", [(3,), (0, 3)])
@pytest.mark.parametrize(("form", "name"), [("abc", "a.abc"), ("musicxml", "a.musicxml")])
def test_fermatas_are_written(form, name, fermatas):
    score = Score(TWO_VOICES.parts, meters=TWO_VOICES.meters, keys=TWO_VOICES.keys, fermatas=fermatas)
    again = read(write(form, score), name)
    assert again.fermatas == fermatas
    assert again.notes == score.notes
    assert lost_signs(score, again) == {}


def test_midi_has_no_fermatas():
    score = Score(TWO_VOICES.parts, meters=TWO_VOICES.meters, keys=TWO_VOICES.keys, fermatas=(Fraction(0), Fraction(3)))
    assert lost_signs(score, read(write("midi", score), "a.mid"))["fermatas left out"] == 2
