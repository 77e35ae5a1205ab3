"""Whether the measures of `composer.analysis.statistics` are those of MusPy, on real files.

    pip install muspy
    python tests/bench/measures.py FILES... [--pieces 100]

Both are given the same notes. Prints for each measure how many pieces were compared, in how many both figures are the
same to nine digits and, where some are not, how far they are apart. Bars are compared where there is one meter and no
upbeat, and grooves where all notes are on 24 ticks to a beat: of others, MusPy's definitions do not speak.

In two things MusPy 0.5.0 is made to do what it documents. It takes a note to sound in the beat at whose beginning it
ends, and a piece that ends with a beat to have one more, so it is told when each note sounds last. Of the rate of
polyphony it counts more pitches than its threshold, which is 2, so it is told 1.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from itertools import islice

import muspy

from composer.analysis import statistics
from composer.analysis.score_features import ScoreFeatures
from composer.api import ReadError, Score
from composer.data.sources import sources
from composer.formats.read import MUSIC_SUFFIXES, read_scores
from composer.music.bars import COMMON_TIME

SAME = 1e-9
FINEST = 100_000
"""Of pieces with shorter ticks in a beat, MusPy's arrays would fill the memory."""

Measured = float | None


def main() -> None:
    """Print a line for each measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--pieces", type=int, default=100)
    given = parser.parse_args()
    for allowed in dict.fromkeys(allowed for _, allowed in MEASURES.values()):
        found = list(islice(filter(allowed, pieces(given.files)), given.pieces))
        for name, (theirs, of) in MEASURES.items():
            if of is allowed:
                ours = getattr(statistics, name)
                report(name, [(ours(ScoreFeatures(score)), _told(theirs(score))) for score in found])


def pieces(files: list[str]) -> Iterator[Score]:
    """The scores in `files`, as far as they can be had in ticks."""
    for source in sources(files, MUSIC_SUFFIXES):
        if isinstance(source, ReadError):
            continue
        for _, music in read_scores(source):
            if isinstance(music, Score) and music.notes and ticks(music) <= FINEST:
                yield music


def report(name: str, pairs: list[tuple[Measured, Measured]]) -> None:
    """Say how often both figures are the same."""
    apart = [math.inf if None in pair else abs(pair[0] - pair[1]) for pair in pairs if pair[0] != pair[1]]
    beyond = [each for each in apart if each > SAME]
    most = f", at most {max(beyond):.4f} apart" if beyond else ""
    print(f"{name:20} {len(pairs) - len(beyond):4} of {len(pairs)} the same{most}")


def ticks(score: Score) -> int:
    """In how many ticks to a beat all notes can be told, 24 or a multiple of that."""
    notes = [note for part in score.parts for note in part.notes]
    return math.lcm(statistics.GROOVE, *(time.denominator for note in notes for time in (note.onset, note.duration)))


def in_bars(score: Score) -> bool:
    """Whether all bars are alike."""
    return not score.pickup and len(score.meters) < 2


def in_places(score: Score) -> bool:
    """Whether all bars are, and all notes are where MusPy looks for them by default."""
    return in_bars(score) and ticks(score) == statistics.GROOVE


def music(score: Score, short: int = 0) -> muspy.Music:
    """The notes of a score as MusPy has them, each by `short` ticks shorter."""
    resolution = ticks(score)
    tracks = [
        muspy.Track(
            part.program,
            part.percussion,
            notes=[
                muspy.Note(int(resolution * note.onset), note.pitch, int(resolution * note.duration) - short)
                for note in part.notes
            ],
        )
        for part in score.parts
    ]
    return muspy.Music(resolution=resolution, tracks=tracks)


def bar(score: Score) -> int:
    """Ticks to a bar."""
    return int(ticks(score) * (score.meters[0] if score.meters else COMMON_TIME).bar)


def _told(value: float) -> Measured:
    return None if math.isnan(value) else float(value)


def _any(score: Score) -> bool:
    return True


MEASURES: dict[str, tuple[Callable[[Score], float], Callable[[Score], bool]]] = {
    "pitches_used": (lambda score: muspy.n_pitches_used(music(score)), _any),
    "pitch_classes_used": (lambda score: muspy.n_pitch_classes_used(music(score)), _any),
    "pitch_range": (lambda score: muspy.pitch_range(music(score)), _any),
    "pitch_entropy": (lambda score: muspy.pitch_entropy(music(score)), _any),
    "pitch_class_entropy": (lambda score: muspy.pitch_class_entropy(music(score)), _any),
    "scale_consistency": (lambda score: muspy.scale_consistency(music(score)), _any),
    "polyphony": (lambda score: muspy.polyphony(music(score)), _any),
    "polyphony_rate": (lambda score: muspy.polyphony_rate(music(score), threshold=1), _any),
    "empty_beat_rate": (lambda score: muspy.empty_beat_rate(music(score, 1)), _any),
    "empty_bar_rate": (lambda score: muspy.empty_measure_rate(music(score, 1), bar(score)), in_bars),
    "groove_consistency": (lambda score: muspy.groove_consistency(music(score, 1), bar(score)), in_places),
}
"""MusPy's measure for each of ours, and of which pieces they are compared."""


if __name__ == "__main__":
    main()
