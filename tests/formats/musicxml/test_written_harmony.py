"""Chord symbols and fermatas as written: valid by the schema of MusicXML 4.0, and read back the same."""

from fractions import Fraction
from itertools import combinations, cycle, product
from pathlib import Path
from xml.etree import ElementTree

import pytest

from composer.api import ChordSymbol, Note, Part, Score, Source
from composer.formats import write
from composer.formats.read import read_playable
from composer.music.chords import KINDS, named, parse

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
DEGREES = [(5, -1), (5, 1), (7, 1), *product((9, 11, 13), (-1, 0, 1))]
ROOTS = ("C", "F#", "Bb", "Eb")


def with_chords(*symbols):
    chords = tuple(ChordSymbol(Fraction(2 * at), Fraction(2), symbol) for at, symbol in enumerate(symbols))
    notes = tuple(Note(Fraction(at), 72, Fraction(1)) for at in range(2 * len(symbols)))
    return Score((Part(notes),), chords)


def again(data, name):
    return next(read_playable(Source(Path(name), name, data=data)))


def every_chord():
    """Return the chords of all kinds with one degree or none, some with two or three, each over one root and bass."""
    pairs, triples = (list(combinations(DEGREES, count)) for count in (2, 3))
    sets = [(), *((each,) for each in DEGREES), *pairs[::2], *triples[::11]]
    qualities = {(chord.kind, chord.degrees) for chord in (named("C", *each, "C") for each in product(KINDS, sets))}
    places = cycle(product(ROOTS, ("", "G", "", "E")))
    return [
        named(root, kind, degrees, bass or root)
        for (kind, degrees), (root, bass) in zip(sorted(qualities), places, strict=False)
    ]


def test_every_chord_is_valid_and_read_back():
    score = with_chords(*(chord.symbol for chord in every_chord()))
    assert [parse(chord.symbol) for chord in score.chords] == every_chord()
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
    back = again(write("abc", score), "chords.abc")
    assert [(chord.onset, chord.symbol) for chord in back.chords] == [
        (chord.onset, chord.symbol) for chord in score.chords
    ]
    assert back.losses == {}


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


MUSIC = '"Am"c4|"G"d4|"N.C."z4|'


@pytest.mark.parametrize(
    "music",
    [
        MUSIC,
        MUSIC + "z4|",
        MUSIC + "|:z4:|",
        MUSIC.replace("c4|", "|:c4:|"),
        MUSIC.replace("c4", "x4").replace("d4", "x4"),
    ],
)
@pytest.mark.parametrize("form", ["abc", "musicxml"])
def test_no_chord_in_silent_bars_at_the_end_is_kept(form, music):
    score = again(f"X:1\nM:4/4\nL:1/4\nK:C\n{music}\n".encode(), "given.abc")
    chords = score.chords
    assert chords[-1][1:] == (4, "G")
    back = again(write(form, score), f"written.{form}")
    assert back.chords == chords
    assert again(write("abc", back), "twice.abc").chords == chords


def test_a_chord_that_lasts_through_silent_bars_has_no_end():
    score = again(b'X:1\nM:4/4\nL:1/4\nK:C\n"Am"c4|"G"d4|z4|\n', "given.abc")
    assert score.chords[-1][1:] == (8, "G")
    for form in ("abc", "musicxml"):
        data = write(form, score)
        assert b"N.C." not in data
        assert again(data, f"written.{form}").chords == score.chords


def test_fermatas_have_no_placement():
    score = Score(with_chords("C", "F").parts, fermatas=(Fraction(2),))
    (fermata,) = ElementTree.fromstring(write("musicxml", score)).iter("fermata")
    assert fermata.attrib == {"type": "upright"}


@pytest.mark.parametrize(
    "music",
    [
        '|:"Am"c4|1 d4:|2 e4|"G"f4|',
        '|:"Am"c4|1 "G"d4:|2 e4|"G"f4|',
        '|:"Am"c4|d4:|e4|',
        '|:"Am"c4:|d4|"G"e4|',
        '|:c4|"Am"d4:|e4|',
        '|:"Am"c4|1 "N.C."d4:|2 e4|"G"f4|',
        '|:"Am"c4|"N.C."d4:|e4|"G"f4|',
    ],
)
def test_a_chord_goes_on_past_repeats_and_endings(music):
    score = again(f"X:1\nM:4/4\nL:1/4\nK:C\n{music}\n".encode(), "given.abc")
    data = write("musicxml", score)
    assert data.count(b">none</kind>") == music.count("N.C.")
    assert again(data, "written.musicxml").chords == score.chords
