"""Transposed tunes: the same melody, some semitones away, in the dialect."""

import pytest

from composer.formats.abc.dialect.transpose import transpositions
from composer.formats.abc.dialect.validator import validate
from composer.formats.abc.reader.score import read_score

MAJOR = """T:Over the Fence
R:reel
M:4/4
L:1/8
K:G
|:"G"GABc "D7/F#"d2^cB|A>F (3GAB _B4-|B4 [GBd]4:|
"""
DORIAN = """M:6/8
L:1/8
K:Ador
|:ABc =fed|e^ga A3:|
"""


def melody(text):
    (part,) = read_score(f"X:1\n{text}").parts
    return [(note.onset, note.duration, note.pitch) for note in part.notes]


@pytest.mark.parametrize("text", [MAJOR, DORIAN])
def test_all_other_keys_of_the_mode(text):
    moved = list(transpositions(text))
    assert len(moved) == 8
    assert len({each.key for each in moved}) == 8
    for each in moved:
        assert validate(each.text) == []
        pairs = list(zip(melody(text), melody(each.text), strict=True))
        assert all(before[:2] == after[:2] for before, after in pairs)
        (semitones,) = {after[2] - before[2] for before, after in pairs}
        assert 0 < abs(semitones) <= 6


def test_accidentals_and_chord_symbols_are_spelled_in_the_new_key():
    (in_d,) = (each.text for each in transpositions(MAJOR) if each.key == "D")
    assert '|:"D"DEFG "A7/C#"A2^GF|' in in_d
    assert "=F4-|=F4" in in_d


def test_keys_out_of_range_are_skipped():
    high = "M:4/4\nL:1/8\nK:C\n|:b''8:|\n"
    assert all(melody(each.text)[0][2] < melody(high)[0][2] for each in transpositions(high))


def test_title_and_rhythm_stay():
    assert all(each.text.startswith("T:Over the Fence\nR:reel\n") for each in transpositions(MAJOR))
