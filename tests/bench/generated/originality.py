"""Count tunes that share a run of notes with others of their collection, and generated tunes that do.

    python tests/bench/generated/originality.py corpus:oneills1850 ... [--generated tunes.abc ...] [--notes 16]
    python tests/bench/generated/originality.py MODEL.safetensors [--generated tunes.abc ...]

Each tune of a collection, or of a model's training data, is compared with all others; generated tunes with all of it.
Print shares, medians of the longest runs, the size of the melodies, and the times of indexing and searching.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from composer.analysis.copying import COPIED, longest_run_of
from composer.analysis.melody_search import MelodyIndex
from composer.checkpoints.file import load
from composer.checkpoints.training_melodies import training_melodies
from composer.data.score_reader import ScoreReader
from composer.data.sources import sources
from composer.formats.read import MUSIC_SUFFIXES
from composer.music.contour import Contour, MelodyCollection


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="+")
    parser.add_argument("--generated", nargs="+", default=[])
    parser.add_argument("--notes", type=int, default=COPIED)
    given = parser.parse_args()
    begin = time.process_time()
    melodies = read_melodies(given.corpus)
    took = time.process_time() - begin
    count, size = len(melodies.notes.intervals), len(melodies.to_bytes())
    print(f"{len(melodies.tunes):,} tunes, {count:,} notes: read in {took:.1f} s; {size:,} bytes")
    begin = time.process_time()
    index = MelodyIndex(melodies)
    longest_run_of(next(iter(melodies))[1], index)
    print(f"indexed in {1000 * (time.process_time() - begin):.0f} ms")
    own = ((notes, number) for number, (_, notes) in enumerate(melodies))
    report("collection", own, index, given.notes)
    if given.generated:
        generated = ((notes, None) for _, notes in read_melodies(given.generated))
        report("generated", generated, index, given.notes)


def read_melodies(arguments: Sequence[str]) -> MelodyCollection:
    """Return the melodies of all tunes that `arguments` name, or of a model's training data."""
    if arguments[0].endswith(".safetensors"):
        return training_melodies(load(Path(arguments[0])).extra, arguments[0]) or MelodyCollection.joined([])
    return ScoreReader(sources(arguments, MUSIC_SUFFIXES)).melodies()


def report(name: str, tunes: Iterable[tuple[Contour, int | None]], index: MelodyIndex, notes: int) -> None:
    """Compare each melody with all others; `tunes` are melodies and their numbers in the index."""
    begin = time.process_time()
    found = [longest_run_of(each, index, number) for each, number in tunes]
    took = 1000 * (time.process_time() - begin) / len(found)
    runs = [match.notes if match else 1 for match in found]
    share = 100 * sum(run >= notes for run in runs) / len(runs)
    median = statistics.median(runs)
    print(f"{name}: {share:.1f} % of {len(runs)} share {notes} notes, median {median:g}; {took:.2f} ms each")


if __name__ == "__main__":
    main()
