"""The checkpoint file: round trips, atomic writes, invalid files."""

import json
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from composer.api import CheckpointError, SequenceSpec, StepKind, UnitGroup
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints.file import Checkpoint, Header, digest, load, load_arrays, read_header, save, save_arrays

TOKENS = SequenceSpec(StepKind.TOKENS, size=9, end=0, conditions={"rhythm": ("jig", "reel")})
FRAMES = SequenceSpec(StepKind.FRAMES, size=88, groups=(UnitGroup("on", 0, 88, 21),))


def header(spec=TOKENS, **fields):
    values = {
        "representation": "abc",
        "representation_version": 1,
        "options": {"text": "dialect"},
        "state": {"symbols": ["a", "é", "♯"]},
        "model": "lstm",
        "config": {"hidden": 4},
        "spec": spec,
        "record": {"updates": 3, "best": 0.5},
    }
    return Header(**(values | fields))


def example(**fields):
    return Checkpoint(header(**fields), {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.array([1, 2])})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "models" / "m.safetensors"


@pytest.mark.parametrize("spec", [TOKENS, FRAMES])
def test_round_trip(path, spec):
    saved = example(spec=spec)
    save(path, saved)
    read = load(path)
    assert read.header == saved.header == read_header(path)
    assert all(np.array_equal(read.weights[name], array) for name, array in saved.weights.items())


@given(
    arrays_of.arrays(
        st.sampled_from([np.float16, np.float32, np.int64, np.uint8]),
        arrays_of.array_shapes(min_dims=0, max_dims=3, max_side=4),
        elements=st.integers(0, 100),
    )
)
def test_arrays_in_any_memory_order(tmp_path_factory, array):
    path = tmp_path_factory.mktemp("arrays") / "a.safetensors"
    given_arrays = {"as it is": array}
    if array.ndim:
        given_arrays |= {"fortran": np.asfortranarray(array), "transposed": array.T, "reversed": array[..., ::-1]}
    save_arrays(path, given_arrays, "text")
    read, text = load_arrays(path)
    assert text == "text"
    for name, expected in given_arrays.items():
        assert read[name].shape == expected.shape
        assert read[name].dtype == expected.dtype
        assert (read[name] == expected).all()


def test_equal_checkpoints_are_equal_bytes(path, tmp_path):
    other = tmp_path / "other.safetensors"
    save(path, example())
    mixed = header(options=dict(reversed(header().options.items())))
    save(other, Checkpoint(mixed, dict(reversed(example().weights.items()))))
    assert path.read_bytes() == other.read_bytes()
    assert digest(path) == digest(other)


def test_half_precision(path):
    save(path, Checkpoint(header(), {"w": np.array([0.1], np.float16)}))
    assert load(path).weights["w"].dtype == np.float32
    assert load(path, half=True).weights["w"].dtype == np.float16


def test_with_record():
    assert example().with_record(finished=True).header.record == {"updates": 3, "best": 0.5, "finished": True}


def test_truncated_files(path):
    save(path, example())
    data = path.read_bytes()
    for length in [0, 1, 7, 8, 9, 50, len(data) // 2, len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError, match=r"m\.safetensors is not a complete checkpoint"):
            load(path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello, world",
        b"\x89PNG\r\n\x1a\n",
        b"\xff" * 64,
        b"\x02" + b"\0" * 7 + b"{}",
        b"\x02" + b"\0" * 7 + b"[]",
        b"\x14" + b"\0" * 7 + b'{"__metadata__": []}',
        b"\x1b" + b"\0" * 7 + b'{"w": {"data_offsets":[0]}}',
    ],
)
def test_files_that_are_no_checkpoints(path, data):
    path.parent.mkdir()
    path.write_bytes(data)
    for read in (load, read_header):
        with pytest.raises(CheckpointError, match="not a complete checkpoint") as caught:
            read(path)
        assert caught.value.hint


def test_a_changed_weight_is_an_error(path):
    save(path, example())
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"m\.safetensors is damaged: .* does not match its digest") as caught:
        load(path)
    assert "copy it again" in caught.value.hint


def test_a_file_without_a_digest(path):
    from safetensors.numpy import save_file

    path.parent.mkdir()
    save_file(dict(example().weights), path, {"composer": header().to_json()})
    assert load(path).header == header()
    save_file({"w": np.array([1, np.nan])}, path, {"composer": header().to_json()})
    with pytest.raises(CheckpointError, match="is damaged: `w` has values that are not finite"):
        load(path)


def test_a_pickle_is_never_opened(path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(path.parent / "exploded"),))

    path.parent.mkdir()
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(CheckpointError):
        load(path)
    assert not (path.parent / "exploded").exists()


def test_another_safetensors_file(path):
    from safetensors.numpy import save_file

    path.parent.mkdir()
    save_file({"w": np.zeros(2)}, path)
    for read in (load, read_header):
        with pytest.raises(CheckpointError, match="not a complete checkpoint"):
            read(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": "x"}', "null"])
def test_invalid_headers(path, text):
    save_arrays(path, {"w": np.zeros(2)}, text)
    with pytest.raises(CheckpointError, match="not a complete checkpoint"):
        load(path)


def test_a_newer_format(path):
    save(path, replace(example(), header=header(format=checkpoint_file.FORMAT + 1, program="9.9")))
    with pytest.raises(CheckpointError, match=r"composer 9\.9 in a newer format") as caught:
        load(path)
    assert "upgrade" in caught.value.hint


def test_a_checkpoint_without_model_version(path):
    text = json.loads(header().to_json())
    del text["model_version"]
    save_arrays(path, {"w": np.zeros(2)}, json.dumps(text))
    assert read_header(path).model_version == 1


def test_a_missing_file_and_a_folder(path):
    with pytest.raises(CheckpointError, match="no model"):
        load(path)
    path.mkdir(parents=True)
    for read in (load, read_header):
        with pytest.raises(CheckpointError):
            read(path)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_weights_that_are_not_finite_are_not_saved(path, value):
    with pytest.raises(CheckpointError, match="`w` has values") as caught:
        save(path, Checkpoint(header(), {"w": np.array([1.0, value], np.float32)}))
    assert "--lr" in caught.value.hint
    assert not path.exists()


def test_a_header_over_a_megabyte_is_not_saved(path):
    with pytest.raises(CheckpointError, match="larger than 1 MB"):
        save(path, example(state={"text": "x" * 2**20}))


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_keeps_the_earlier_checkpoint(path, monkeypatch, call):
    save(path, example())
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(CheckpointError, match="No space left on device") as caught:
        save(path, example(record={}))
    assert "disk" in caught.value.hint
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]
