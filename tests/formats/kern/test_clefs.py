"""Clefs of kern are kept, and changes of clef counted."""

from fractions import Fraction

import pytest
from kern_text import score

from composer.formats.kern.clefs import SpineClefs
from composer.formats.kern.written_music import Staff, WrittenNote


def spines(*clefs, music="4c 4d 4e 4f"):
    """Kern with a spine for each clef, of which the last is the highest."""
    rows = [["**kern"] * len(clefs), clefs, ["*M4/4"] * len(clefs), ["=1"] * len(clefs)]
    rows += [[each] * len(clefs) for each in music.split()]
    rows += [["=="] * len(clefs), ["*-"] * len(clefs)]
    return "\n".join("\t".join(row) for row in rows) + "\n"


@pytest.mark.parametrize(
    ("token", "name"),
    [
        ("*clefG2", "treble"), ("*clefGv2", "treble-8"), ("*clefG^2", "treble+8"), ("*clefC3", "alto"),
        ("*clefC4", "tenor"), ("*clefF4", "bass"), ("*clefFvv4", "bass-15"), ("*clefF5", "bass5"), ("*clefF", "bass"),
    ],
)  # fmt: skip
def test_names_of_clefs(token, name):
    (part,) = score(spines(token)).parts
    assert part.notation == (1, 0, name, ())


@pytest.mark.parametrize("token", ["*", "*clefX", "*clefG9", "*clef", "*clefQ2"])
def test_other_clefs_are_unknown(token):
    (part,) = score(spines(token)).parts
    assert part.notation is None


def test_the_last_spine_is_the_highest_staff():
    found = score(spines("*clefF4", "*clefGv2", "*clefC3", "*clefG2"))
    assert [each.notation.clef for each in found.parts] == ["treble", "alto", "treble-8", "bass"]
    assert found.losses == {}


def test_split_spines_keep_the_first_clef_and_changes_are_counted():
    text = (
        "**kern\t**kern\n*clefF4\t*clefG2\n*M2/4\t*M2/4\n4C\t4c\n*clefF4\t*clefC3\n*^\t*\n4E\t4G\t4d\n*\t*\t*clefG2\n"
    )
    found = score(text + "*v\t*v\t*\n2C\t2c\n==\t==\n*-\t*-\n")
    assert [each.notation.clef for each in found.parts] == ["treble", "bass"]
    assert found.losses == {"changes of clef left out": 2}


@pytest.mark.parametrize(
    ("signs", "name"),
    [("*ITrd-7c-12", "bass-8"), ("*ITrd7c12", "bass+8"), ("*ITrd-8c-14", "bass-8"), ("*ITrd-1c-2", "bass")],
)
def test_octaves_of_a_transposition_belong_to_the_clef(signs, name):
    text = "**kern\n{}\n{}\n*M2/4\n4C\n4D\n*-\n"
    for order in ((signs, "*clefF4"), ("*clefF4", signs)):
        (part,) = score(text.format(*order)).parts
        assert (part.notation.clef, part.notes[0].pitch) == (name, 48)


def test_two_spines_are_not_taken_for_a_keyboard():
    assert [each.notation.brace for each in score(spines("*clefF4", "*clefG2")).parts] == [0, 0]


def test_spines_with_other_notes_than_their_staves_leave_clefs_unknown():
    clefs = SpineClefs()
    for voice, token in (("0", "*clefF4"), ("1", "*clefC3")):
        clefs.add_spine(voice)
        clefs.read(voice, token)
    low, high, other = (
        WrittenNote(Fraction(0), pitch, Fraction(1), voice) for pitch, voice in ((48, "0"), (60, "1"), (61, "1"))
    )
    found = clefs.given_to([Staff([other]), Staff([low])], [low, high])
    assert [each.clef for each in found] == ["", "bass"]
    assert [each.clef for each in clefs.given_to([Staff([low])], [low, high])] == [""]
