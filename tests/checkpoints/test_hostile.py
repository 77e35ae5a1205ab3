"""Checkpoints that claim more than they hold are refused before memory is taken for them."""

import json
import os
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from composer.api import CheckpointError
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints import store
from composer.checkpoints.load import open_checkpoint
from composer.checkpoints.network import check_shapes, make_network


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


@pytest.mark.parametrize(
    "config",
    [{"hidden": 100_000}, {"layers": 2}, {"layers": 500}, {"layers": 900_000}],
    ids=["160 GB of weights", "one layer more", "500 layers", "900,000 layers"],
)
def test_a_network_that_is_not_in_the_file_is_never_made(changed, config, monkeypatch):
    opened = open_checkpoint(changed(**config))
    made, network = [], type(opened.model).network
    monkeypatch.setattr(type(opened.model), "network", lambda *args: made.append(network(*args)) or made[-1])
    with pytest.raises(CheckpointError, match="do not fit the model"):
        make_network(opened.model, opened.checkpoint.header.spec, opened.config, opened.checkpoint.weights, "it")
    assert all(each.is_meta for network in made for each in network.parameters())  # without memory


class Counts(torch.nn.Module):
    """A network of counts, as many as `size` at first, and of any number of empty modules."""

    def __init__(self, size, modules=0):
        super().__init__()
        self.register_buffer("counts", torch.zeros(size))
        for number in range(modules):
            self.add_module(f"empty{number}", torch.nn.Identity())


def made_as(make):
    """Return a model whose networks are made by `make`."""
    return SimpleNamespace(network=lambda spec, config: make())


def test_buffers_may_grow_but_are_not_larger_at_first():
    check_shapes(made_as(lambda: Counts(0)), None, None, {"counts": (9,)}, "it")
    with pytest.raises(CheckpointError, match="do not fit the model"):
        check_shapes(made_as(lambda: Counts(10)), None, None, {"counts": (9,)}, "it")


def test_modules_without_weights_are_counted_too():
    check_shapes(made_as(lambda: Counts(9, modules=100)), None, None, {"counts": (9,)}, "it")
    with pytest.raises(CheckpointError, match="do not fit the model"):
        check_shapes(made_as(lambda: Counts(9, modules=10_000)), None, None, {"counts": (9,)}, "it")


def test_a_network_that_needs_its_weights_when_it_is_made_is_stopped():
    def make():
        assert not torch.zeros(()).is_meta
        return Counts(9, modules=10_000)

    with pytest.raises(CheckpointError, match="do not fit the model"):
        make_network(made_as(make), None, None, {"counts": np.zeros(9)}, "it")


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
