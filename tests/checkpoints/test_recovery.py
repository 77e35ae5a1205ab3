"""A damaged model says how its training state restores it."""

import json

import pytest

from composer.checkpoints import store
from composer.checkpoints.file import load_arrays, save_arrays
from composer.checkpoints.training_files import state_path

COMMAND = "composer train abc --resume --name 'my tune'"


@pytest.fixture
def damaged(checkpoint, home):
    """A model of which one byte was changed, with a whole training state."""
    arrays, text = load_arrays(checkpoint)
    path = store.path_for("my tune")
    state_path(path).parent.mkdir(parents=True)
    record = {
        "kind": "training", "data": ["a.abc"], "augmented": False, "settings": {}, "progress": {}, "encoded": "",
        "split": {"valid": 0.1, "test": 0, "valid_files": [], "test_files": [], "listing": None}, "output": None,
        "from": None,
    }  # fmt: skip
    save_arrays(state_path(path), arrays, json.dumps({**json.loads(text), "record": record}))
    data = bytearray(checkpoint.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    return path


def test_the_command_is_in_the_hint(composer, damaged):
    composer("gen", "abc", "--checkpoint", "my tune").failed("does not match its digest", COMMAND)
    damaged.write_bytes(damaged.read_bytes()[:-100])
    composer("gen", "abc", "--checkpoint", "my tune").failed("not a complete checkpoint", COMMAND)


def test_a_damaged_state_is_no_help(composer, damaged):
    state_path(damaged).write_bytes(state_path(damaged).read_bytes()[:-100])
    assert COMMAND not in composer("gen", "abc", "--checkpoint", "my tune").failed("digest").err


def test_a_copy_elsewhere_is_not_restored(composer, damaged, tmp_path):
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(damaged.read_bytes())
    assert "--resume" not in composer("gen", "abc", "--checkpoint", copy).failed("digest").err
