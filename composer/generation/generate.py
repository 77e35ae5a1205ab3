"""Composing: a sampler, a representation's spec and a request become a stream of steps, piece by piece.

A piece is a function of the model, its own seed and the request alone. Rows that compose side by side share one
matrix product, whose last bit depends on how many rows there are, so the number of rows (the width) never changes
while pieces are composed, and is part of a piece's record.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from composer.api import Constraint, Sampler, SequenceSpec, Step, UsageError

if TYPE_CHECKING:
    from composer.generation.temperature import TemperatureCurve

MAX_WIDTH = 64

ATTEMPTS = 100
"""How often a piece is composed that is refused again and again."""

Judge = Callable[[Sequence[Step]], bool]
"""Whether a piece, its primer and its end included, is good enough to be kept; by its steps alone."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to compose: `count` pieces of at most `length` steps each, the primer included.

    Piece n (from 1) has the seed `seed` + n - 1, so that any one of many can be had again alone. `numbers` are those of
    the pieces to compose, all `count` where it is None; they are gone through once, or twice where pieces come in
    order. `width` is how many are composed side by side, 0 for as many as are worth it for `count`. Filters are those
    of `filters.How`; the temperature may change over a piece. Raises UsageError where the primer leaves
    nothing to compose.
    """

    length: int
    count: int = 1
    seed: int = 0
    temperature: float | TemperatureCurve = 1.0
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


class Drew(NamedTuple):
    """Piece `number` goes on with `steps`, one or more.

    For each of them `logp`, in nats, and `masked_prob`, the mass that the rule took away; both are 0 for those that
    were not `drawn`, but belong to a primer or to an ending that had to be.
    """

    number: int
    steps: Sequence[Step]
    logp: Sequence[float]
    masked_prob: Sequence[float]
    drawn: bool = True

    @classmethod
    def given(cls, number: int, steps: Sequence[Step]) -> Drew:
        """Steps that were not drawn."""
        return cls(number, steps, (0.0,) * len(steps), (0.0,) * len(steps), drawn=False)


class Ended(NamedTuple):
    """Piece `number` is over; `whole` is false where it was cut at the length that was asked for.

    It was composed with `seed`, which is its own but where a judge refused what that came to; `good` is false where
    the judge has refused all that was tried.
    """

    number: int
    whole: bool
    seed: int = 0
    good: bool = True


class Seats:
    """The numbers of the pieces to compose, as rows ask for them, and their seeds.

    What a judge refuses comes again, before others, with a seed that depends on its own first one and on how often it
    was refused, so that a piece stays a function of its own seed.
    """

    def __init__(self, request: Request) -> None:
        self._first, self._waiting = request.seed - 1, iter(request.pieces)
        self._refused: dict[int, int] = {}
        self._again: deque[int] = deque()

    def next(self) -> int:
        """The number of the piece whose turn it is; 0 when all have been."""
        return self._again.popleft() if self._again else next(self._waiting, 0)

    def seed(self, number: int) -> int:
        """The seed that piece `number` is composed with now; of no piece, that of piece 0."""
        attempt, seed = self._refused.get(number, 0), self._first + number
        return _mixed(seed, attempt) if attempt else seed

    def refuse(self, number: int) -> bool:
        """Know that a piece that is over was refused. False where there have been enough attempts."""
        attempt = self._refused.get(number, 0) + 1
        if attempt >= ATTEMPTS:
            self.forget(number)
            return False
        self._refused[number] = attempt
        self._again.append(number)
        return True

    def forget(self, number: int) -> None:
        """Know that a piece is told and done with."""
        self._refused.pop(number, None)


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
    sampler: Sampler,
    spec: SequenceSpec,
    request: Request,
    constraint: Constraint | None = None,
    ordered: bool = True,
    judge: Judge | None = None,
) -> Iterator[Drew | Ended]:
    """Compose; pieces come one after the other, each while it is being drawn if its turn has come.

    Until then they wait: no more steps than all rows draw while one piece is composed. Where they need not be
    `ordered`, none waits; a piece's own events are together all the same. A piece that the `judge` refuses is composed
    again with another seed, up to ATTEMPTS times in all; then nothing of a piece is told until it is over.
    """
    from composer.generation import batched_loop

    seats, turn = Seats(request), Turn(iter(request.pieces if ordered else ()))
    if judge is None:
        events = batched_loop.events(sampler, spec, request, constraint, seats, turn)
    else:
        tried = batched_loop.events(sampler, spec, request, constraint, seats, Turn(iter(())))
        events = _judged(tried, judge, seats)
    return _in_turn(events, turn) if ordered else events


def _judged(events: Iterable[Drew | Ended], judge: Judge, seats: Seats) -> Iterator[Drew | Ended]:
    """The pieces that `judge` accepts, each once it is over. What it refuses is given a seat again."""
    open_: dict[int, list[Drew]] = {}
    for event in events:
        if isinstance(event, Drew):
            open_.setdefault(event.number, []).append(event)
            continue
        drew = open_.pop(event.number, [])
        if judge([step for each in drew for step in each.steps]):
            seats.forget(event.number)
            yield from drew
            yield event
        elif not seats.refuse(event.number):
            yield event._replace(good=False)


def _in_turn(events: Iterable[Drew | Ended], turn: Turn) -> Iterator[Drew | Ended]:
    """The pieces one after the other."""
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


def _mixed(seed: int, attempt: int) -> int:
    """A seed of 63 bits for the attempt of this number to compose a piece of `seed`."""
    import hashlib

    digest = hashlib.blake2b(f"{seed} {attempt}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
