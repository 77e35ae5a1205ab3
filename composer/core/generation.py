"""Composing: a sampler, a representation's spec and a request become a stream of steps, piece by piece.

A piece is a function of the model, its own seed and the request alone. Rows that compose side by side share one
matrix product, whose last bit depends on how many rows there are, so the number of rows (the width) never changes
while pieces are composed, and is part of a piece's record.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from composer.api import Constraint, Sampler, SequenceSpec, Step, UsageError

MAX_WIDTH = 64


@dataclass(frozen=True, slots=True)
class Request:
    """What to compose: `count` pieces of at most `length` steps each, the primer included.

    Piece n (from 1) has the seed `seed` + n - 1, so that any one of many can be had again alone. `numbers` are those of
    the pieces to compose, all `count` where it is None; they are gone through once, or twice where pieces come in
    order. `width` is how many are composed side by side, 0 for as many as are worth it for `count`. Filters are those
    of `composer.api.sampling.How`. Raises UsageError where the primer leaves nothing to compose.
    """

    length: int
    count: int = 1
    seed: int = 0
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    primer: tuple[Step, ...] = ()
    conditions: Mapping[str, str] = field(default_factory=dict)
    width: int = 0
    numbers: Iterable[int] | None = None

    def __post_init__(self) -> None:
        if len(self.primer) >= self.length:
            raise UsageError(
                f"the primer takes {len(self.primer)} steps of a piece of {self.length}", "ask for a longer --length"
            )

    @property
    def rows(self) -> int:
        """How many pieces are composed side by side."""
        return self.width or min(self.count, MAX_WIDTH)

    @property
    def pieces(self) -> Iterable[int]:
        """The numbers of the pieces to compose."""
        return range(1, self.count + 1) if self.numbers is None else self.numbers


@dataclass(frozen=True, slots=True)
class Drew:
    """Piece `number` goes on with `steps`, one or more.

    For each of them `logp`, in nats, and `refused`, the mass that the rule took away; both are 0 for a primer.
    """

    number: int
    steps: Sequence[Step]
    logp: Sequence[float]
    refused: Sequence[float]

    @classmethod
    def given(cls, number: int, steps: Sequence[Step]) -> Drew:
        """Steps that were not drawn."""
        return cls(number, steps, (0.0,) * len(steps), (0.0,) * len(steps))


@dataclass(frozen=True, slots=True)
class Ended:
    """Piece `number` is over; `whole` is false where it was cut at the length that was asked for."""

    number: int
    whole: bool


@dataclass
class Turn:
    """Whose turn it is among the pieces: what is drawn of the `current` one goes on at once. 0 when all have been."""

    numbers: Iterator[int]
    current: int = 0

    def __post_init__(self) -> None:
        self.pass_on()

    def pass_on(self) -> None:
        """The next piece's turn."""
        self.current = next(self.numbers, 0)


def generate(
    sampler: Sampler, spec: SequenceSpec, request: Request, constraint: Constraint | None = None, ordered: bool = True
) -> Iterator[Drew | Ended]:
    """Compose; pieces come one after the other, each while it is being drawn if its turn has come.

    Until then they wait: no more steps than all rows draw while one piece is composed. Where they need not be
    `ordered`, none waits; a piece's own events are together all the same.
    """
    from composer.core import side_by_side

    turn = Turn(iter(request.pieces if ordered else ()))
    events = side_by_side.events(sampler, spec, request, constraint, turn)
    if not ordered:
        yield from events
        return
    waiting: dict[int, deque[Drew | Ended]] = {}
    for event in events:
        if event.number != turn.current:
            waiting.setdefault(event.number, deque()).append(event)
            continue
        yield event
        over = isinstance(event, Ended)
        while over:
            turn.pass_on()
            queue = waiting.pop(turn.current, deque())
            yield from queue
            over = bool(queue) and isinstance(queue[-1], Ended)
