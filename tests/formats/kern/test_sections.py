"""Playback of kern: orders of sections, repeats of bar lines, and endings."""

import time
from fractions import Fraction

import pytest
from kern_text import kern, notes, pitches, score

from composer.api import Key, Meter, ReadError, Tempo
from composer.api.testing import source
from composer.formats.kern.reader import read_pieces
from composer.formats.kern.sections import played_passages
from composer.formats.kern.spines import Spines

A, B, C, D, E = 60, 62, 64, 65, 67


def sections(order, *labels):
    """A piece of one note for each label: C, D, E, ..."""
    lines = ["**kern", *order, "*M1/4"]
    for number, (label, letter) in enumerate(zip(labels, "cdefgab", strict=False), 1):
        lines += [f"*>{label}", f"={number}", f"4{letter}"]
    return "\n".join([*lines, "==", "*-"])


ORDERS = {
    "a section twice": (["*>[A,A,B]", "*>norep[A,B]"], "AB", [A, A, B]),
    "back to the beginning": (["*>norep[A,B]", "*>[A,B,A]"], "AB", [A, B, A]),
    "endings": (["*>[A,A1,A,A2,B]"], ["A", "A1", "A2", "B"], [A, B, A, C, D]),
    "names with spaces": (["*>[Theme,Theme,2nd Theme]"], ["Theme", "2nd Theme"], [A, A, B]),
    "a name for several sections": (["*>[Theme,Theme,Coda]"], ["Theme>1", "Theme>2", "Coda"], [A, B, A, B, C]),
    "a section that is left out": (["*>[A,C]"], "ABC", [A, C]),
    "another version only": (["*>norep[A]"], "AB", [A, B]),
    "no order": ([], "AB", [A, B]),
}


@pytest.mark.parametrize("name", ORDERS)
def test_sections_are_played_in_their_order(name):
    order, labels, expected = ORDERS[name]
    text = sections(order, *labels)
    assert pitches(text) == expected
    assert [note[0] for note in notes(text)] == list(range(len(expected)))
    assert score(text).losses == {}


def test_names_without_a_section_are_counted():
    text = sections(["*>[A,X,B]"], "A", "B")
    assert pitches(text) == [A, B]
    assert score(text).losses == {"names in the section order that no section has": 1}


def test_music_before_the_first_section_is_played_first():
    assert pitches("**kern\n*>[A,A]\n4g\n*>A\n4c\n*-") == [E, A, A]


def test_sections_may_begin_within_a_bar():
    text = """
**kern  **kern
*>[A,A,B]  *>[A,A,B]
*M3/4  *M3/4
*>A  *>A
4C  4c
=1  =1
2D  4d
.  4e
*>B  *>B
4E  4f
==  ==
*-  *-"""
    assert notes(text) == [
        (0, 48, 1), (0, 60, 1), (1, 50, 2), (1, 62, 1), (2, 64, 1),
        (3, 48, 1), (3, 60, 1), (4, 50, 2), (4, 62, 1), (5, 64, 1),
        (6, 52, 1), (6, 65, 1),
    ]  # fmt: skip
    assert score(text).pickup == 1


def test_meter_key_and_tempo_are_restored():
    text = """
**kern
*>[A,B,A]
*>A
*M2/4
*k[]
*MM100
2c
*>B
=2
*M3/4
*k[b-]
*MM60
2.d
*-"""
    found = score(text)
    assert found.meters == (Meter(0, 2, 4), Meter(2, 3, 4), Meter(5, 2, 4))
    assert found.keys == (Key(0, 0), Key(2, -1), Key(5, 0))
    assert found.tempos == (Tempo(0, 100), Tempo(2, 60), Tempo(5, 100))


def test_ties_into_either_ending():
    text = """
**kern
*>[A,A1,A,A2]
*M1/4
*>A
=1
[4c
*>A1
=2
4c]
*>A2
=3
4c]
==
*-"""
    assert notes(text) == [(0, 60, 2), (2, 60, 2)]
    assert score(text).losses == {}


REPEATS = {
    "to the beginning": ("4c\n=:|!\n4d", [A, A, B]),
    "between signs": ("4c\n=!|:\n4d\n=:|!\n4e", [A, B, B, C]),
    "one after the other": ("4c\n=:|!|:\n4d\n=:|!", [A, A, B, B]),
    "both in one sign": ("4c\n=:!!:\n4d\n=:|!", [A, A, B, B]),
    "to a double bar line": ("4c\n=||\n4d\n=:|!", [A, B, B]),
    "with endings": ("*>A\n4c\n*>A1\n=\n4d\n=:|!\n*>A2\n4e\n*>B\n=\n4f", [A, B, A, C, D]),
    "D.C. al Fine at notes": ("!LO:TX:a:t=Fine\n4c\n=\n!LO:TX:a:t=D.C. al Fine\n4d", [A, B, A]),
    "D.C. al Fine at bar lines": ("4c\n!!LO:TX:t=Fine\n=\n4d\n!!LO:TX:t=D.C. al Fine", [A, B, A]),
    "D.S. al Coda": (
        "4c\n!!LO:TX:t=Segno\n=\n4d\n!!LO:TX:t=To Coda\n=\n4e\n!!LO:TX:t=D.S. al Coda\n=\n!LO:TX:t=Coda\n4f",
        [A, B, C, B, D],
    ),
    "ignored where sections have an order": ("*>[A,B]\n*>A\n4c\n=:|!\n*>B\n4d", [A, B]),
}


@pytest.mark.parametrize("name", REPEATS)
def test_repeats_are_played(name):
    body, expected = REPEATS[name]
    text = f"**kern\n*M1/4\n=1\n{body}\n==\n*-"
    assert pitches(text) == expected
    assert score(text).losses == {}


def test_jumps_to_a_missing_sign_are_counted():
    text = "**kern\n*M1/4\n=1\n4c\n!!LO:TX:t=D.S. al Fine\n==\n*-"
    assert pitches(text) == [A]
    assert score(text).losses == {"jumps to a missing sign left out": 1}


def test_jumps_in_other_words_are_counted():
    text = "**kern\n*M1/4\n=1\n4c\n!!LO:TX:t=Minuet D.C. without repeats\n==\n*-"
    assert score(text).losses == {"directions such as D.C. not understood": 1}


def test_orders_that_play_too_many_notes_are_refused():
    music = "4c 4d 4e 4f\n" * 1000
    text = f"**kern\n*>[{','.join(['A'] * 1000)}]\n*>A\n{music}*-"
    with pytest.raises(ReadError, match="more than 100,000 notes with its repeats written out"):
        list(read_pieces(source(kern(text), "a.krn")))


def test_tempo_and_key_before_the_first_ones_come_back_in_a_repeat():
    found = score("**kern\n*M1/4\n=1\n4c\n=2\n*MM60\n*k[f#]\n4d\n=:|!\n*-")
    assert found.tempos == (Tempo(1, 60), Tempo(2, 120), Tempo(3, 60))
    assert found.keys == (Key(1, 1), Key(2, 0), Key(3, 1))


def test_long_orders_of_many_sections_take_little_time():
    beats = [Fraction(at) for at in range(3000)]
    labels = [(at, f"A>{at}") for at in beats]
    order = ("A", *(f"X{number}" for number in range(9000)), *["A"] * 3000)
    begin = time.process_time()
    played, losses = played_passages(Spines("", sections=labels, order=order, end=Fraction(3000)))
    assert time.process_time() - begin < 5
    assert sum(end - start for start, end in played) == 10_000
    assert losses == {
        "names in the section order that no section has": 9000,
        "sections after the first 10,000 left out": 3001 * 3000 - 10_000,
    }
