"""Which of several processes this one is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import DeviceError, UsageError
from composer.distributed.environment import Ranks, device_of, here, mine

LAUNCHED = {"RANK": "1", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}


def test_without_a_launcher_it_is_alone():
    assert here({}) == here({"WORLD_SIZE": "1"}) == Ranks()
    assert Ranks().alone
    assert Ranks().first


def test_a_launcher_says_which_it_is():
    ranks = here(LAUNCHED)
    assert ranks == Ranks(1, 4, 1, "localhost", 29500)
    assert not ranks.first
    assert not ranks.alone


@pytest.mark.parametrize(
    ("name", "value"),
    [("WORLD_SIZE", "0"), ("WORLD_SIZE", "two"), ("RANK", "4"), ("RANK", "-1"), ("MASTER_PORT", "70000"), ("RANK", "")],
)
def test_what_cannot_be_meant_is_refused(name, value):
    with pytest.raises(UsageError, match=name) as caught:
        here(LAUNCHED | {name: value})
    assert "torchrun" in caught.value.hint


def test_an_address_is_needed():
    with pytest.raises(UsageError, match="MASTER_ADDR is not"):
        here({name: value for name, value in LAUNCHED.items() if name != "MASTER_ADDR"})


@given(st.lists(st.integers(), max_size=40), st.integers(1, 9))
def test_shares_are_disjoint_and_whole_and_alike(items, world):
    shares = [mine(items, rank, world) for rank in range(world)]
    assert [item for share in shares for item in share] == items
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert len(shares[0]) == max(map(len, shares))


def test_each_process_has_a_device_of_its_own():
    assert device_of("cuda", Ranks(3, 4, 1), 2) == "cuda:1"
    assert device_of("cpu", Ranks(3, 4, 3), 0) == "cpu"
    assert device_of("cuda:1", Ranks(), 2) == "cuda:1"
    with pytest.raises(DeviceError, match="more processes on this machine"):
        device_of("cuda", Ranks(3, 4, 3), 2)
    with pytest.raises(DeviceError, match="cannot all use `cuda:0`"):
        device_of("cuda:0", Ranks(1, 2, 1), 2)
