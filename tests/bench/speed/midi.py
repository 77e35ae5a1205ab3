"""Speed of reading and encoding MIDI files, compared with music21.

    python tests/bench/speed/midi.py [PATHS...] [--sample 12]

Without paths, uses 40 generated files as long as a folk song with chords. music21 reads a sample; between two of its
files, composer reads and encodes a share of all files, as `composer train` does, up to the arrays on disk. Compares
medians per file.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

from composer.api import Note, Part, Piece, Source
from composer.api import Score as Music
from composer.data.encoded_split import pack_piece
from composer.formats import write
from composer.formats.midi.reader import read_midi
from composer.registry import plugins as registry


def main(arguments: list[str] | None = None) -> None:
    """Print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--sample", type=int, default=12)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        paths = options.paths or [make_files(Path(folder))]
        files = [file for path in paths for file in (sorted(path.rglob("*.mid")) if path.is_dir() else [path])]
        compare(files, options.sample)


def compare(files: list[Path], sample: int) -> None:
    """Time music21 on some of the files and composer on all, in turn."""
    from music21 import converter

    work_by_name = {"read": read} | {name: encoder(name) for name in ("grid", "pianoroll")}
    sampled = files[:: -(-len(files) // sample)]
    print(f"MIDI: {len(files)} files, of which {len(sampled)} are read by music21 too; medians per file")
    music21_times: list[float] = []
    times: dict[str, list[float]] = {name: [] for name in work_by_name}
    for turn, file in enumerate(sampled):
        music21_times.append(seconds(partial(converter.parse, str(file), format="midi", forceSource=True)))
        gc.collect()  # so that music21's garbage is not collected in the other measurement
        for name, work in work_by_name.items():
            times[name] += [seconds(partial(work, one)) for one in files[turn :: len(sampled)]]
    parsed = statistics.median(music21_times)
    print(f"  music21            {1000 * parsed:8.2f} ms")
    for name, each in times.items():
        median = statistics.median(each)
        print(f"  {name:18} {1000 * median:8.3f} ms, 1/{parsed / median:.0f} of music21")


def read(file: Path) -> object:
    """Read a score."""
    return read_midi(file.read_bytes(), file.name)


def encoder(name: str) -> Callable[[Path], object]:
    """Return a function that reads and encodes a file, as a dataset does."""
    representation = registry.representation(name)()
    representation.restore({"pitches": list(range(128))})
    spec = representation.spec

    def work(file: Path) -> object:
        pieces = (piece for piece in representation.read(Source(file)) if isinstance(piece, Piece))
        return [pack_piece(representation, piece, spec) for piece in pieces]

    return work


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of `work`, which other programs affect less than elapsed time."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def make_files(folder: Path) -> Path:
    """A folder of songs: a melody of eighths, and a chord to each half bar."""
    generator = random.Random(0)
    for number in range(40):
        length = 8 * generator.randrange(16, 48)
        melody = tuple(Note(Fraction(n, 2), generator.randrange(60, 80), Fraction(1, 2)) for n in range(2 * length))
        chords = (Note(Fraction(2 * n), 48 + 4 * k, Fraction(2)) for n in range(length // 2) for k in range(3))
        (folder / f"{number:02}.mid").write_bytes(write("midi", Music((Part(melody), Part(tuple(chords))))))
    return folder


if __name__ == "__main__":
    main()
