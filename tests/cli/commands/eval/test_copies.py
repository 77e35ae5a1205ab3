"""Copies of training pieces: moved to training by `train` and `eval --part` alike, and counted wherever they stay."""

import json
import random

import pytest

from composer.checkpoints.file import read_header


def tune(number, title):
    """Return one of many melodies in C with a title; every other one is an octave higher."""
    draw = random.Random(number)
    notes = "cdefgab" if number % 2 else "CDEFGAB"
    bars = "|".join(" ".join(f"{draw.choice(notes)}2" for _ in range(4)) for _ in range(4))
    return f"X:{number + 1}\nT:{title}\nM:4/4\nL:1/8\nK:C\n{bars}|]\n"


def in_other_octave(text):
    """Return a tune an octave higher or lower."""
    head, body = text.split("K:C\n")
    return f"{head}K:C\n{body.swapcase()}"


@pytest.fixture
def folder(tmp_path):
    """A folder with a file of 120 tunes, and one with retitled copies of 30 of them, most of these transposed."""
    folder = tmp_path / "tunes"
    folder.mkdir()
    (folder / "tunes.abc").write_text("\n".join(tune(number, f"Tune {number}") for number in range(120)))
    copies = [tune(number, f"Copy {number}") for number in range(30)]
    transposed = [in_other_octave(copy) if number % 3 else copy for number, copy in enumerate(copies)]
    (folder / "copies.abc").write_text("\n".join(transposed))
    return folder


@pytest.fixture
def train(composer):
    """Train a Markov chain, and return what was prepared."""

    def run(*arguments):
        done = composer("train", "abc", *arguments, "--model", "markov", "--json")
        assert done.code == 0, done.err
        events = [json.loads(line) for line in done.out.splitlines()]
        return next(event for event in events if event["event"] == "prepared")

    return run


@pytest.fixture
def evaluate(composer):
    """Evaluate the model `mine`; return the JSON, and what the terminal shows."""

    def run(*arguments):
        done = composer("eval", "abc", *arguments, "--checkpoint", "mine", "--json")
        assert done.code == 0, done.err
        return json.loads(done.out), done.err

    return run


def moved_note(count):
    return f"{count} held-out pieces have the melody or text of a training piece; moved to training"


def test_train_and_eval_move_the_same_copies(folder, train, evaluate):
    prepared = train(folder, "--name", "mine")
    pieces, moved = prepared["pieces"], prepared["moved"]
    assert moved > 1
    assert prepared["notes"] == [moved_note(moved)]
    for part in ("train", "valid"):
        found, shown = evaluate(folder, "--part", part)
        assert (found["pieces"], found["moved"], found["copies"]) == (pieces[part], moved, 0)
        assert shown.count(f"warning: {moved_note(moved)}\n") == 1


def test_the_second_training_on_the_same_data_says_it_again(folder, train, composer, home):
    first, second = train(folder, "--name", "mine"), train(folder, "--name", "other")
    assert second == first | {"cached": True}
    done = composer("train", "abc", folder, "--model", "markov", "--name", "third")
    assert f"warning: {moved_note(first['moved'])}\n" in done.err
    assert read_header(home / "models" / "third.safetensors").record["moved"] == first["moved"]


def test_copies_in_files_named_for_validation_are_counted(folder, train, evaluate):
    prepared = train(folder / "tunes.abc", "--valid", folder / "copies.abc", "--name", "mine")
    assert prepared["pieces"] == {"train": 120, "valid": 30, "test": 0}
    assert (prepared["moved"], prepared["copies"]) == (0, 30)
    assert "30 held-out pieces have the melody or text of a training piece, so " in prepared["notes"][0]
    found, shown = evaluate(folder / "copies.abc")
    assert (found["pieces"], found["copies"]) == (30, 30)
    assert (
        "warning: 30 pieces have the melody or text of a training piece, so the result is better than on new music\n"
        in shown
    )


def test_copies_in_a_list_are_counted(folder, train, evaluate, tmp_path):
    listing = tmp_path / "list.txt"
    listing.write_text("valid copies.abc: tune 1\ntest copies.abc: tune 2\ntest tunes.abc: tune 40\n")
    prepared = train(folder, "--split", listing, "--name", "mine")
    assert (prepared["pieces"], prepared["copies"]) == ({"train": 147, "valid": 1, "test": 2}, 2)
    found, shown = evaluate(folder, "--split", listing)
    assert (found["pieces"], found["copies"]) == (2, 1)
    assert "warning: 1 piece has the melody or text of a training piece, so the result is better" in shown


def test_files_without_the_training_pieces_are_compared_with_those_of_the_model(folder, train, evaluate):
    train(folder, "--name", "mine")
    held_out = evaluate(folder, "--part", "valid")[0]["pieces"]
    parts = [evaluate(folder / f"{name}.abc", "--part", "valid")[0] for name in ("tunes", "copies")]
    assert all(part["moved"] == 0 < part["copies"] for part in parts)
    assert sum(part["pieces"] - part["copies"] for part in parts) == held_out


def test_texts_of_a_list_are_compared_with_each_other(composer, tmp_path):
    poems = tmp_path / "poems"
    poems.mkdir()
    for number in range(40):
        (poems / f"{number}.txt").write_text(f"a poem about the number {number}\n")
    (poems / "copy.txt").write_text("a poem\n  about the number  7\n")
    (tmp_path / "list.txt").write_text("test copy.txt\n")
    listed = (poems, "--split", tmp_path / "list.txt")
    done = composer("train", "text", *listed, "--model", "markov", "--name", "mine")
    assert "warning: 1 held-out piece has the melody or text of a training piece, so " in done.err
    found = json.loads(composer("eval", "text", *listed, "--checkpoint", "mine", "--json").out)
    assert (found["pieces"], found["copies"]) == (1, 1)
