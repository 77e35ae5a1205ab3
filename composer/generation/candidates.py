"""Each piece is the best of several candidates, which are generated side by side.

Candidate 1 has the seed of the piece and the others have seeds derived from it, so that pieces with other seeds have
other candidates. The choice does not depend on the order in which candidates finish, hence not on the batch size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from composer.api import Step
from composer.generation.request import Finished, Generated, PieceQueue


class Verdict(NamedTuple):
    """How good a candidate is: the highest `key` is best. With `enough`, no later candidate is looked at."""

    key: tuple[float, ...]
    enough: bool = False


Judge = Callable[[Sequence[Step], Sequence[float], str], Verdict]
"""Judges a candidate by its steps, the log-probabilities of those that were sampled, and its plan."""


@dataclass(slots=True)
class _Contest:
    """The candidates of one piece that are `waiting` to finish, and key, negative number and events of the best."""

    waiting: set[int]
    best: tuple[tuple[float, ...], int] = ((), 0)
    events: list[Generated | Finished] = field(default_factory=list)


def choose_candidates(
    events: Iterable[Generated | Finished], judge: Judge, queue: PieceQueue
) -> Iterator[Generated | Finished]:
    """Yield the events of the best candidate of each piece, under the number of the piece.

    The first candidate that is good enough wins: those after it are cancelled. If there is none, the one with the
    highest key wins, the first of several; rejected and truncated ones come last.
    """
    contests, unfinished = dict[int, _Contest](), dict[int, list[Generated]]()
    for event in events:
        if isinstance(event, Generated):
            unfinished.setdefault(event.number, []).append(event)
            continue
        generated, number = unfinished.pop(event.number, []), event.number
        if queue.forget_cancelled(number):
            continue
        piece = queue.piece(number)
        contest = contests.setdefault(piece, _Contest(set(queue.candidates_of(piece))))
        contest.waiting.discard(number)
        verdict = _verdict(event, generated, judge)
        if (verdict.key, -number) > contest.best:
            contest.best, contest.events = (verdict.key, -number), [*generated, event]
        if verdict.enough:
            later = {each for each in contest.waiting if each > number}
            queue.cancel(later)
            for each in later:
                unfinished.pop(each, None)
            contest.waiting -= later
        if not contest.waiting:
            del contests[piece]
            yield from _renumbered(contest.events, piece, queue.first_seed(-contest.best[1]))


def _renumbered(events: Iterable[Generated | Finished], piece: int, seed: int) -> Iterator[Generated | Finished]:
    """Yield the events of a candidate, which has this seed, as those of its piece."""
    for event in events:
        if isinstance(event, Generated):
            yield event._replace(number=piece, own_seed=seed)
        else:
            yield event._replace(number=piece)


def _verdict(event: Finished, generated: Sequence[Generated], judge: Judge) -> Verdict:
    """Judge a candidate; the first number of the key puts rejected ones last, then truncated ones."""
    if not event.accepted:
        return Verdict((0.0,))
    steps = [step for each in generated for step in each.steps]
    logp = [value for each in generated if each.sampled for value in each.logp]
    found = judge(steps, logp, generated[-1].plan if generated else "")
    if found.enough and event.complete:
        return Verdict((3.0,), enough=True)
    return Verdict((1.0 + event.complete, *found.key))
