"""Rankings of generated candidates, for `composer gen --rank-by`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from composer.api.score import Score

__all__ = ["Rank", "Ranking"]


class Rank(NamedTuple):
    """How good a piece is: the highest `key` is best; `text` says it in a few words.

    If it is `good_enough`, the default choice among a few candidates does not look for a better one.
    """

    key: tuple[float, ...]
    text: str
    good_enough: bool = False


class Ranking(NamedTuple):
    """A way to rank pieces, called `name` on the command line.

    `rank` gets the log-probabilities of the sampled steps, in nats, and the score of a piece. With `needs_score`, it
    ranks music only, and pieces without notes are left out; otherwise the score may be None.
    """

    name: str
    summary: str
    rank: Callable[[Sequence[float], Score | None], Rank]
    needs_score: bool = True
