"""Scores as written, and through MusicXML, where the repeats are played again."""

from dataclasses import replace
from fractions import Fraction

import pytest

from composer import formats
from composer.api import Source
from composer.formats.abc.reader.score import read_score
from composer.formats.read import read_scores
from composer.music.as_written import as_written

HEAD = "X:1\nM:3/4\nL:1/4\nK:G\n"
REPEATED = {
    "pickups": "|: D | G2 A | B2 :: c | B2 A | !fermata!G2 :|",
    "endings": '|: "G"GAB |1 "D"AAA :|2 "G"GGG ||\nK:C\nM:4/4\n"C"CDEF |]',
    "a repeat that begins at a double bar line": "GAB || ccc | ddd :| GGG |]",
    "a note held into the second ending": "|: GA B- |1 B3 :|2 B3 |]",
    "a note held when a repeat goes back": "|: GAB | AA G- :| G3 |]",
    "three times": "|: GAB ::: ccc :|",
}


@pytest.mark.parametrize("music", REPEATED.values(), ids=REPEATED)
def test_repeats_are_played_again_from_musicxml(music, tmp_path):
    score = read_score(HEAD + music)
    (tmp_path / "tune.musicxml").write_bytes(formats.write("musicxml", score))
    ((_, again),) = read_scores(Source(tmp_path / "tune.musicxml"))
    assert b"<repeat" in (tmp_path / "tune.musicxml").read_bytes()
    assert [part.notes for part in again.parts] == [part.notes for part in score.parts]
    assert (again.chords, again.meters, again.keys) == (score.chords, score.meters, score.keys)
    assert (again.pickup, again.fermatas) == (score.pickup, score.fermatas)
    assert (again.notation, again.bar_numbers) == (score.notation, score.bar_numbers)


def test_each_bar_is_there_once():
    score = read_score(HEAD + REPEATED["pickups"])
    written = as_written(score)
    assert [(bar.written, bar.start, bar.length) for bar in written.bars] == [
        (0, 0, 1), (1, 1, 3), (2, 4, 2), (0, 6, 1), (3, 7, 3), (4, 10, 2)
    ]  # fmt: skip
    assert [note.pitch for note in written.score.parts[0].notes] == [62, 67, 69, 71, 72, 71, 69, 67]
    assert written.score.fermatas == (10,)


@pytest.mark.parametrize(
    "music", ["GAB !fine!| ccc | ddd !D.C.alfine! |]", "P:A\nGAB |\nP:B\nccc |]"], ids=["jump", "order of parts"]
)
def test_what_repeats_do_not_tell_is_as_played(music):
    score = read_score(HEAD.replace("K:", "P:AAB\nK:" if music.startswith("P:") else "K:") + music)
    assert len(score.notes) > music.count("|") * 3 - 3 * ("P:" in music) - 1
    assert score.notation is None
    assert b"<repeat" not in formats.write("musicxml", score)


def test_a_bar_that_is_too_long_is_not_written_as_such():
    assert as_written(read_score(HEAD + "|: GAB | AAA A :|")) is None


def test_notation_that_does_not_fit_the_notes_is_ignored():
    score = read_score(HEAD + REPEATED["endings"])
    note = score.parts[0].notes[0]
    longer = replace(score.parts[0], notes=(*score.parts[0].notes, note._replace(onset=Fraction(99))))
    assert as_written(replace(score, parts=(longer,))) is None
