"""Chord symbols of MusicXML: how they are spelled, and how long they last."""

import pytest
from musicxml_text import REPEAT, attributes, bar, read, transpose


def harmony(root, kind, more="", text="", alter=""):
    alter = f"<root-alter>{alter}</root-alter>" if alter else ""
    return (
        f'<harmony><root><root-step>{root}</root-step>{alter}</root><kind text="{text}">{kind}</kind>{more}</harmony>'
    )


def degree(value, alter=0, kind="add"):
    return (
        f"<degree><degree-value>{value}</degree-value><degree-alter>{alter}</degree-alter>"
        f"<degree-type>{kind}</degree-type></degree>"
    )


class TestChordSymbols:
    @pytest.mark.parametrize(
        ("element", "symbol"),
        [
            (harmony("F", "major-seventh", alter="1"), "F#maj7"),
            (harmony("B", "dominant", "<bass><bass-step>D</bass-step></bass>", alter="-1"), "Bb7/D"),
            (harmony("C", "major", degree(9)), "Cadd9"),
            (harmony("G", "dominant", degree(9, -1)), "G7b9"),
            (harmony("D", "suspended-fourth", degree(7, -1)), "D7sus4"),
            (harmony("A", "other", text="m7b5"), "Am7b5"),
            (harmony("A", "other", text="7(b9,#11)"), "A7b9#11"),
            (harmony("C", "minor-11th"), "Cm11"),
            (harmony("C", "major-13th", degree(11, 1, "alter")), "Cmaj13(#11)"),
            (harmony("C", "dominant", degree(9, 1)), "C7#9"),
            (harmony("C", "major", degree(11, 1)), "Cadd#11"),
            (harmony("C", "major", degree(5, -1, "alter")), "Cmajb5"),
            (harmony("B", "major", degree(9, -1), alter="-1"), "Bbaddb9"),
            (harmony("C", "minor-ninth", degree(7, 1)), "CmM9"),
            (harmony("C", "minor-ninth", degree(7, 1, "alter")), "CmM9"),
            (harmony("C", "dominant-13th", degree(7, 1, "alter")), "C13maj7"),
            (harmony("C", "dominant", degree(9, 1, "alter") + degree(5, 1, "alter")), "Caug7#9"),
            (harmony("C", "half-diminished", degree(9)), "Cm9b5"),
            (harmony("C", "dominant", degree(4)), "C7sus4"),
            (harmony("C", "minor", degree(6)), "Cm6"),
            (harmony("C", "minor", degree(7, 1)), "CmM7"),
            (harmony("C", "suspended-fourth-seventh"), "C7sus4"),
        ],
    )
    def test_are_spelled(self, element, symbol):
        score = read([bar(element, "C4/4")])
        assert ([chord.symbol for chord in score.chords], score.losses) == ([symbol], {})

    @pytest.mark.parametrize(
        ("element", "symbol"),
        [
            (harmony("C", "dominant", degree(9, 2)), "C7"),
            (harmony("C", "major-seventh", degree(7, -1, "alter")), "Cmaj7"),
            (harmony("C", "diminished", degree(5)), "Cdim"),
            (harmony("C", "major", degree(3, 0, "subtract")), "C"),
            (harmony("C", "Tristan"), "C"),
        ],
    )
    def test_that_are_simplified_are_counted(self, element, symbol):
        score = read([bar(element, "C4/4")])
        assert ([chord.symbol for chord in score.chords], sum(score.losses.values())) == ([symbol], 1)

    def test_last_until_the_next_one(self):
        none = "<harmony><root><root-step>C</root-step></root><kind>none</kind></harmony>"
        later = harmony("G", "dominant", "<offset>24</offset>")
        score = read([bar(harmony("C", "major"), later, "C4/4"), bar(none, "C4/4"), bar(harmony("F", "minor"), "C4/4")])
        assert [tuple(chord) for chord in score.chords] == [(0, 2, "C"), (2, 2, "G7"), (8, 4, "Fm")]

    def test_are_repeated(self):
        score = read([bar(harmony("C", "major"), "C4/2", harmony("F", "major"), "C4/2", REPEAT)])
        assert [tuple(chord) for chord in score.chords] == [(0, 2, "C"), (2, 2, "F"), (4, 2, "C"), (6, 2, "F")]

    def test_are_transposed_with_their_part(self):
        bass = "<bass><bass-step>A</bass-step></bass>"
        score = read([bar(attributes(more=transpose(-2, -1)), harmony("D", "minor", bass), "D5/4")])
        assert [chord.symbol for chord in score.chords] == ["Cm/G"]
