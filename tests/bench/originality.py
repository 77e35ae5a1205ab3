"""How many tunes share a run of notes with another of their collection, and how many composed ones do.

    python tests/bench/originality.py corpus:oneills1850 ... [--composed tunes.abc ...] [--notes 16]
    python tests/bench/originality.py MODEL.safetensors [--composed tunes.abc ...]

Of a collection, or of what a model was taught, each tune is compared with all others; composed tunes with all of it.
Prints the shares, the median of the longest runs, the size of the melodies, and how long making and searching takes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from composer.analysis.copying import COPIED, MelodyIndex, longest_run_of
from composer.checkpoints.training_melodies import training_melodies
from composer.data.score_reader import ScoreReader
from composer.data.sources import sources
from composer.formats.read import MUSIC_SUFFIXES
from composer.music.contour import Contour, MelodyCollection


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="+")
    parser.add_argument("--composed", nargs="+", default=[])
    parser.add_argument("--notes", type=int, default=COPIED)
    given = parser.parse_args()
    begin = time.process_time()
    melodies = heard(given.corpus)
    took = time.process_time() - begin
    count, size = len(melodies.notes.intervals), len(melodies.to_bytes())
    print(f"{len(melodies.tunes):,} tunes, {count:,} notes: read and taken in {took:.1f} s; {size:,} bytes")
    begin = time.process_time()
    index = MelodyIndex(melodies)
    longest_run_of(next(iter(melodies))[1], index)
    print(f"made ready in {1000 * (time.process_time() - begin):.0f} ms")
    own = ((notes, number) for number, (_, notes) in enumerate(melodies))
    report("of the collection, beside the others", own, index, given.notes)
    if given.composed:
        composed = ((notes, None) for _, notes in heard(given.composed))
        report("composed, beside the collection", composed, index, given.notes)


def heard(arguments: Sequence[str]) -> MelodyCollection:
    """The melodies of all tunes that `arguments` name, or that a model was taught."""
    if arguments[0].endswith(".safetensors"):
        return training_melodies(Path(arguments[0])) or MelodyCollection.joined([])
    return ScoreReader(sources(arguments, MUSIC_SUFFIXES)).melodies()


def report(what: str, tunes: Iterable[tuple[Contour, int | None]], index: MelodyIndex, notes: int) -> None:
    """Compare each melody with all but the one whose number stands beside it."""
    begin = time.process_time()
    found = [longest_run_of(each, index, but) for each, but in tunes]
    took = 1000 * (time.process_time() - begin) / len(found)
    runs = [match.notes if match else 1 for match in found]
    share = 100 * sum(run >= notes for run in runs) / len(runs)
    median = statistics.median(runs)
    print(f"{what}: {share:.1f} % of {len(runs)} share {notes} notes, median {median:g}; {took:.2f} ms each")


if __name__ == "__main__":
    main()
