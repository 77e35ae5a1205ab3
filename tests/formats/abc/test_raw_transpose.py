"""Transposing ABC text in place."""

import pytest

from composer.formats.abc.raw_transpose import text_transpositions
from composer.formats.abc.reader.score import read_score

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


def test_transposes_to_all_keys_with_few_signs():
    keys = dict(text_transpositions(TEXT))
    assert len(keys) == 8 == len(set(keys.values()))
    for moved in keys:
        pairs = list(zip(melody(TEXT), melody(moved), strict=True))
        assert all(before[:2] == after[:2] for before, after in pairs)
        (semitones,) = {after[2] - before[2] for before, after in pairs}
        assert 0 < abs(semitones) <= 6


def test_other_text_is_unchanged():
    (in_d,) = (text for text, key in text_transpositions(TEXT) if key == "D")
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


def test_transposing_back_restores_the_text():
    for text, _ in text_transpositions(TEXT):
        (back,) = (again for again, key in text_transpositions(text) if key == "G")
        assert back == TEXT


@pytest.mark.parametrize("key", ["", "K:none\n", "K:HP\n", "K:D =c\n", "K:clef=bass\n"])
def test_keys_with_explicit_accidentals_are_skipped(key):
    assert list(text_transpositions(f"X:1\nM:4/4\n{key}ABcd|\n")) == []


def test_keys_with_unwritable_notes_are_skipped():
    keys = {key for _, key in text_transpositions("X:1\nL:1/4\nK:C\n^^B2|\n")}
    assert "D" not in keys  # where it would be raised three times
    assert "F" in keys


WORDY = """X:1
H:a dance, Played since
  Adam and Eve, "A" B
A Bad Egg
K:G clef=treble
%%begintext
K:D A Feed Bag
%%endtext
GABc|
%%begintext
DEAD
%%endtext
d4|]
"""


def test_text_in_headers_and_blocks_is_unchanged():
    (in_a,) = (text for text, key in text_transpositions(WORDY) if key == "A")
    assert in_a == WORDY.replace("K:G ", "K:A ").replace("GABc|", "ABcd|").replace("d4|]", "e4|]")


def test_key_in_a_block_is_ignored():
    assert list(text_transpositions("X:1\n%%begintext\nK:G\n%%endtext\nGABc|\n")) == []


def in_key(key, chord):
    """Return a chord of a tune in C as transposed to `key`; None if the tune is not transposed to it."""
    by_key = {key: text for text, key in text_transpositions(f'X:1\nL:1/4\nK:C\n"{chord}"C4|\n')}
    return by_key[key].split('"')[1] if key in by_key else None


@pytest.mark.parametrize(
    ("chord", "moved"),
    [
        ("(Am/C)", "(Bm/D)"),
        (" (G7/f+)", " (A7/g+)"),
        ("D/F# ", "E/G# "),
        ("Cm(maj7) ", "Dm(maj7) "),
        ("C6/9/E", "D6/9/F#"),
        ("Bb7(b9, #11)", "C7b9#11"),
        ("C7(x) ", "C7(x) "),  # which is not known
        ("(Cm(maj7))", "(Dm(maj7))"),
        ("B♭", "C"),
        ("F♯m/A", "G♯m/B"),
        ("C/b♭", "D/c"),
        ("Eb7b9", "F7b9"),
        ("E♭m7b5/B♭", "Fm7b5/C"),
        ("A♭/e♭", "B♭/f"),
        ("d.c.", "d.c."),
    ],
)
def test_chords_keep_their_style(chord, moved):
    assert in_key("D", chord) == moved


def test_keys_with_unwritable_chords_are_skipped():
    assert in_key("G", "F#dim") == "C#dim"
    assert in_key("E", "F#dim") == "A#dim"
    assert in_key("D", "D#dim") == "E#dim"
    assert in_key("D", "E#dim") is None  # F##dim
    assert in_key("D", "E#5") is None  # F##5, which would be read as F# and its augmented fifth


@pytest.mark.parametrize("music", ["^3/2cd", "A{_/B}c", "[C_1/2E]", "[m:~n2=nn]A"])
def test_microtones_and_macros_are_skipped(music):
    assert list(text_transpositions(f"X:1\nL:1/4\nK:C\n{music}|\n")) == []


@pytest.mark.parametrize("line", ["m: ~n2 = (3o/n/m/ n", 's: "^slow" * !f!'])
def test_macros_and_symbol_lines_are_skipped(line):
    assert list(text_transpositions(f"X:1\nK:C\nCDEF|\n{line}\n")) == []
    assert len(list(text_transpositions(f"X:1\nK:C\nCDEF|\n%%begintext\n{line}\n%%endtext\n"))) == 8


def test_text_that_looks_like_a_microtone_is_not_one():
    assert len(list(text_transpositions('X:1\nK:C\n"_3/4 time"C2/^c/_B3/2|\n'))) == 8
