"""Reading and encoding MIDI files beside music21, which many programs read them with.

    python tests/bench/midi.py [PATHS...] [--sample 12]

Without paths: 40 files made here, as long as a folk song with chords. music21 reads a sample; between two files of it,
ours reads and encodes its share of all files, as `composer train` does, up to the arrays that are written to the disk.
Medians per file count.
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
from pathlib import Path

from composer.api import Note, Part, Piece, Source
from composer.api import Score as Music
from composer.data.encoded_split import packed
from composer.formats import write
from composer.formats.midi import reader as midi_reader
from composer.registry import plugins as registry


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--sample", type=int, default=12)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        paths = given.paths or [made(Path(folder))]
        files = [file for path in paths for file in (sorted(path.rglob("*.mid")) if path.is_dir() else [path])]
        compare(files, given.sample)


def compare(files: list[Path], sample: int) -> None:
    """Time music21 on some of the files, and ours on all, in turn."""
    from music21 import converter

    ours = {"read": read} | {name: encoder(name) for name in ("grid", "pianoroll")}
    taken = files[:: -(-len(files) // sample)]
    print(f"MIDI: {len(files)} files, of which {len(taken)} are read by music21 too; medians per file")
    theirs, times = [], {name: [] for name in ours}
    for turn, file in enumerate(taken):
        theirs.append(seconds(lambda file=file: converter.parse(str(file), format="midi", forceSource=True)))
        gc.collect()  # what music21 leaves behind is not to be swept up in our turn
        for name, work in ours.items():
            times[name] += [seconds(lambda work=work, one=one: work(one)) for one in files[turn :: len(taken)]]
    parsed = statistics.median(theirs)
    print(f"  music21            {1000 * parsed:8.2f} ms")
    for name, each in times.items():
        middle = statistics.median(each)
        print(f"  {name:18} {1000 * middle:8.3f} ms, 1/{parsed / middle:.0f} of music21")


def read(file: Path) -> object:
    """A score."""
    return midi_reader.read(file.read_bytes(), file.name)


def encoder(name: str) -> Callable[[Path], object]:
    """Read a file and encode what is in it, as an encoding on the disk has it."""
    representation = registry.representation(name)()
    representation.restore({"pitches": list(range(128)), "conditions": {}})
    spec = representation.spec

    def work(file: Path) -> object:
        pieces = (piece for piece in representation.read(Source(file)) if isinstance(piece, Piece))
        return [packed(representation, piece, spec) for piece in pieces]

    return work


def seconds(work: Callable[[], object]) -> float:
    """How much of the processor's time `work` takes; other programs would cost the longer of two works more."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def made(folder: Path) -> Path:
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
