"""`train --log-dir`, as read by TensorBoard."""

import importlib.util
import re
from fractions import Fraction

import numpy as np
import pytest

from composer.api import Note, Part, Score
from composer.cli.train import tensorboard

pytest.importorskip("tensorboard")


@pytest.fixture
def read():
    """Read a folder with TensorBoard's reader."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def read(folder):
        found = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0, "images": 0})
        return found.Reload()

    return read


@pytest.fixture
def logged(composer, tmp_path):
    """Train on `data` and log it."""

    def train(representation, data, *arguments):
        held = tmp_path / "held.abc"
        held.write_text("X:1\nT:Fence Over\nM:4/4\nL:1/8\nK:G\n|:GABc d2cB|A2F2 G4:|\n")
        quick = ("--max-updates", "6", "--set", "hidden=8", "--set", "validate_every=3", "--valid", held)
        done = composer("train", representation, data, *quick, *arguments, "--log-dir", tmp_path / "runs")
        (folder,) = (tmp_path / "runs").iterdir()
        return done, folder

    return train


def test_losses_and_settings(logged, read, tunes):
    done, folder = logged("abc", tunes, "--lr", "0.02", "-O", "text=raw")
    assert done.code == 0, done.err
    found = read(folder)
    assert [event.step for event in found.Scalars("loss/train")] == [1, 2, 3, 4, 5, 6]
    assert [event.step for event in found.Scalars("loss/validation")] == [3, 6]
    assert f"{found.Scalars('loss/validation')[0].value:.3f}" in done.err
    assert all(event.value > 0 for event in found.Scalars("learning rate"))
    summary = found.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    assert b"model.hidden" in summary
    assert b"option.text" in summary


def test_a_tune_is_text_and_an_image(logged, read, tunes):
    done, folder = logged("abc", tunes, "--snapshots", "0,4")
    assert done.code == 0, done.err
    found = read(folder)
    texts = found.Tensors("piece/text_summary")
    assert [event.step for event in texts] == [0, 4]
    assert b"X:1" in texts[1].tensor_proto.string_val[0]
    assert [event.step for event in found.Images("roll")] == [0, 4]


def test_a_roll_is_an_image(logged, read, tunes):
    done, folder = logged("pianoroll", tunes, "--snapshots", "2")
    assert done.code == 0, done.err
    assert [event.step for event in read(folder).Images("roll")] == [2]


def test_each_run_has_a_folder_of_its_own(composer, tunes, tmp_path):
    quick = ("--max-updates", "1", "--set", "hidden=4", "--name", "mine", "--force", "--log-dir", tmp_path / "runs")
    told = [composer("train", "abc", tunes, *quick).err for _ in range(2)]
    folders = list((tmp_path / "runs").iterdir())
    assert len(folders) == 2
    assert all(re.fullmatch(r"mine-\d{8}-\d{6}(-2)?", folder.name) for folder in folders)
    assert all(any(f"logging to {folder}\n" in each for each in told) for folder in folders)


def test_roll_image():
    score = Score((Part((Note(Fraction(0), 60, Fraction(1, 2)), Note(Fraction(1, 4), 62, Fraction(1, 4)))),))
    cells = tensorboard.roll_image(score)[:: tensorboard.PIXELS_PER_CELL, :: tensorboard.PIXELS_PER_CELL]
    ground, onset, hold = tensorboard.GROUND, tensorboard.ONSET, tensorboard.HOLD
    assert (cells[0] == [ground, onset, ground]).all(), "the higher note is above"
    assert (cells[2] == [onset, hold, ground]).all()
    assert cells.dtype == np.uint8


def test_without_tensorboard(composer, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: None if name == "tensorboard" else found(name))
    composer("train", "abc", tmp_path / "none.abc", "--log-dir", tmp_path).failed("TensorBoard", "pip install")


def test_a_folder_that_cannot_be_created(logged, composer, tunes, tmp_path):
    (tmp_path / "file").write_text("")
    composer("train", "abc", tunes, "--max-updates", "1", "--log-dir", tmp_path / "file").failed("cannot write to")
