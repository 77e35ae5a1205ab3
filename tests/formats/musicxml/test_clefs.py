"""Clefs, staves and braces of MusicXML are kept, and changes of clef counted."""

from pathlib import Path

import pytest
from musicxml_text import attributes, back, notes, read, transpose, xml_score

from composer import formats
from composer.api import Source
from composer.formats.musicxml.attributes import clef_name
from composer.formats.musicxml.cache import through_cache
from composer.formats.musicxml.reader import read_notation, unscored
from composer.formats.read import read_playable

DRUMS = {
    1: '<score-instrument id="kick"><instrument-name>Kick</instrument-name></score-instrument>'
    '<score-instrument id="viola"><instrument-name>Viola</instrument-name></score-instrument>'
    '<midi-instrument id="kick"><midi-channel>10</midi-channel><midi-unpitched>37</midi-unpitched></midi-instrument>'
}
KICK = (
    "<note><unpitched><display-step>F</display-step><display-octave>4</display-octave></unpitched>"
    '<duration>48</duration><instrument id="kick"/><voice>1</voice></note>'
)
VIOLA = notes("C4/4", instrument="viola")


def clef(sign, line="", octaves="", staff="", more=""):
    """A `clef` element; empty texts are left out."""
    number = f' number="{staff}"' if staff else ""
    fields = (("sign", sign), ("line", line), ("clef-octave-change", octaves))
    return f"<clef{number}{more}>" + "".join(f"<{tag}>{text}</{tag}>" for tag, text in fields if text) + "</clef>"


def part(*signs, music="C4/4"):
    return [attributes("4/4", 0, "".join(signs)) + notes(music), notes(music)]


def places(score):
    return [each.notation and each.notation[:3] for each in score.parts]


@pytest.mark.parametrize(
    ("signs", "name"),
    [
        (("G", "2"), "treble"), (("C", "3"), "alto"), (("C", "4"), "tenor"), (("F", "4"), "bass"), (("F",), "bass"),
        (("C", "1"), "soprano"), (("C", "2"), "mezzo"), (("F", "3"), "baritone"), (("F", "5"), "bass5"),
        (("G", "1"), "treble1"), (("C", "5"), "alto5"), (("G", "2", "-1"), "treble-8"), (("G", "2", "+1"), "treble+8"),
        (("F", "4", "-2"), "bass-15"), (("F", "4", "-9"), "bass-15"), (("G", "x", "much"), "treble"),
        (("G", "8"), "treble"),
    ],
)  # fmt: skip
def test_names_of_clefs(signs, name):
    assert places(read(part(clef(*signs)))) == [(1, 0, name)]


@pytest.mark.parametrize("sign", ["TAB", "none", "jianpu", "", "g"])
def test_other_signs_have_no_name(sign):
    assert places(read(part(clef(sign, "5")))) == [None]
    assert places(read(part(clef(sign, "5")), part(clef("C", "3")))) == [(1, 0, ""), (2, 0, "alto")]


@pytest.mark.parametrize(("octaves", "ending"), [(0, ""), (1, "+8"), (-1, "-8"), (2, "+15"), (-3, "-15")])
def test_octaves_end_the_name(octaves, ending):
    assert clef_name("C", 4, octaves) == f"tenor{ending}"


@pytest.mark.parametrize(
    ("moved", "name"),
    [(transpose(0, octaves=-1), "bass-8"), (transpose(-2, -1), "bass"), (transpose(-14, -8), "bass-8"), ("", "bass")],
)
def test_octaves_of_a_transposition_belong_to_the_clef(moved, name):
    score = read(part(clef("F", "4"), moved))
    assert places(score) == [(1, 0, name)]


def test_staves_of_a_part_have_a_brace():
    both = notes("E5/4") + back(4) + notes("C3/4", staff=2)
    piano = [attributes("4/4", 0, "<staves>2</staves>" + clef("G", "2", staff="1") + clef("F", "4", staff="2")) + both]
    assert places(read(part(clef("C", "3")), piano)) == [(1, 0, "alto"), (2, 1, "treble"), (3, 1, "bass")]


def test_the_first_clef_of_a_staff_is_kept():
    change = attributes(more=clef("C", "4")) + notes("G4/4")
    assert places(read([*part(clef("F", "4")), change])) == [(1, 0, "bass")]


def test_without_clefs_the_notation_is_unknown():
    assert places(read(part())) == [None]


def test_parts_in_voices_that_a_score_does_not_tell_apart_are_left_to_writers():
    voices = notes("G4/1 A4/1 B4/1 C5/1") + back(4) + notes("E4/2 D4/2", voice=2)
    assert places(read([attributes("4/4", 0, clef("G", "2")) + voices] * 4, part(clef("C", "3")) * 2)) == [None, None]


def test_pitched_notes_have_no_percussion_clef():
    drums = [attributes("4/4", 0, clef("percussion")) + KICK, attributes(more=clef("C", "3")) + VIOLA]
    pitched, drum = sorted(read(drums, declared=DRUMS).parts, key=lambda each: each.percussion)
    assert (pitched.notation.clef, drum.notation.clef) == ("alto", "perc")


@pytest.mark.parametrize("timewise", [False, True])
def test_changes_of_clef_are_counted(timewise):
    changes = [attributes(more=clef("C", "4")), attributes(more=clef("C", line="4")), attributes(more=clef("F", "4"))]
    cello = [*part(clef("F", "4")), *(each + notes("C4/4") for each in changes)]
    other = part(clef("G", "2", staff="1"), clef("F", "4", staff="2")) + [notes("C4/4")] * 3
    data = xml_score(cello, other, timewise=timewise)
    (found,) = unscored(Source(Path("a.musicxml"), data=data))
    assert found == {"changes of clef left out": 2}
    assert read_notation(data, "a.musicxml", temporary=True).losses == {}


def test_the_cache_keeps_the_notation_of_parts():
    score = read(part(clef("C", "3"), music="C4/4"))
    first, again = (through_cache(b"clefs", "1", lambda: score) for _ in range(2))
    assert again is not first
    assert [each.notation for each in again.parts] == [each.notation for each in score.parts]


@pytest.mark.parametrize("form", ["abc", "musicxml"])
def test_clefs_and_staves_are_written_and_read_again(form):
    both = notes("E5/4") + back(4) + notes("G4/4", staff=2)
    piano = [attributes("4/4", 0, clef("G", "2", staff="1") + clef("F", "4", staff="2")) + both, both]
    score = read(
        [attributes("4/4", 0, clef("percussion")) + KICK, KICK],
        part(clef("C", "3"), music="C6/4"), part(clef("G", "2", "-1")), part(clef("F", "4"), transpose(0, octaves=-1)),
        piano, declared=DRUMS,
    )  # fmt: skip
    written = formats.write(form, score)
    again = next(iter(read_playable(Source(Path(f"a.{form}"), data=written, temporary=True))))
    clefs = ["perc", "alto", "treble-8", "bass-8", "treble", "bass"]
    assert [each.notation.clef for each in again.parts] == clefs
    assert [each.notation.brace for each in again.parts] == [0, 0, 0, 0, 1, 1]
    assert [each.notes for each in again.parts] == [each.notes for each in score.parts]
