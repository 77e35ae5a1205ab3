"""Text in other keys, of which nothing else is changed."""

import pytest

from composer.formats.abc.reader import read_score
from composer.formats.abc.retold import retold

TEXT = """X: 12
T:Down and Back
% some collection
S:Trad, by ear
M:4/4
L:1/4
K:G  % a note on the key
d|"G"G>B d3/2^c/2|"D7/f+"[DF]{gf}=f _B,|\\
"C"c'2 "^slow"z2||[K:Em]"Em7"E !trill!^d e2|]
w: words are Ged
"""


def melody(text):
    (part,) = read_score(text).parts
    return [(note.onset, note.duration, note.pitch) for note in part.notes]


def test_every_other_key_of_few_signs_and_all_notes_alike():
    keys = dict(retold(TEXT))
    assert len(keys) == 8 == len(set(keys.values()))
    for moved in keys:
        pairs = list(zip(melody(TEXT), melody(moved), strict=True))
        assert all(before[:2] == after[:2] for before, after in pairs)
        (semitones,) = {after[2] - before[2] for before, after in pairs}
        assert 0 < abs(semitones) <= 6


def test_all_but_notes_chords_and_keys_stays():
    (in_d,) = (text for text, key in retold(TEXT) if key == "D")
    assert in_d == (
        """X: 12
T:Down and Back
% some collection
S:Trad, by ear
M:4/4
L:1/4
K:D  % a note on the key
A|"D"D>F A3/2^G/2|"A7/c+"[A,C]{dc}=c =F,|\\
"G"g2 "^slow"z2||[K:Bm]"Bm7"B, !trill!^A B2|]
w: words are Ged
"""
    )


def test_there_and_back_is_where_it_was():
    for text, _ in retold(TEXT):
        (back,) = (again for again, key in retold(text) if key == "G")
        assert back == TEXT


@pytest.mark.parametrize("key", ["", "K:none\n", "K:HP\n", "K:D =c\n", "K:clef=bass\n"])
def test_what_is_in_no_plain_key_has_no_other(key):
    assert list(retold(f"X:1\nM:4/4\n{key}ABcd|\n")) == []


def test_a_note_that_cannot_be_written_leaves_a_key_out():
    keys = {key for _, key in retold("X:1\nL:1/4\nK:C\n^^B2|\n")}
    assert "D" not in keys  # where it would be raised three times
    assert "F" in keys
