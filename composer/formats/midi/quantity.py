"""The variable-length quantities of MIDI: seven bits per byte, the high bit set on all but the last."""

from __future__ import annotations

MAX_BYTES = 4


def encode(number: int) -> bytes:
    """Return `number`, not negative, as a variable-length quantity."""
    found = [number & 0x7F]
    while number := number >> 7:
        found.append(number & 0x7F | 0x80)
    return bytes(reversed(found))


def decode(data: bytes, at: int) -> tuple[int, int]:
    """Return the quantity at `at` and the position after it.

    Raises IndexError if the data ends within it, ValueError if it has more than MAX_BYTES bytes.
    """
    value = 0
    for position in range(at, at + MAX_BYTES):
        byte = data[position]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, position + 1
    raise ValueError(f"a number of more than {MAX_BYTES} bytes")
