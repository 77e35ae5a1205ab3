"""Find test pieces that share a run of melody with a training piece, and so may be remembered rather than predicted.

A run is 24 consecutive intervals of the top voice: the highest pitch of each frame, without repetitions and silent
frames. Intervals are compared, so transposed tunes are found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

RUN = 24

Roll = Sequence[Sequence[float]]
"""Frames (T, 88), each above 0 where a pitch sounds."""


def alone(train: Iterable[Roll], test: Sequence[Roll]) -> list[int]:
    """Return the numbers, from 0, of the test pieces that share no run with any training piece."""
    known = {run for roll in train for run in runs(roll)}
    return [number for number, roll in enumerate(test) if not runs(roll) & known]


def runs(roll: Roll) -> set[tuple[int, ...]]:
    """Return all runs of a piece."""
    steps = [after - before for before, after in pairwise(_top_voice(roll))]
    return {tuple(steps[begin : begin + RUN]) for begin in range(len(steps) - RUN + 1)}


def _top_voice(roll: Roll) -> list[int]:
    voice: list[int] = []
    for frame in roll:
        highest = max((column for column, on in enumerate(frame) if on), default=None)
        if highest is not None and voice[-1:] != [highest]:
            voice.append(highest)
    return voice
