"""Reading kern: spines that split, join, swap and come and go, rhythms, ties, and what else a file says."""

import time
from fractions import Fraction

import pytest
from kern_text import kern, notes, pitches, score, scores

from composer.api import Key, Meter, RejectedPiece, Tempo
from composer.api.testing import source
from composer.formats import FORMATS, detect
from composer.formats.kern import reader
from composer.formats.kern.reader import read_pieces
from composer.formats.kern.spines import read_spines
from composer.formats.read import read_scores

THIRD = Fraction(1, 3)
SPINES = {
    "three voices that join at once": ("""
**kern
*M3/4
=1
*^
*^  *
4ee  4cc  2.g
4ff  2dd  .
4gg  .  .
*v  *v  *v
=2
2.c
==
*-""", [(0, 67, 3), (0, 72, 1), (0, 76, 1), (1, 74, 2), (1, 77, 1), (2, 79, 1), (3, 60, 3)]),
    "two voices within a bar": ("""
**kern
*M4/4
=1
4c
*^
4e  2g
4d  .
*v  *v
4c
==
*-""", [(0, 60, 1), (1, 64, 1), (1, 67, 2), (2, 62, 1), (3, 60, 1)]),
    "four voices that join in two steps": ("""
**kern
*M2/4
=1
*^
*^  *^
2c  2e  2g  2b
*v  *v  *  *
*  *v  *v
=2  =2
2C  4cc
.  4dd
*v  *v
=3
2c
==
*-""", [(0, 60, 2), (0, 64, 2), (0, 67, 2), (0, 71, 2), (2, 48, 2), (2, 72, 1), (3, 74, 1), (4, 60, 2)]),
    "a spine beside those that split": ("""
**kern  **text  **kern
*M2/4  *  *M2/4
=1  =1  =1
*  *  *^
2C  la  4e  2g
.  .  4f  .
*  *  *v  *v
=2  =2  =2
2D  la  2a
==  ==  ==
*-  *-  *-""", [(0, 48, 2), (0, 64, 1), (0, 67, 2), (1, 65, 1), (2, 50, 2), (2, 69, 2)]),
    "spines that change places": ("""
**kern  **kern
*M2/4  *M2/4
=1  =1
2C  2c
*x  *x
=2  =2
2d  2D
*x  *x
=3  =3
2E  2e
==  ==
*-  *-""", [(0, 48, 2), (0, 60, 2), (2, 50, 2), (2, 62, 2), (4, 52, 2), (4, 64, 2)]),
    "rational and dotted rhythms": ("""
**kern  **kern
*M4/4  *M4/4
=1  =1
1C  3%2c
.  3d
=2  =2
2.C  6%5r
4C  .
.  6e
==  ==
*-  *-""", [(0, 48, 4), (0, 60, 8 * THIRD), (8 * THIRD, 62, 4 * THIRD), (4, 48, 3), (7, 48, 1),
         (22 * THIRD, 64, 2 * THIRD)]),
    "ties across the join of two voices": ("""
**kern
*M2/4
=1
*^
2g  [2c
*v  *v
=2
2c]
==
*-""", [(0, 60, 4), (0, 67, 2)]),
    "unison ties in two voices": ("""
**kern
*M2/4
=1
*^
[2c  4r
.  [4c
=2  =2
4c]  2c]
4d  .
*v  *v
==
*-""", [(0, 60, 3), (1, 60, 3), (3, 62, 1)]),
    "tied chords, of which some notes go on": ("""
**kern
*M2/4
=1
[2c 2e [2g
=2
[2c_ 2f 2g]
=3
2c]
==
*-""", [(0, 60, 6), (0, 64, 2), (0, 67, 4), (2, 65, 2)]),
}  # fmt: skip


@pytest.mark.parametrize("name", SPINES)
def test_notes_of_the_spines(name):
    text, expected = SPINES[name]
    assert notes(text) == expected
    assert score(text).losses == {}


def test_signs_and_instruments():
    found = score("""
!!!OTL: The Gate
**kern  **kern
*Icello  *Iflt
*I"Violoncello  *I"Flute
*k[f#]  *k[f#]
*e:  *e:
*M3/4  *M3/4
*MM96.5  *MM96.5
4E  4e
=1  =1
2.E  2.e
*k[]  *k[]
*C:  *C:
*M2/4  *M2/4
=2  =2
!!!OMD: Allegro [half=66]
2C  2c
==  ==
*-  *-""")
    assert (found.title, found.pickup) == ("The Gate", 1)
    assert [(part.name, part.program) for part in found.parts] == [("Flute", 73), ("Violoncello", 42)]
    assert found.tempos == (Tempo(Fraction(0), 96.5), Tempo(Fraction(4), 132.0))
    assert found.meters == (Meter(Fraction(0), 3, 4), Meter(Fraction(4), 2, 4))
    assert found.keys == (Key(Fraction(0), 1, "minor"), Key(Fraction(4), 0))


@pytest.mark.parametrize(
    ("signs", "key"),
    [
        ("*k[b-e-]\n*g:", Key(0, -2, "minor")), ("*B-:\n*k[b-e-]", Key(0, -2)), ("*d:dor\n*k[]", Key(0, 0, "dorian")),
        ("*A:", Key(0, 3)), ("*f#:", Key(0, 3, "minor")), ("*k[f#]", Key(0, 1)),
    ],
)  # fmt: skip
def test_keys(signs, key):
    assert score(f"**kern\n{signs}\n4c\n*-").keys == (key,)


@pytest.mark.parametrize(("sign", "meter"), [("*M3+2/8", (5, 8)), ("*M2/0", (4, 1)), ("*M6/8", (6, 8))])
def test_meters(sign, meter):
    assert score(f"**kern\n{sign}\n4c\n*-").meters == (Meter(0, *meter),)


def test_signs_within_a_bar():
    found = score("**kern\n*M4/4\n*k[]\n=1\n2c\n*k[f#]\n*MM80\n2d\n==\n*-")
    assert found.keys == (Key(0, 0), Key(2, 1))
    assert found.tempos == (Tempo(2, 80),)


def test_words_alone_are_no_tempo():
    assert score("!!!OMD: Allegro\n**kern\n4c\n*-").tempos == ()


def test_transposing_instruments_sound_as_written_in_kern():
    text = """
**kern
*ITrd1c2
*k[]
=1
4c
4d
=2
4e
=3
4f
==
*-"""
    assert pitches(text) == [60, 62, 64, 65]
    assert [note.onset for note in score(text).notes] == [0, 1, 2, 3]


def test_grace_notes_and_percussion_are_counted():
    text = "**kern\n=1\n8qd\n4c\n4Rg\n==\n*-"
    assert pitches(text) == [60]
    assert score(text).losses == {"grace notes left out": 1, "drum notes left out": 1}


def test_notes_that_two_voices_share_are_counted():
    text = "**kern\n=1\n*^\n2c  2c\n*v  *v\n==\n*-"
    assert pitches(text) == [60]
    assert score(text).losses == {"notes doubled in unison left out": 1}


def test_notes_that_were_not_read_are_counted():
    # music21 skips bars in `!!ignore`, although the spines hold their notes
    text = "**kern\n*M1/4\n=1\n4c\n!!ignore\n=2\n4d\n!!Xignore\n=3\n4e\n==\n*-"
    assert score(text).losses == {"notes in the spines that were not read": 1}


def test_several_scores_in_one_file():
    text = """
!!!OTL: First
**kern
4c
*-
!!!OTL: Second
**kern
4d
*-"""
    assert [(name, found.title, found.notes[0].pitch) for name, found in scores(text).items()] == [
        ("a.krn: score 1", "First", 60), ("a.krn: score 2", "Second", 62),
    ]  # fmt: skip


def test_one_of_several_scores_may_be_rejected():
    first, second = scores("**kern\n4r\n*-\n**kern\n4d\n*-").values()
    assert first == RejectedPiece("no notes", "a.krn: score 1", "has no notes")
    assert [note.pitch for note in second.notes] == [62]


def test_slurs_are_read_in_linear_time():
    text = "**kern\n" + "4c\n4d\n" * 1000 + "*-"
    expected, began = score(text).notes, time.process_time()
    assert score(text.replace("4c\n4d", f"{'(' * 5000}4c\n&(4d)&)", 3)).notes == expected
    assert time.process_time() - began < 4


def test_scores_without_notes_are_rejected_before_the_library_reads_them(monkeypatch):
    monkeypatch.setattr(reader, "converter21", None)
    assert {found for _, found in read_pieces(source("**kern\n4r\n*-\n" * 2, "a.krn"))} == {
        RejectedPiece("no notes", f"a.krn: score {number}", "has no notes") for number in (1, 2)
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_encodings(encoding):
    data = kern("!!!OTL: Märsche\n**kern\n4c\n*-").replace("\n", "\r\n").encode(encoding)
    [(_, found)] = read_scores(source(data, "a.krn"))
    assert found.title == "Märsche"


def test_kern_is_recognized_after_any_number_of_comments():
    assert detect(b"!! a comment\r\n" * 2000 + b"**kern\r\n") is FORMATS["kern"]
    assert detect(b"!! a comment\n") is None


def test_a_file_is_read_once(monkeypatch):
    file = source(kern("**kern\n4c\n*-"), "a.krn")
    first = list(read_pieces(file))
    monkeypatch.setattr(reader, "read_score", pytest.fail)
    assert list(read_pieces(file)) == first


def test_music21_prints_nothing(capfd):
    assert pitches("**kern\n*clefG9\n4c\n*-") == [60]
    assert capfd.readouterr() == ("", "")


def test_the_text_alone_gives_the_same_notes():
    text, expected = SPINES["three voices that join at once"]
    [spines] = read_spines(kern(text), "a.krn")
    assert sorted((note.onset, note.pitch, note.duration) for note in spines.notes) == expected
