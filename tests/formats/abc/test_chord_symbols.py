"""Chord symbols in ABC text: they are inserted before notes, and nothing else changes."""

import pytest

from composer.api import ReadError
from composer.formats.abc.chord_symbols import add_chords
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.score import read_score

HEADER = "X:1\nM:4/4\nL:1/4\nK:G\n"


def body(text, header=HEADER):
    """Return the music of the tune with chords."""
    added = add_chords(split_tunes(header + text + "\n")[0])
    assert added.text.startswith(header)
    return added.text.removeprefix(header).removesuffix("\n")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("G B d B|c e e c|A F D F|G4|]", '"G"G B d B|"C"c e e c|"D7"A F D F|"G"G4|]'),
        ("D|G B d B|G4|]", 'D|"G"G B d B|"G"G4|]'),  # a pickup has no chord
        ("|:{a}.G (3B/d/B/ d2|[GB]4:|", '|:"G"{a}.G (3B/d/B/ d2|"G"[GB]4:|'),  # before grace notes and decorations
        ("G B d B|% \"A\" a remark", '"G"G B d B|% "A" a remark'),
        ("z4|G4|]", 'z4|"G"G4|]'),
    ],
)  # fmt: skip
def test_symbols_stand_before_the_first_note(text, written):
    assert body(text) == written


def test_the_notes_stay():
    text = HEADER + "D|G2 ~B2|c>e (3efg d|!trill!A F D F|1 G4:|2 G2 z2|]\nw: la la\n"
    added = add_chords(split_tunes(text)[0])
    assert read_score(added.text).notes == read_score(text).notes
    assert "w: la la\n" in added.text
    assert added.written == added.text.count('"') // 2 == 5


def test_older_symbols_are_replaced_and_remarks_stay():
    added = add_chords(split_tunes(HEADER + '"Am"G "slowly"B d "D7/F#"B|G4|]\n')[0])
    assert added.text.endswith('"G"G "slowly"B d B|"G"G4|]\n')
    assert added.replaced == 2


def test_another_chord_in_the_second_half_of_a_bar():
    assert body("G B A F|G4|]") == '"G"G B "D7"A F|"G"G4|]'
    polka = "X:1\nM:2/4\nL:1/8\nK:G\n"
    assert body("G2 AF|G4|]", polka) == '"G"G2 "D7"AF|"G"G4|]'
    assert body("G3 F|G4|]", polka) == '"G"G3 F|"G"G4|]'  # no note starts in the middle


def test_a_cadence_at_a_repeat():
    assert body("G B d B|D4|G4:|G B d B|c e e c|G4|]").startswith('"G"G B d B|"D7"D4|"G"G4:|')
    assert body("G B d B|D4|G4|G B d B|c e e c|G4|]").startswith('"G"G B d B|"G"D4|"G"G4|')


def test_the_key_may_change():
    assert body("G B d B|G4|[K:C]c e g e|f a c' a|c4|]") == '"G"G B d B|"G"G4|[K:C]"C"c e g e|"F"f a c\' a|"C"c4|]'


def test_no_melody():
    with pytest.raises(ReadError, match="no notes"):
        add_chords(split_tunes(HEADER + "z4|\n")[0])


def test_a_key_with_explicit_accidentals_is_that_of_the_score():
    header = HEADER.replace("K:G", "K:D exp _e ^f _B")
    plain = HEADER.replace("K:G", "K:D phr")
    assert read_score(header + "D4|\n").keys == read_score(plain + "D4|\n").keys
    music = "D E F G|A B c d|"
    assert body(music, header) == body(music.replace("F", "^F"), plain).replace("^", "")
    after = body(f"D2 z2|[K:D exp _e ^f _B]{music}", HEADER).partition("]")[2]
    assert after.startswith('"Dm"')
    assert '"G"' not in after
