"""Changes of the bytes of a music file: flips, cuts, huge numbers, XML elements and signs of each format."""

from __future__ import annotations

import io
import random
import re
import zipfile

from fuzz_originals import packed

MAX_SIZE = 1_000_000
"""Of a mutated file, in bytes, since a huge one may take its time."""


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Apply one to four mutations; XML mostly stays well-formed, since it is rejected otherwise."""
    if data.startswith(b"PK") and chance.random() < 0.7:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        return packed({name: mutate(content, chance) for name, content in members.items()})
    mutations = WELL_FORMED_MUTATIONS if data.startswith(b"<") and chance.random() < 0.8 else MUTATIONS
    for _ in range(chance.choice([1, 1, 2, 4])):
        data = chance.choice(mutations)(data, chance)[:MAX_SIZE]
    return data


def place(data: bytes, chance: random.Random, max_length: int = 64) -> slice:
    """A random range of bytes."""
    at = chance.randrange(len(data) + 1)
    return slice(at, at + chance.randrange(1, max_length))


def flip_bits(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice([1, 2, 8]) if data else 0):
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def truncate(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def remove_bytes(data: bytes, chance: random.Random) -> bytes:
    gone = place(data, chance)
    return data[: gone.start] + data[gone.stop :]


def insert_noise(data: bytes, chance: random.Random) -> bytes:
    at = place(data, chance)
    return data[: at.start] + chance.randbytes(at.stop - at.start) + data[at.start :]


def repeat_bytes(data: bytes, chance: random.Random) -> bytes:
    at = place(data, chance)
    return data[: at.stop] + data[at] * chance.choice([1, 2, 500]) + data[at.stop :]


def swap_bytes(data: bytes, chance: random.Random) -> bytes:
    first, second = sorted([chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)])
    length = chance.randrange(1, 64)
    return data[:first] + data[second : second + length] + data[first:second] + data[second + length :]


def insert_huge_number(data: bytes, chance: random.Random) -> bytes:
    numbers = list(re.finditer(rb"\d+", data))
    if not numbers:
        return data
    at = chance.choice(numbers)
    number = chance.choice([b"0", b"-1", b"1e9", b"99999", b"4294967295", b"9" * 40, b"0.3333", b"1/0", b"NaN", b"inf"])
    return data[: at.start()] + number + data[at.end() :]


def insert_huge_size(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    size = chance.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\x80\0"])
    return data[:at] + size + data[at + len(size) :]


def change_lines(data: bytes, chance: random.Random) -> bytes:
    """Remove, repeat or exchange lines, which mostly stays well-formed."""
    lines = data.split(b"\n")
    for _ in range(chance.choice([1, 4])):
        one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        lines[one : one + 1] = chance.choice([[], [lines[one]] * 2, [lines[other]], [lines[one]] * 300])
        lines = lines or [b""]
    return b"\n".join(lines)


ELEMENTS = re.compile(
    rb"<(note|barline|attributes|harmony)\b.*?</\1>|<([a-z-]+)[^<>]*>[^<>]*</\2>|<[^<>]*/>", re.DOTALL
)


def change_elements(data: bytes, chance: random.Random) -> bytes:
    """Remove, repeat or exchange XML elements, which stays well-formed."""
    elements = list(re.finditer(ELEMENTS, data))
    if not elements:
        return data
    one, other = chance.choice(elements), chance.choice(elements)
    instead = chance.choice([b"", one[0] * 2, one[0] * 100, other[0], other[0] + one[0]])
    return data[: one.start()] + instead + data[one.end() :]


def nest(data: bytes, chance: random.Random) -> bytes:
    tags = list(re.finditer(rb"<[a-z-]+[^>/]*>|[(\[{|:\"]", data))
    if not tags:
        return data
    tag = chance.choice(tags)
    return data[: tag.start()] + tag[0] * chance.choice([10, 3000]) + data[tag.end() :]


SIGNS = (
    b"(&", b"&)", b"&", b"&&", b":::", b"::", b"[1", b"|2", b"|:", b"\n\n", b"\nP:A\n", b"[V:2]", b"\nV:*\n", b"(3:2:7",
    b"!D.S. al Coda!", b"!coda!", b"[Q:1/4 1/8=50]", b"\n%%MIDI drummap c 36\n", b"[K:F clef=perc]", b"sep=;\n",
    b'"', b"\\", b"\xff\xfe", b"\xef\xbb\xbf", b"\xff\x51\x00", b"\xf0\x02\x00\xf7", b"\xf8", b"\xb0\x7b\x00", b"MTrk",
    b"\xff\x2f\x00",
)  # fmt: skip


def insert_signs(data: bytes, chance: random.Random) -> bytes:
    """Insert signs that mean something to a reader, where they may make no sense."""
    for _ in range(chance.choice([1, 3])):
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.choice(SIGNS) + data[at:]
    return data


MUTATIONS = (
    insert_signs, insert_signs,
    flip_bits, flip_bits, truncate, remove_bytes, insert_noise, repeat_bytes, swap_bytes, insert_huge_number,
    insert_huge_number, change_lines, change_lines, change_lines, insert_huge_number, insert_huge_size, nest,
)  # fmt: skip


WELL_FORMED_MUTATIONS = (change_elements, change_elements, insert_huge_number)
