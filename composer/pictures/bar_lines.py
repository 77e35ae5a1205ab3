"""The bar lines of pictures and pages, which are those of the music as written."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction

from composer.api import Notation, Score
from composer.music.bars import COMMON_TIME, Bar, bars, moved_bar_lines


def drawn_bars(score: Score) -> Sequence[Bar]:
    """Return the bars of `score` as played, to its end.

    Where bars do not fill the meter, as in a part with a pickup that no bar completes, they are those of the notation.
    """
    if moved_bar_lines(score) and score.notation is not None and (found := _written_bars(score, score.notation)):
        return found
    return [*bars(score)]


def _written_bars(score: Score, notation: Notation) -> Sequence[Bar]:
    """Return the bars of the notation as played; none if they leave gaps, or end before the music."""
    meters = sorted(meter for meter in score.meters if meter.bar > 0)
    found = list[Bar]()
    end = Fraction(0)
    for onset, bar in sorted((onset, each) for each in notation.bars for onset in each.onsets):
        if onset >= score.duration:
            break
        if onset != end or bar.length <= 0:
            return ()
        at = bisect_right(meters, onset, key=lambda meter: meter.onset)
        end += bar.length
        found.append(Bar(len(found) + 1, onset, end, meters[at - 1] if at else COMMON_TIME, bar.number))
    return found if end >= score.duration else ()
