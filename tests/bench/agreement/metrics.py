"""Compare the metrics of `composer.analysis.statistics` with MusPy's on real files.

    pip install muspy
    python tests/bench/agreement/metrics.py FILES... [--pieces 100]

Both get the same notes. For each metric, print how many pieces were compared, how many results agree to nine digits
and, if some do not, the largest difference. Bars are compared in pieces with one meter and no pickup, and grooves if
all notes are on 24 ticks per beat: MusPy's definitions cover no others.

Two deviations of MusPy 0.5.0 from its documentation are corrected. It counts a note in the beat at whose beginning the
note ends, and an extra beat if the piece ends with one, so notes are shortened. Its polyphony rate counts more pitches
than the threshold, which is 2, so 1 is passed.
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
"""Maximum ticks per beat; with more, MusPy's arrays would fill the memory."""

Measured = float | None


def main() -> None:
    """Print a line for each metric."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--pieces", type=int, default=100)
    given = parser.parse_args()
    for allowed in dict.fromkeys(allowed for _, allowed in METRICS.values()):
        found = list(islice(filter(allowed, pieces(given.files)), given.pieces))
        for name, (theirs, of) in METRICS.items():
            if of is allowed:
                ours = getattr(statistics, name)
                report(name, [(ours(ScoreFeatures(score)), _or_none(theirs(score))) for score in found])


def pieces(files: list[str]) -> Iterator[Score]:
    """Yield the scores in `files` that can be expressed in ticks."""
    for source in sources(files, MUSIC_SUFFIXES):
        if isinstance(source, ReadError):
            continue
        for _, music in read_scores(source):
            if isinstance(music, Score) and music.notes and ticks(music) <= FINEST:
                yield music


def report(name: str, pairs: list[tuple[Measured, Measured]]) -> None:
    """Print how often both results agree."""
    apart = [math.inf if a is None or b is None else abs(a - b) for a, b in pairs if a != b]
    beyond = [each for each in apart if each > SAME]
    most = f", at most {max(beyond):.4f} apart" if beyond else ""
    print(f"{name:20} {len(pairs) - len(beyond):4} of {len(pairs)} the same{most}")


def ticks(score: Score) -> int:
    """Return the ticks per beat, a multiple of 24, that all notes need."""
    notes = [note for part in score.parts for note in part.notes]
    return math.lcm(statistics.GROOVE, *(time.denominator for note in notes for time in (note.onset, note.duration)))


def in_bars(score: Score) -> bool:
    """Whether all bars have the same length."""
    return not score.pickup and len(score.meters) < 2


def in_places(score: Score) -> bool:
    """Whether all bars have the same length and all notes are on MusPy's default grid."""
    return in_bars(score) and ticks(score) == statistics.GROOVE


def music(score: Score, short: int = 0) -> muspy.Music:
    """Return a score for MusPy, with each note shortened by `short` ticks."""
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
    """Return the ticks per bar."""
    return int(ticks(score) * (score.meters[0] if score.meters else COMMON_TIME).bar)


def _or_none(value: float) -> Measured:
    return None if math.isnan(value) else float(value)


def _any(score: Score) -> bool:
    return True


METRICS: dict[str, tuple[Callable[[Score], float], Callable[[Score], bool]]] = {
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
"""MusPy's metric for each of ours, and the pieces for which they are compared."""


if __name__ == "__main__":
    main()
