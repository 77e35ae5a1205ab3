"""Round notes to the grid: leave out the ornaments, count what changes, and refuse a piece that loses its rhythm."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from composer.toolkit.representations.steps import SLACK, NotEncodable, nearest_step

MAX_LOST_TIME = Fraction(1, 10)
"""The largest share of the sounding time that the notes left out may take.

A piece with grace notes before every note loses about 1/20 of it, one that runs in notes of half a step loses half.
"""

_BOUNDS = (Fraction(1, 6), Fraction(1, 3), Fraction(1, 2))
"""How far notes are moved is given as one of these numbers of steps, so that the counts of many pieces add up."""

TICK = Fraction(1, 32)
"""Tolerance in steps: some programs start each note a tick late."""

LEFT_OUT, LENGTHENED = "notes too short for the grid left out", "short notes lengthened to one step"

_Array = NDArray[np.int64]


class RoundedNotes(NamedTuple):
    """`starts` and `lengths` in steps of the notes that are `kept`, a mask of all, and losses by phrase."""

    starts: _Array
    lengths: _Array
    kept: NDArray[np.bool_]
    losses: dict[str, int]


def round_notes(
    starts: _Array, ends: _Array, pitches: _Array, parts: _Array, unit: int, steps: int | Fraction
) -> RoundedNotes:
    """Return notes on a grid of `steps` per beat; `starts` and `ends` (n,) are in units, of which a step has `unit`.

    Every note moves to the nearest step, of two the earlier one, and lasts at least one step. So a note after a grace
    note of half a step moves onto the beat. Notes of one of the `parts` (n,) that sound one after
    another must also start one after another. If several of them fall on one step, only the longest stays. The others,
    each shorter than a step, are ornaments, such as grace notes; they are left out and counted. If they take more
    than MAX_LOST_TIME of the sounding time, they are no ornaments, and the piece has lost its rhythm: NotEncodable is
    raised. Notes that overlap, such as those of a broken chord, stay together as a chord.
    """
    first, last = _nearest_step_down(starts, unit), _nearest_step_down(ends, unit)
    start_moves, end_moves = np.abs(starts - first * unit), np.abs(ends - last * unit)
    ornaments = _find_ornaments(starts, ends, pitches, parts << 32 | first, start_moves, unit)
    lost, total = int((ends - starts)[ornaments].sum()), int((ends - starts).sum())
    if lost > MAX_LOST_TIME * total:
        raise NotEncodable(
            "rhythm lost on the grid",
            f"{np.count_nonzero(ornaments):,} of {len(starts):,} notes would fall on the same step as another",
            "use a finer grid, or other music",
        )
    kept = ~ornaments
    first, lengths = first[kept], (last - first)[kept]
    lengthened = lengths < 1
    moves = np.maximum(start_moves[kept], np.where(lengthened, 0, end_moves[kept]))
    moved = moves * SLACK.denominator > SLACK.numerator * unit
    losses = {
        LEFT_OUT: int(np.count_nonzero(ornaments)),
        _moved_phrase(int(moves.max(initial=0)), unit, steps): int(np.count_nonzero(moved)),
        LENGTHENED: int(np.count_nonzero(lengthened)),
    }
    return RoundedNotes(
        first, np.maximum(lengths, 1), kept, {phrase: count for phrase, count in losses.items() if count}
    )


def _nearest_step_down(times: _Array, unit: int) -> _Array:
    """Return the nearest steps, with halves, and what is up to TICK later, rounded down."""
    scale, late = TICK.denominator, TICK.numerator
    return -nearest_step(late * unit - scale * times, scale * unit)


def _find_ornaments(
    starts: _Array, ends: _Array, pitches: _Array, places: _Array, moves: _Array, unit: int
) -> NDArray[np.bool_]:
    """Return a mask of the notes that do not overlap the longest note at their place, a step of a part.

    Of equally long ones, the one nearest to the step counts as the longest, then the earliest, then the highest.
    """
    found = np.zeros(len(starts), np.bool_)
    slack = unit * SLACK.numerator // SLACK.denominator
    # of two notes that start on one step at different times, at least one starts off the grid
    [crowded] = np.isin(places, places[moves > 0]).nonzero()
    if len(np.unique(places[crowded])) == len(crowded):
        return found
    columns = (-pitches, starts, moves, starts - ends, places)  # the last is the first to sort by
    crowded = crowded[np.lexsort([column[crowded] for column in columns])]
    starts, ends, places = starts[crowded], ends[crowded], places[crowded]
    is_longest = np.append(True, places[1:] != places[:-1])
    group = np.cumsum(is_longest) - 1
    longest_starts, longest_ends = starts[is_longest][group], ends[is_longest][group]
    before = (starts < longest_starts) & (ends <= longest_starts + slack)
    after = (starts > longest_starts) & (starts >= longest_ends - slack)
    found[crowded] = before | after
    return found


def _moved_phrase(move: int, unit: int, steps: int | Fraction) -> str:
    """Return the phrase for notes that move by at most `move` units."""
    bound = next(bound for bound in _BOUNDS if move <= (bound + TICK) * unit) / steps
    return f"notes moved to the grid by up to {bound} beat{'s' * (bound > 1)}"
