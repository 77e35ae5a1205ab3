"""Checkpoints that claim more than they hold are refused before memory is taken for them."""

import json
import os
from dataclasses import replace

import pytest

from composer.api import CheckpointError
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints import store
from composer.checkpoints.load import check_shapes, open_checkpoint


@pytest.fixture
def saved():
    """The bundled model of tunes."""
    return checkpoint_file.load(store.bundled("abc"))


@pytest.fixture
def changed(saved, tmp_path):
    """Save the bundled model with other settings, and return its path."""

    def changed(**config):
        path = tmp_path / "m.safetensors"
        header = replace(saved.header, config={**saved.header.config, **config})
        checkpoint_file.save(path, replace(saved, header=header))
        return path

    return changed


@pytest.mark.parametrize("config", [{"layers": 10**9}, {"hidden": 10**12}, {"dense": [10**9]}])
def test_settings_larger_than_the_file(changed, config):
    ((name, value),) = config.items()
    number = value[0] if isinstance(value, list) else value
    with pytest.raises(CheckpointError, match=f"cannot hold a model with {name}={number:,}"):
        open_checkpoint(changed(**config))


def test_a_network_with_other_shapes_is_never_made(changed):
    opened = open_checkpoint(changed(hidden=100_000))  # 160 GB of weights
    with pytest.raises(CheckpointError, match="do not fit the model"):
        check_shapes(
            opened.model, opened.checkpoint.header.spec, opened.config, opened.checkpoint.weights, "the checkpoint"
        )


def test_a_file_beyond_the_limit_is_not_read(tmp_path, changed):
    header = changed().read_bytes()
    length = int.from_bytes(header[:8], "little")
    table = json.loads(header[8 : 8 + length])
    size = 20 << 30
    table = {"__metadata__": table["__metadata__"], "w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}
    text = json.dumps(table).encode()
    path = tmp_path / "holes.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    os.truncate(path, 8 + len(text) + size)
    with pytest.raises(CheckpointError, match="MB, more than 256 MB") as caught:
        checkpoint_file.load(path)
    assert "COMPOSER_LIMITS=80" in caught.value.hint


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_not_waited_for(tmp_path):
    path = tmp_path / "pipe.safetensors"
    os.mkfifo(path)
    for read in (checkpoint_file.read_header, checkpoint_file.load):
        with pytest.raises(CheckpointError, match="is not a complete checkpoint"):
            read(path)
