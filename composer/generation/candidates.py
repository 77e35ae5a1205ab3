"""Each piece is the best of several candidates, which are generated one after the other until one is good enough.

Candidate 1 has the seed of the piece and the others have seeds derived from it, so that pieces with other seeds have
other candidates, and a piece stays a function of its own seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from composer.api import Step
from composer.generation.request import Chosen, Finished, Generated, PieceQueue


class Verdict(NamedTuple):
    """How good a candidate is: the highest `key` is best. With `enough`, no other candidate is generated.

    One that is not `usable` is only taken if all are so.
    """

    key: tuple[float, ...]
    enough: bool = False
    usable: bool = True


Judge = Callable[[Sequence[Step], Sequence[float], str], Verdict]
"""Judges a candidate by its steps, the log-probabilities of those that were sampled, and its plan."""


class _Best(NamedTuple):
    """The best candidate of a piece so far."""

    key: tuple[float, ...]
    events: Sequence[Generated | Finished]
    chosen: Chosen


def choose_candidates(
    events: Iterable[Generated | Finished], judge: Judge, queue: PieceQueue
) -> Iterator[Generated | Finished]:
    """Yield the events of the first candidate of each piece that is good enough, else of the best.

    Of equals the first is best. Rejected and truncated candidates come last. The next candidate of a piece is queued
    before other pieces.
    """
    best, unfinished = dict[int, _Best](), dict[int, list[Generated]]()
    for event in events:
        if isinstance(event, Generated):
            unfinished.setdefault(event.number, []).append(event)
            continue
        number, generated = event.number, unfinished.pop(event.number, [])
        verdict = _verdict(event, generated, judge)
        if number not in best or verdict.enough or verdict.key > best[number].key:
            chosen = generated[-1].chosen if generated else None
            best[number] = _Best(verdict.key, (*generated, event), chosen or queue.current_candidate(number))
        if not verdict.enough and queue.next_candidate(number):
            continue
        _, events, chosen = best.pop(number)
        queue.forget_candidates(number)
        for each in events:
            yield each._replace(chosen=chosen) if isinstance(each, Generated) else each


def _verdict(event: Finished, generated: Sequence[Generated], judge: Judge) -> Verdict:
    """Judge a candidate; the first number of the key puts rejected and unusable ones last, then truncated ones."""
    if not event.accepted:
        return Verdict((0.0,))
    steps = [step for each in generated for step in each.steps]
    logp = [value for each in generated if each.sampled for value in each.logp]
    found = judge(steps, logp, generated[-1].plan if generated else "")
    if not found.usable:
        return Verdict((0.0,))
    return Verdict((1.0 + event.complete, *found.key), found.enough and event.complete)
