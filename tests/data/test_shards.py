"""Files of steps: split into shards with checksums, and read as one array."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.data import shards
from composer.data.shards import ShardWriter, Steps, shard_path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shards")


@given(st.lists(st.binary(max_size=40), max_size=12), st.integers(1, 4), st.integers(4, 50), st.data())
def test_shards_are_one_array(folder, pieces, width, most, data):
    pieces = [piece[: len(piece) // width * width] for piece in pieces]
    whole = np.frombuffer(b"".join(pieces), np.uint8).reshape(-1, width)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(shards, "SHARD_BYTES", most)
        patched.setattr(shards, "STEPS_BETWEEN_RELEASES", 5)
        patched.setattr(shards, "MAX_UNRELEASED_BYTES", 0)
        with ShardWriter(folder / "part", width) as writer:
            for piece in pieces:
                writer.write(piece)
        paths = [shard_path(folder / "part", number) for number in range(len(writer.shards))]
        assert [list(each) for each in writer.shards] == [
            [path.stat().st_size, zlib.crc32(path.read_bytes())] for path in paths
        ]
        assert writer.sum == [whole.size, zlib.crc32(whole.tobytes())]
        steps = Steps(paths, np.dtype(np.uint8), len(whole), (width,))
        assert len(steps) == len(whole)
        assert (np.asarray(steps) == whole).all()
        if len(whole):
            index = data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=6, max_size=6))
            shaped = np.array(index).reshape(2, 3)
            assert (steps[shaped] == whole[shaped]).all()
            assert (steps[2:5] == whole[2:5]).all()


def test_a_missing_shard_is_an_error(folder):
    shard_path(folder / "few", 0).write_bytes(b"123")
    with pytest.raises(ValueError, match="expected 4 steps in 1 shards"):
        Steps([shard_path(folder / "few", 0)], np.dtype(np.uint8), 4, ())
