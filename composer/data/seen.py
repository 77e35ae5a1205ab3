"""A set of digests in little memory: 16 to 48 bytes for each, in place of the 90 and more that a set of bytes takes."""

from __future__ import annotations

from array import array

LEAST = 1 << 12
"""The number of places it begins with; a power of two."""


class Seen:
    """Digests that have been seen, by their first 64 bits, in a table with open addressing.

    Among a hundred million different digests, two are taken for one with a probability of 3 in 10,000.
    """

    def __init__(self) -> None:
        self._table = array("Q", bytes(8 * LEAST))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, digest: bytes) -> bool:
        """Remember `digest`; whether it is new."""
        if 2 * self._count >= len(self._table):
            self._grow()
        if not _put(self._table, int.from_bytes(digest[:8], "big") or 1):  # 0 marks an empty place
            return False
        self._count += 1
        return True

    def _grow(self) -> None:
        table = array("Q", bytes(16 * len(self._table)))
        for value in self._table:
            if value:
                _put(table, value)
        self._table = table


def _put(table: array[int], value: int) -> bool:
    """Whether `value` was not in `table` yet."""
    last = len(table) - 1
    place = value & last
    while table[place]:
        if table[place] == value:
            return False
        place = (place + 1) & last
    table[place] = value
    return True
