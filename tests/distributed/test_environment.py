"""Rank and device of a process."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import DeviceError, UsageError
from composer.distributed.environment import ProcessInfo, device_of, from_environment, shard

LAUNCHED = {"RANK": "1", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}


def test_without_a_launcher():
    assert from_environment({}) == from_environment({"WORLD_SIZE": "1"}) == ProcessInfo()
    assert ProcessInfo().is_single
    assert ProcessInfo().is_main


def test_with_a_launcher():
    ranks = from_environment(LAUNCHED)
    assert ranks == ProcessInfo(1, 4, 1, "localhost", 29500, local_world_size=4)
    assert not ranks.is_main
    assert not ranks.is_single


@pytest.mark.parametrize(
    ("name", "value"),
    [("WORLD_SIZE", "0"), ("WORLD_SIZE", "two"), ("RANK", "4"), ("RANK", "-1"), ("MASTER_PORT", "70000"), ("RANK", "")],
)
def test_invalid_variables(name, value):
    with pytest.raises(UsageError, match=name) as caught:
        from_environment(LAUNCHED | {name: value})
    assert "torchrun" in caught.value.hint


def test_missing_address():
    with pytest.raises(UsageError, match="WORLD_SIZE: '0'") as caught:
        from_environment({**LAUNCHED, "WORLD_SIZE": "0"})
    assert caught.value.hint.startswith("set a whole number, 1 or more; ")
    with pytest.raises(UsageError, match="MASTER_ADDR is not"):
        from_environment({name: value for name, value in LAUNCHED.items() if name != "MASTER_ADDR"})


@given(st.lists(st.integers(), max_size=40), st.integers(1, 9))
def test_shards_are_disjoint_and_even(items, world):
    shares = [shard(items, rank, world) for rank in range(world)]
    assert [item for share in shares for item in share] == items
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert len(shares[0]) == max(map(len, shares))


def test_each_process_has_its_own_device():
    assert device_of("cuda", ProcessInfo(3, 4, 1), 2) == "cuda:1"
    assert device_of("cpu", ProcessInfo(3, 4, 3), 0) == "cpu"
    assert device_of("cuda:1", ProcessInfo(), 2) == "cuda:1"
    with pytest.raises(DeviceError, match="more processes on this machine"):
        device_of("cuda", ProcessInfo(3, 4, 3), 2)
    with pytest.raises(DeviceError, match="cannot share `cuda:0`"):
        device_of("cuda:0", ProcessInfo(1, 2, 1), 2)
