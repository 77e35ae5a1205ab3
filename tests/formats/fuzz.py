"""Read mutated files of every format: each gives pieces, rejections or one ReadError, quickly and in little memory.

    python tests/formats/fuzz.py [--count 300 | --seconds 60] [--only .abc] [--seed 0] [FILE ...]

Mutates the FILEs, or small built-in ones, so often or for so long. Prints per suffix how many were read, rejected and
errors, the longest time, and the growth of memory. Exits with 1, and names the files, for any other outcome.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from fuzz_mutations import mutate
from fuzz_originals import originals

from composer.api import Piece, ReadError, RejectedPiece, Representation, Source

MAX_SECONDS = 5.0
"""CPU time per file."""
MAX_GROWTH = 500 * 1024 * 1024
MEMORY_LIMIT = 3 * 1024 * 1024 * 1024
"""Of this process, so that no mutation takes the whole machine."""


NOTES = ("pianoroll", "grid")
"""Representations that read files of every format."""


class TooLong(BaseException):
    """Raised by the alarm; a BaseException, so that readers do not catch it."""


def main() -> int:
    """Mutate and read files, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=300, help="mutations of each kind")
    parser.add_argument("--seconds", type=float, help="time for each kind, instead of a number")
    parser.add_argument("--only", default="", help="one suffix")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    kinds: dict[str, list[bytes]] = {}
    for name, data in [(path.name, path.read_bytes()) for path in given.files] or originals().items():
        if given.only in ("", Path(name).suffix):
            kinds.setdefault(Path(name).suffix, []).append(data)
    signal.signal(signal.SIGPROF, too_long)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT, MEMORY_LIMIT))
    broken = 0
    with tempfile.TemporaryDirectory() as home:
        os.environ["COMPOSER_HOME"] = home
        for suffix, files in kinds.items():
            for data in files[:3]:
                outcome(suffix, data)  # libraries loaded for the first files are not growth
            end = float("inf") if given.seconds is None else time.monotonic() + given.seconds
            count = given.count if given.seconds is None else sys.maxsize
            broken += fuzz(suffix, files, count, end, f"{given.seed}{suffix}")
    return 1 if broken else 0


def fuzz(suffix: str, files: list[bytes], count: int, end: float, seed: str) -> int:
    """Read up to `count` mutations until the time `end`, print a line, and return the number of other outcomes."""
    before, slowest, broken, chance = memory(), 0.0, 0, random.Random(seed)
    outcomes: Counter[str] = Counter()
    for number in range(count):
        if time.monotonic() > end:
            break
        data = mutate(chance.choice(files), chance)
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
        try:
            outcomes[outcome(suffix, data)] += 1
        except (Exception, TooLong) as error:
            broken += 1
            kept = Path(tempfile.gettempdir(), f"fuzz-{number}-{seed}")
            kept.write_bytes(data)
            print(f"BROKEN {kept}: {type(error).__name__}: {error}")
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        slowest = max(slowest, time.process_time() - began)
    growth = memory() - before
    print(f"{suffix:10} {dict(outcomes)}, slowest {slowest:.2f} s, {growth / 2**20:.0f} MB more")
    return broken + (growth > MAX_GROWTH)


def outcome(suffix: str, data: bytes) -> str:
    """Return whether `data` was `read`, `rejected` or an `error`."""
    source = Source(Path(f"a{suffix}"), name=f"a{suffix}", data=data)
    try:
        items = list(items_of(source, suffix))
    except ReadError as error:
        if "\n" in error.message or not error.message or not error.hint:
            raise ValueError(f"not one line and a hint: {error.message!r}, {error.hint!r}") from error
        return "error"
    return "read" if any(not isinstance(item, RejectedPiece) for item in items) else "rejected"


def items_of(source: Source, suffix: str) -> Iterator[object]:
    """Read with every representation for this suffix."""
    for reader in representations(suffix):
        for item in reader.read(source):
            yield item
            if isinstance(item, Piece) and reader.name in NOTES:
                reader.fit([item])
                reader.encode(item)


def representations(suffix: str) -> Iterator[Representation]:
    """Yield the representations that read such files, and import no others."""
    names = ("text",) if suffix in {".csv", ".txt"} else (*NOTES, "abc") if suffix == ".abc" else NOTES
    for name in names:
        yield getattr(importlib.import_module(f"composer_{name}"), name.capitalize())()


def memory() -> int:
    """Return the peak memory of this process in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def too_long(*_: object) -> None:
    """Handle the alarm."""
    raise TooLong(f"more than {MAX_SECONDS:g} s")


if __name__ == "__main__":
    sys.exit(main())
