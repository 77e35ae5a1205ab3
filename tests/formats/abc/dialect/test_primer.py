"""Primers from text or a score: open repeats and bars stay open, and the tune does not end."""

from fractions import Fraction
from pathlib import Path

import pytest

from composer.api import Meter, Note, Part, Piece, RejectedPiece, Score, Source
from composer.formats.abc.grammar.automaton import Automaton
from composer_abc import Abc

HEADER = "M:4/4\nL:1/8\nK:G\n"
QUARTERS = "M:4/4\nL:1/4\nK:G\n"
CHARACTERS = "\n \"#&'(),-./0123456789:<=>ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz|"


def primer(text: str) -> Piece | RejectedPiece:
    return next(Abc().read(Source(Path("primer"), name="primer", data=text.encode(), fragment=True)))


def scored(lengths: list[str], pickup: str = "0") -> Score:
    onset, notes = Fraction(0), []
    for length in map(Fraction, lengths):
        notes.append(Note(onset, 67, length))
        onset += length
    return Score((Part(tuple(notes)),), meters=(Meter(Fraction(0), 4, 4),), pickup=Fraction(pickup))


@pytest.mark.parametrize("before", ["", "X:1\n", "% by hand\n\nX:1\n"])
@pytest.mark.parametrize("bars", ["|:G2AB c2BA|G2D2 E2F2|", "|:G2AB c2BA|G2D2 E2"])
def test_primer_drops_the_end_of_its_last_line(before, bars):
    for end in ("", "\n", "\n\n"):
        if before.startswith("%") or end != "\n\n":
            assert primer(before + HEADER + bars + end).content == HEADER + bars


@pytest.mark.parametrize(
    ("bars", "rewritten"),
    [
        ("|:GA/B/ cB/A/|GDEF|\n", "|:G2AB c2BA|G2D2 E2F2|"),
        ("GA/B/ cB/A/||\n|:GDEF|", "G2AB c2BA||\n|:G2D2 E2F2|"),
        ("|:GA/B/ cB/A/:|\n|:GDEF|\n", "|:G2AB c2BA:|\n|:G2D2 E2F2|"),
        ("|:D|GA/B/ cB/A/|GDEF|", "|:D2|G2AB c2BA|G2D2 E2F2|"),
        ("|:GDEF|1GABc:|2GFED||GDEF|", "|:G2D2 E2F2|[1G2A2 B2c2:|\n[2G2F2 E2D2||\nG2D2 E2F2|"),
        ("GABc|G/A/B c", "G2A2 B2c2|GAB2 c2"),
        ("|:D|GABc|GA/B/ c", "|:D2|G2A2 B2c2|G2AB c2"),
        ("GABc|GA\n", "G2A2 B2c2|G2A2 "),
    ],
)
def test_other_abc_is_rewritten_with_its_open_repeat_and_bar(bars, rewritten):
    piece = primer("X:1\nS:by ear\n" + QUARTERS + bars)
    assert piece.content == HEADER + rewritten
    Automaton(CHARACTERS).start([1 + CHARACTERS.index(each) for each in str(piece.content)])


@pytest.mark.parametrize(
    ("lengths", "pickup", "text"),
    [
        (["1", "1", "1", "1"], "0", "G2G2 G2G2|"),
        (["1", "1", "1", "1", "1"], "0", "G2G2 G2G2|G2"),
        (["1", "1"], "0", "G2G2 "),
        (["6"], "0", "G8-|G4 "),
        (["1", "4"], "1", "G2|G8|"),
        (["1", "3"], "1", "G2|G6"),
        (["1"], "1", "G2|"),
    ],
)
def test_primer_from_a_score_ends_with_its_last_note(lengths, pickup, text):
    score = scored(lengths, pickup)
    piece = Abc().primer_from_score(score)
    assert str(piece.content).partition("K:")[2][2:] == text
    Automaton(CHARACTERS).start([1 + CHARACTERS.index(each) for each in str(piece.content)])
    assert str(Abc().from_score(score).content).endswith("|]\n")


def test_errors_name_the_line_of_the_file():
    provenance = 'N:composer 0.1.0 {"representation":"abc"}\n'
    rejected = primer("% by hand\n\nX:1\n" + provenance + QUARTERS + "GABc|GABcd|\n")
    assert isinstance(rejected, RejectedPiece)
    assert rejected.detail.startswith("line 8")
