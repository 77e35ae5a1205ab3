"""A set of digests, against Python's own."""

import sys

from hypothesis import given
from hypothesis import strategies as st

from composer.data import seen
from composer.data.seen import Seen


@given(st.lists(st.integers(0, 40), max_size=80), st.sampled_from([0, 1 << 20, 1 << 60]))
def test_a_digest_is_new_once(numbers, spread):
    """Spread by multiples of the table's size, all would stand in the same place."""
    ours, theirs = Seen(), set()
    for number in numbers:
        digest = (number * (spread or 1) % 2**64).to_bytes(8, "big") + b"12345678"
        key = digest if any(digest[:8]) else (1).to_bytes(8, "big") + b"12345678"  # 0 counts as 1
        assert ours.add(digest) == (key not in theirs)
        theirs.add(key)
    assert len(ours) == len(theirs)


def test_it_grows_and_stays_small():
    digests = Seen()
    count = 5 * seen.LEAST
    spread = [(number * 0x9E3779B97F4A7C15 % 2**64).to_bytes(16, "little") for number in range(1, count)]
    assert all(digests.add(digest) for digest in spread)
    assert not any(digests.add(digest) for digest in spread)
    assert sys.getsizeof(digests._table) <= 48 * count
