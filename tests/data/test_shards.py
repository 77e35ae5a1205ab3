"""Files of steps: cut into shards and read as one array, with sums that tell damage."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import Source
from composer.data import encoded_split, shards
from composer.data.encoded_split import join_parts, open_part, write_part
from composer.data.shards import ShardWriter, Steps, shard_path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shards")


@given(st.lists(st.binary(max_size=40), max_size=12), st.integers(1, 4), st.integers(4, 50), st.data())
def test_shards_are_one_array(folder, pieces, width, most, data):
    pieces = [piece[: len(piece) // width * width] for piece in pieces]
    whole = np.frombuffer(b"".join(pieces), np.uint8).reshape(-1, width)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(shards, "SHARD", most)
        patched.setattr(shards, "RELEASE", 5)
        patched.setattr(shards, "UNRELEASED", 0)
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


def test_shards_that_are_too_few_are_told(folder):
    shard_path(folder / "few", 0).write_bytes(b"123")
    with pytest.raises(ValueError, match="there are not 4 steps in 1 shards"):
        Steps([shard_path(folder / "few", 0)], np.dtype(np.uint8), 4, ())


def test_parts_that_were_written_apart_are_joined_byte_for_byte(letters, tunes, folder, monkeypatch):
    monkeypatch.setattr(shards, "SHARD", 64)
    pieces = [piece for path in sorted(tunes.iterdir()) for piece in letters.read(Source(path, name=path.name))]
    letters.fit(pieces)
    refused = []
    together = write_part(folder / "together", letters, pieces, refused.append)
    apart = {
        folder / f"apart-{begin}": write_part(
            folder / f"apart-{begin}", letters, pieces[begin : begin + 25], refused.append
        )
        for begin in range(0, len(pieces), 25)
    }
    assert len(apart) == 3
    joined = join_parts(folder / "joined", letters.spec, apart)
    assert joined == together
    for path in encoded_split.files_of(folder / "together", together):
        assert path.read_bytes() == path.with_name(path.name.replace("together", "joined")).read_bytes()
    assert open_part(folder / "joined", letters.spec, joined).pieces == 60
    assert not refused
