"""Safetensors files: agreement with the reference library, digests, damage, files that change while they are read."""

import hashlib
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from safetensors.numpy import load as reference_load
from safetensors.numpy import save as reference_save

from composer.checkpoints import tensors
from composer.checkpoints.tensors import DamagedFile, InvalidFile

TYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]
ARRAYS = st.dictionaries(
    st.text(max_size=3).filter(lambda name: name != "__metadata__"),
    arrays_of.arrays(
        st.sampled_from(TYPES), arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0), elements=st.integers(0, 1)
    ),
    max_size=4,
)
SMALL = {"w": np.array([[1.5, -2]], np.float16), "n": np.arange(3), "e": np.zeros((0, 2), np.float32)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.safetensors"


def written(path, arrays=SMALL, text="a header"):
    path.write_bytes(tensors.encode(arrays, {"composer": text}))
    return path


def assert_same(read, expected):
    assert read.keys() == expected.keys()
    for name, array in expected.items():
        assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)
        assert (read[name] == array).all()


@given(ARRAYS)
def test_the_reference_library_reads_the_same(arrays):
    assert_same(reference_load(tensors.encode(arrays, {"composer": "é\ud7ff"})), arrays)


@given(ARRAYS)
def test_files_of_the_reference_library_are_read(tmp_path_factory, arrays):
    path = tmp_path_factory.mktemp("reference") / "m.safetensors"
    path.write_bytes(reference_save(arrays, {"composer": "text"}))
    read = tensors.read(path)
    assert_same(read.arrays, arrays)
    assert read.metadata == {"composer": "text"}


def test_the_digest_is_that_of_the_bytes(path):
    read = tensors.read(written(path))
    assert read.sha256 == tensors.digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert read.metadata == tensors.read_metadata(path) == {"composer": "a header"}


def test_a_flipped_bit_anywhere_is_noticed(path):
    data = written(path).read_bytes()
    for place in range(len(data)):
        if data[place : place + 1] == b" " and place > data.index(b'"digest"'):
            continue  # padding
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :])
        try:
            read = tensors.read(path)
        except (InvalidFile, DamagedFile):
            continue
        # the name of the entry itself was hit: there is nothing to compare with, but nothing else is damaged
        assert data.index(b'"digest"') < place < data.index(b'"digest"') + 7
        assert_same(read.arrays, SMALL)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(path, kind, value):
    for encode in (tensors.encode, reference_save):
        path.write_bytes(encode({"w": np.array([1, value, 2], kind)}, {"composer": ""}))
        with pytest.raises(DamagedFile, match="`w` has values that are not finite"):
            tensors.read(path)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_the_largest_and_smallest_values(path, kind):
    limits = np.finfo(kind)
    array = np.array([limits.max, limits.min, limits.tiny, limits.smallest_subnormal, -0.0], kind)
    assert_same(tensors.read(written(path, {"w": array})).arrays, {"w": array})


@pytest.mark.parametrize("read", [tensors.read, tensors.read_metadata, tensors.digest])
def test_a_file_that_is_replaced_while_it_is_read(path, monkeypatch, read):
    def open_then_replace(*arguments):
        file = opening(*arguments)
        written(path.with_name("other"), {"w": np.zeros(1000)}, "another header").replace(path)
        return file

    expected = read(written(path))
    opening = tensors._open
    monkeypatch.setattr(tensors, "_open", open_then_replace)
    found = read(path)
    if isinstance(found, tensors.Tensors):
        assert_same(found.arrays, expected.arrays)
        found, expected = (found.metadata, found.sha256), (expected.metadata, expected.sha256)
    assert found == expected


def test_a_file_that_is_appended_to(path):
    written(path)
    with path.open("ab") as file:
        file.write(b"\0")
    for read in (tensors.read, tensors.read_metadata):
        with pytest.raises(InvalidFile):
            read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_named_pipe_is_not_waited_for(path):
    os.mkfifo(path)
    for read in (tensors.read, tensors.read_metadata, tensors.digest):
        with pytest.raises(InvalidFile):
            read(path)


@pytest.mark.parametrize(
    "described",
    [
        '{"dtype":"F32","shape":[1],"data_offsets":[0,8]}',
        '{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}',
        '{"dtype":"F32","shape":[true],"data_offsets":[0,4]}',
        '{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}',
        '{"dtype":"F32","shape":[1],"data_offsets":[4,8]}',
        '{"dtype":"F32","shape":[1],"data_offsets":[0]}',
        '{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}',
        '{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}',
        '{"dtype":["F32"],"shape":[1],"data_offsets":[0,4]}',
        '{"dtype":"U8","shape":[99999999999999999999,0],"data_offsets":[0,0]}',
        '{"dtype":"I32","shape":[' + ",".join("1" * 99) + '],"data_offsets":[0,4]}',
        "[]",
        "3",
        "[" * 9999,
    ],
)
def test_arrays_that_cannot_be(path, described):
    header = f'{{"w":{described}}}'.encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4 if "[0,0]" not in described else 0))
    with pytest.raises(InvalidFile):
        tensors.read(path)


def test_a_type_without_a_name():
    with pytest.raises(TypeError, match="`w` has the type complex64"):
        tensors.encode({"w": np.zeros(1, np.complex64)}, {})
