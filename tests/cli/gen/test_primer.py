"""What a piece goes on from, and what of it the whole piece keeps."""

import os
from fractions import Fraction

import pytest

from composer.formats.midi.reader import read_midi
from composer.music.bars import bars


@pytest.mark.parametrize("name", ["abc", "grid", "pianoroll", "text"])
def test_nothing_is_not_gone_on_from(composer, tmp_path, name):
    (tmp_path / "empty.abc").write_bytes(b"")
    for arguments in (("--prime", "-"), ("--prime", tmp_path / "empty.abc"), ("--prime-text", "")):
        composer("gen", name, *arguments).failed("is empty", "nothing to continue", "in a pipe")


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="open files have no names")  # noqa: PTH112
def test_a_pipe_with_a_name_is_gone_on_from(composer):
    ours, theirs = os.pipe()
    os.write(theirs, b"M:6/8\nL:1/8\nK:D\nd2d A2F|")
    os.close(theirs)
    result = composer("gen", "abc", "-q", "--no-provenance", "--seed", "2", "--bars", "4", "--prime", f"/dev/fd/{ours}")
    os.close(ours)
    assert "M:6/8\nL:1/8\nK:D\nd2d A2F|" in result.out


OPENING = b"X:1\nM:6/8\nL:1/8\nK:D\nA|d2d A2F|dfa dfa|d6|d6|\n"
PLAIN = ("-q", "--no-provenance", "--seed", "2")


@pytest.mark.parametrize("name", ["grid", "pianoroll"])
def test_a_piece_goes_on_in_the_meter_and_key_of_its_opening(composer, name):
    asked = ("--prime", "-", "--bars", "6", "--format", "midi")
    score = read_midi(composer("gen", name, *asked, *PLAIN, stdin=OPENING).data, "it")
    assert (score.meters[-1].numerator, score.pickup, score.keys[0].sharps) == (6, Fraction(1, 2), 2)
    assert [*bars(score)][-1].number == 6


@pytest.mark.parametrize("name", ["grid", "pianoroll"])
@pytest.mark.parametrize(
    ("form", "wish", "written"),
    [
        ("abc", ("--key", "Bb"), b"K:Bb\n"),
        ("abc", ("--scale", "E dorian"), b"K:Edor\n"),
        ("abc", ("--key", "A", "--scale", "dorian", "--prime", "-"), b"K:Ador\n"),
        ("musicxml", ("--key", "Bb"), b"<fifths>-2</fifths>"),
    ],
)
def test_the_key_that_is_asked_for_is_the_one_that_is_written(composer, name, form, wish, written):
    assert written in composer("gen", name, *wish, "--bars", "6", "--format", form, *PLAIN, stdin=OPENING).data


@pytest.mark.parametrize("name", ["grid", "pianoroll"])
def test_what_goes_on_from_an_opening_is_composed_again(composer, tmp_path, name):
    piece = tmp_path / "piece.mid"
    composer("gen", name, "-q", "--seed", "3", "--prime", "-", "--bars", "6", "--output", piece, stdin=OPENING)
    assert composer("replay", piece, "-q").code == 0


@pytest.mark.parametrize("name", ["grid", "pianoroll"])
def test_the_pickup_of_a_tune_stays(composer, name):
    asked = ("--prime", "-", "--keep-bars", "2", "--format", "midi")
    score = read_midi(composer("gen", name, *asked, *PLAIN, stdin=OPENING).data, "it")
    assert [note.pitch for part in score.parts for note in part.notes if note.onset < score.pickup] == [69]
