"""Copies of training pieces: moved to training by `train` and `eval --part` alike, and counted wherever they stay."""

import json
import random
import shutil
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from composer.checkpoints import file as checkpoint_file
from composer.checkpoints.file import read_header
from composer.checkpoints.training_files import state_path
from composer.data.splits import SplitAssigner
from composer.system.paths import cache_folder


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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a file of 120 tunes, and one with retitled copies of 30 of them, most of these transposed."""
    folder = tmp_path_factory.mktemp("copies") / "tunes"
    folder.mkdir()
    (folder / "tunes.abc").write_text("\n".join(tune(number, f"Tune {number}") for number in range(120)))
    copies = [tune(number, f"Copy {number}") for number in range(30)]
    transposed = [in_other_octave(copy) if number % 3 else copy for number, copy in enumerate(copies)]
    (folder / "copies.abc").write_text("\n".join(transposed))
    return folder


@pytest.fixture(scope="module")
def train(composer):
    """Train a Markov chain, and return what was prepared."""

    def run(*arguments):
        done = composer("train", "abc", *arguments, "--model", "markov", "--json")
        assert done.code == 0, done.err
        events = [json.loads(line) for line in done.out.splitlines()]
        return next(event for event in events if event["event"] == "prepared")

    return run


class Trained(NamedTuple):
    """The home of a model `mine` of the whole folder, and what was prepared for it."""

    home: Any
    prepared: dict[str, Any]


@pytest.fixture(scope="module")
def trained_once(train, folder, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPOSER_HOME", str(home))
        return Trained(home, train(folder, "--name", "mine"))


@pytest.fixture
def trained(trained_once, home, monkeypatch):
    """The home with the model, which is now the user's."""
    monkeypatch.setenv("COMPOSER_HOME", str(trained_once.home))
    return trained_once


def save_as_before_copies_moved(path, older):
    """Save a checkpoint at the path `older`, with the record of a version that did not move copies."""
    saved = checkpoint_file.load(path, limit=checkpoint_file.MAX_TRAINING_BYTES)
    record = {key: value for key, value in saved.header.record.items() if key not in ("moved", "copies")}
    checkpoint_file.save(older, replace(saved, header=replace(saved.header, record=record)))


@pytest.fixture
def evaluate(composer):
    """Evaluate a model; return the JSON, and what the terminal shows."""

    def run(*arguments, representation="abc", model="mine"):
        done = composer("eval", representation, *arguments, "--checkpoint", model, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out), done.err

    return run


def moved_note(count):
    return f"{count} held-out pieces have the melody or text of a training piece; moved to training"


def copies_note(count):
    return f"{count} pieces have the melody or text of a training piece, so the result is better than on new music"


def write_poems(folder):
    """Return a folder with 100 texts, and copies of 40 of them with another space."""
    poems = folder / "poems"
    poems.mkdir()
    for number in range(100):
        for copy in range(1 + (number < 40)):
            (poems / f"{number}-{copy}.txt").write_text(f"a poem {' ' * copy} about the number {number}\n")
    return poems


def test_train_and_eval_move_the_same_copies(folder, trained, evaluate):
    pieces, moved = trained.prepared["pieces"], trained.prepared["moved"]
    assert moved > 1
    assert trained.prepared["notes"] == [moved_note(moved)]
    for part in ("train", "valid"):
        found, shown = evaluate(folder, "--part", part)
        assert (found["pieces"], found["moved"], found["copies"]) == (pieces[part], moved, 0)
        assert shown.count(f"warning: {moved_note(moved)}\n") == 1


def test_copies_that_an_older_model_held_out_stay_and_are_counted(folder, trained, evaluate):
    save_as_before_copies_moved(*(trained.home / "models" / f"{name}.safetensors" for name in ("mine", "older")))
    pieces, moved = trained.prepared["pieces"], trained.prepared["moved"]
    found, shown = evaluate(folder, "--part", "valid", model="older")
    assert (found["pieces"], found["moved"], found["copies"]) == (pieces["valid"] + moved, 0, moved)
    assert shown.count(f"warning: {copies_note(moved)}\n") == 1
    found, shown = evaluate(folder, "--part", "train", model="older")
    assert (found["pieces"], found["moved"], found["copies"]) == (pieces["train"] - moved, 0, 0)
    assert "melody or text" not in shown


def test_texts_that_an_older_model_held_out_are_compared_with_its_training_data(composer, evaluate, home, tmp_path):
    poems = write_poems(tmp_path)
    assert composer("train", "text", poems, "--model", "markov", "--name", "mine").code == 0
    moved = read_header(home / "models" / "mine.safetensors").record["moved"]
    save_as_before_copies_moved(*(home / "models" / f"{name}.safetensors" for name in ("mine", "older")))
    newer, _ = evaluate(poems, "--part", "valid", representation="text")
    older, shown = evaluate(poems, "--part", "valid", representation="text", model="older")
    assert (newer["moved"], newer["copies"], older["moved"], older["copies"]) == (moved, 0, 0, moved)
    assert older["pieces"] == newer["pieces"] + moved
    assert f"warning: {copies_note(moved)}\n" in shown


def test_a_training_that_held_out_copies_is_fine_tuned_instead_of_resumed(composer, home, tmp_path, monkeypatch):
    poems = write_poems(tmp_path)
    tiny = ("--max-updates", "1", "--set", "hidden=4", "--name")
    with monkeypatch.context() as patch:
        patch.setattr(SplitAssigner, "_move_copies", lambda self, keys: None)
        assert composer("train", "text", poems, *tiny, "mine").code == 0
    state = state_path(home / "models" / "mine.safetensors")
    save_as_before_copies_moved(state, state)
    shutil.rmtree(cache_folder())
    done = composer("train", "text", "--resume", "--name", "mine", "--max-updates", "2")
    assert "error: 'mine' was trained by an earlier version, which held out copies of training pieces\n" in done.err
    assert "hint: fine-tune it instead: use --from mine instead of --resume\n" in done.err
    done = composer("train", "text", poems, "--from", "mine", "--max-updates", "1", "--name", "other")
    assert done.code == 0, done.err


def test_the_second_training_on_the_same_data_says_it_again(folder, trained, train, composer):
    first, second = trained.prepared, train(folder, "--name", "other")
    assert second == first | {"cached": True}
    done = composer("train", "abc", folder, "--model", "markov", "--name", "third")
    assert f"warning: {moved_note(first['moved'])}\n" in done.err
    assert read_header(trained.home / "models" / "third.safetensors").record["moved"] == first["moved"]


def test_copies_in_files_named_for_validation_are_counted(folder, train, evaluate):
    prepared = train(folder / "tunes.abc", "--valid", folder / "copies.abc", "--name", "mine")
    assert prepared["pieces"] == {"train": 120, "valid": 30, "test": 0}
    assert (prepared["moved"], prepared["copies"]) == (0, 30)
    assert "30 held-out pieces have the melody or text of a training piece, so " in prepared["notes"][0]
    found, shown = evaluate(folder / "copies.abc")
    assert (found["pieces"], found["copies"]) == (30, 30)
    assert f"warning: {copies_note(30)}\n" in shown


def test_copies_in_a_list_are_counted(folder, train, evaluate, tmp_path):
    listing = tmp_path / "list.txt"
    listing.write_text("valid copies.abc: tune 1\ntest copies.abc: tune 2\ntest tunes.abc: tune 40\n")
    prepared = train(folder, "--split", listing, "--name", "mine")
    assert (prepared["pieces"], prepared["copies"]) == ({"train": 147, "valid": 1, "test": 2}, 2)
    found, shown = evaluate(folder, "--split", listing)
    assert (found["pieces"], found["copies"]) == (2, 1)
    assert "warning: 1 piece has the melody or text of a training piece, so the result is better" in shown


def test_files_without_the_training_pieces_are_compared_with_those_of_the_model(folder, trained, evaluate):
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
