"""A model whose representation is fitted again keeps its weights and gets what is new."""

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from composer.api import Note, Part, Score
from composer.checkpoints import file as checkpoint_file
from composer.formats import write

SCRIPT = Path(__file__).with_name("refit.py")


def score(*pitches):
    """Return quarter notes in 4/4."""
    return Score((Part(tuple(Note(Fraction(beat), pitch, Fraction(1)) for beat, pitch in enumerate(pitches))),))


@pytest.fixture
def folder(composer, home, tmp_path):
    """Return a folder with two pieces, and a model of them from before it knew which bars return."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "aab.mid").write_bytes(write("midi", score(*(60, 62, 64, 65) * 2, *(67, 65, 64, 62))))
    (tmp_path / "data" / "ab.mid").write_bytes(write("midi", score(60, 62, 64, 65, 67, 65, 64, 62)))
    tiny = ("-O", "positions=on", "--max-updates", "1", "--set", "hidden=4", "--quiet", "--name", "old")
    done = composer("train", "pianoroll", tmp_path / "data", *tiny)
    assert done.code == 0, done.err
    saved = checkpoint_file.load(home / "models" / "old.safetensors", half=True)
    state = {name: value for name, value in saved.header.state.items() if name != "returns"}
    checkpoint_file.save(tmp_path / "old.safetensors", replace(saved, header=replace(saved.header, state=state)))
    return tmp_path


def refit(*words):
    return subprocess.run([sys.executable, SCRIPT, *words], check=False, capture_output=True, text=True)


def test_what_is_new_is_added(folder):
    path = folder / "old.safetensors"
    before = checkpoint_file.load(path, half=True)
    assert refit(path, folder / "data").stdout == "new in old.safetensors: returns\n"
    after = checkpoint_file.load(path, half=True)
    assert after.header.state == {**before.header.state, "returns": {"4/4,3,,,,,4-8=0": 1}}
    assert all((after.weights[name] == weights).all() for name, weights in before.weights.items())
    data = path.read_bytes()
    assert refit(path, folder / "data").stdout == "new in old.safetensors: nothing\n"
    assert path.read_bytes() == data


def test_other_data_is_refused(folder):
    path = folder / "old.safetensors"
    before = path.read_bytes()
    (folder / "data" / "ab.mid").unlink()
    refused = refit(path, folder / "data")
    assert (refused.returncode, path.read_bytes()) == (1, before)
    assert "changed are plans; was it trained on this data?" in refused.stderr
