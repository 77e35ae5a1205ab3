"""Chord symbols and fermatas as written: valid by the schema of MusicXML 4.0, and read back the same."""

from fractions import Fraction
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

from composer.api import ChordSymbol, Note, Part, Score, Source
from composer.formats import write
from composer.formats.read import read_playable
from composer.music.chords import KINDS, parse

SCHEMA_KINDS = {
    "augmented", "augmented-seventh", "diminished", "diminished-seventh", "dominant", "dominant-11th",
    "dominant-13th", "dominant-ninth", "French", "German", "half-diminished", "Italian", "major", "major-11th",
    "major-13th", "major-minor", "major-ninth", "major-seventh", "major-sixth", "minor", "minor-11th", "minor-13th",
    "minor-ninth", "minor-seventh", "minor-sixth", "Neapolitan", "none", "other", "pedal", "power",
    "suspended-fourth", "suspended-second", "Tristan",
}  # fmt: skip
"""The values of `kind-value` in musicxml.xsd."""
CHILDREN = ["root", "kind", "inversion", "bass", "degree", "offset"]
"""The order of the children of a `harmony` element."""
DEGREES = ("", "b5", "#5", "b9", "#9", "#11", "b13", "add13", "b5#9", "b9#9", "#9#11b13", "maj7", "add9")


def with_chords(*symbols):
    chords = tuple(ChordSymbol(Fraction(2 * at), Fraction(2), symbol) for at, symbol in enumerate(symbols))
    notes = tuple(Note(Fraction(at), 72, Fraction(1)) for at in range(2 * len(symbols)))
    return Score((Part(notes),), chords)


def again(data, name):
    return next(read_playable(Source(Path(name), name, data=data)))


def test_every_chord_is_valid_and_read_back():
    qualities = [spelling for _, spellings in KINDS.values() for spelling in spellings.split(" ")]
    qualities += ["69", "m69", "mM9", "m11", "m13", "maj11", "maj13", "9sus4", "13sus4", "7alt"]
    named = (parse(f"Eb{quality}{more}{bass}") for quality, more, bass in product(qualities, DEGREES, ("", "/G")))
    score = with_chords(*sorted({chord.symbol for chord in named if chord is not None}))
    data = write("musicxml", score)
    written = list(ElementTree.fromstring(data).iter("harmony"))
    assert len(written) == len(score.chords) > 500
    for harmony in written:
        tags = [child.tag for child in harmony]
        assert harmony.findtext("kind") in SCHEMA_KINDS
        assert tags == sorted(tags, key=CHILDREN.index)
        assert all(int(each.text) >= 0 for each in harmony.iter("inversion"))
        for degree in harmony.iterfind("degree"):
            assert [child.tag for child in degree] == ["degree-value", "degree-alter", "degree-type"]
            assert degree.findtext("degree-type") in {"add", "alter", "subtract"}
    back = again(data, "chords.musicxml")
    assert (back.chords, back.losses) == (score.chords, {})


def test_a_suspended_seventh_is_a_suspended_fourth_with_a_degree():
    (harmony,) = ElementTree.fromstring(write("musicxml", with_chords("E7sus4"))).iter("harmony")
    assert harmony.findtext("kind") == "suspended-fourth"
    assert [each.text for each in harmony.find("degree")] == ["7", "0", "add"]


def test_the_end_of_a_chord_without_another_is_written():
    score = with_chords("C", "F", "G", "C")
    score = Score(score.parts, (score.chords[0], *score.chords[2:]))
    data = write("musicxml", score)
    assert data.count(b'<kind text="N.C.">none</kind>') == 1
    assert again(data, "gap.musicxml").chords == score.chords
    text = write("abc", score)
    assert b'"^N.C."' in text
    assert again(text, "gap.abc").chords == score.chords


def test_fermatas_have_no_placement():
    score = Score(with_chords("C", "F").parts, fermatas=(Fraction(2),))
    (fermata,) = ElementTree.fromstring(write("musicxml", score)).iter("fermata")
    assert fermata.attrib == {"type": "upright"}
