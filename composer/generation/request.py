"""What to generate, and the events and queues of the loops that do it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from composer.api import Step, UsageError
from composer.api.sampling.params import SamplingParams
from composer.generation.endings import ChosenEnding

MAX_AUTO_BATCH_SIZE = 64

MAX_ATTEMPTS = 100
"""How often a piece is generated if each attempt is rejected."""

AcceptPiece = Callable[[Sequence[Step]], bool]
"""Whether to keep a piece, given all its steps, primer and end included."""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What to generate: `count` pieces of at most `length` steps each, the primer included.

    Piece n (from 1) has the seed `seed` + n - 1, so that each of many can be reproduced alone. `numbers` are the pieces
    to generate, all if None; they are iterated once, or twice for ordered output. `requested_batch_size` is how many
    pieces are generated at a time, 0 for a number that suits `count`. Each piece is the best of `candidates`. With
    several `particles`, it is generated alone, given the steps that its constraint fixes later (see
    `composer.generation.particles`); `on_steps` is called with the number of steps by which the longest has grown, as
    they arrive only at the end. `ending` is that of a recorded piece. Raises UsageError if the primer fills `length`.
    """

    length: int
    count: int = 1
    seed: int = 0
    sampling: SamplingParams = SamplingParams()  # noqa: RUF009
    primer: tuple[Step, ...] = ()
    conditions: Mapping[str, str] = field(default_factory=dict)
    requested_batch_size: int = 0
    numbers: Iterable[int] | None = None
    candidates: int = 1
    particles: int = 1
    on_steps: Callable[[int], object] | None = None
    ending: ChosenEnding | None = None

    def __post_init__(self) -> None:
        if len(self.primer) >= self.length:
            raise UsageError(
                f"--length {self.length} leaves no room after the primer, which has {len(self.primer)} steps",
                f"use --length {len(self.primer) + 1} or more",
                flags=("--length",),
            )

    @property
    def batch_size(self) -> int:
        """How many pieces are generated at a time."""
        return self.requested_batch_size or min(self.count, MAX_AUTO_BATCH_SIZE)

    @property
    def pieces(self) -> Iterable[int]:
        """The numbers of the pieces to generate."""
        return range(1, self.count + 1) if self.numbers is None else self.numbers


class Chosen(NamedTuple):
    """Which of several candidates a piece is, from 1: its own `seed`, with its `ending`, generates it alone.

    `first_seed`, that of the first candidate, generates all of them and leads to the same choice.
    """

    candidate: int
    seed: int
    first_seed: int
    ending: ChosenEnding | None = None


class Generated(NamedTuple):
    """The next `steps` of piece `number`, one or more.

    `logp` is each step's log-probability in nats, and `masked_prob` the probability mass that the constraint masked;
    both are 0 for steps of a primer or a forced ending, which were not `sampled`. `plan` is the plan that the piece
    drew, if it has one. `chosen` says which candidate the piece is, if it was chosen from several, or its ending was.
    """

    number: int
    steps: Sequence[Step]
    logp: Sequence[float]
    masked_prob: Sequence[float]
    sampled: bool = True
    plan: str = ""
    chosen: Chosen | None = None

    @classmethod
    def not_sampled(cls, number: int, steps: Sequence[Step], plan: str = "", chosen: Chosen | None = None) -> Generated:
        """Return steps of a primer or a forced ending."""
        return cls(number, steps, (0.0,) * len(steps), (0.0,) * len(steps), sampled=False, plan=plan, chosen=chosen)


class Finished(NamedTuple):
    """The end of piece `number`; `complete` is false if it was cut off at the maximum length.

    `seed` is the piece's own, or that of a later attempt. `accepted` is false if all attempts were rejected.
    """

    number: int
    complete: bool
    seed: int = 0
    accepted: bool = True


class PieceQueue:
    """The numbers of the pieces to generate, in order, and their seeds.

    Rejected pieces come again before others, with a seed derived from their own first one and the number of
    rejections, so that a piece stays a function of its own seed. So do further candidates for a piece.
    """

    def __init__(self, request: GenerationRequest) -> None:
        self._seed_before_first, self._waiting = request.seed - 1, iter(request.pieces)
        self._candidates = request.candidates
        self._rejections: dict[int, int] = {}
        self._earlier_candidates: dict[int, int] = {}
        self._retries: deque[int] = deque()

    def next(self) -> int:
        """Return the number of the next piece; 0 if none is left."""
        return self._retries.popleft() if self._retries else next(self._waiting, 0)

    def seed(self, number: int) -> int:
        """Return the seed of a piece's current attempt; for number 0, that of an idle row."""
        attempt, seed = self._rejections.get(number, 0), self.first_seed(number)
        return _derived_seed(f"{seed} {attempt}") if attempt else seed

    def first_seed(self, number: int) -> int:
        """Return the seed of the first attempt at a piece's current candidate."""
        earlier, seed = self._earlier_candidates.get(number, 0), self._seed_before_first + number
        return _derived_seed(f"candidate {seed} {earlier}") if earlier else seed

    def current_candidate(self, number: int) -> Chosen:
        """Return which candidate of a piece is the current one."""
        earlier = self._earlier_candidates.get(number, 0)
        return Chosen(earlier + 1, self.first_seed(number), self._seed_before_first + number)

    def next_candidate(self, number: int) -> bool:
        """Queue another candidate for a piece. Return False if it had all."""
        earlier = self._earlier_candidates.get(number, 0) + 1
        if earlier >= self._candidates:
            return False
        self._rejections.pop(number, None)
        self._earlier_candidates[number] = earlier
        self._retries.append(number)
        return True

    def retry(self, number: int) -> bool:
        """Queue a rejected piece again. Return False after MAX_ATTEMPTS."""
        attempt = self._rejections.get(number, 0) + 1
        if attempt >= MAX_ATTEMPTS:
            self.done(number)
            return False
        self._rejections[number] = attempt
        self._retries.append(number)
        return True

    def forget_candidates(self, number: int) -> None:
        """Forget which candidate of a finished piece was the last."""
        self._earlier_candidates.pop(number, None)

    def done(self, number: int) -> None:
        """Forget a piece that is finished."""
        self._rejections.pop(number, None)


@dataclass
class OutputOrder:
    """The order of pieces in the output; steps of the `current` one are emitted at once. 0 after the last."""

    numbers: Iterator[int]
    current: int = 0

    def __post_init__(self) -> None:
        self.advance()

    def advance(self) -> None:
        self.current = next(self.numbers, 0)


def _derived_seed(text: str) -> int:
    """Return a seed of 63 bits, a digest of `text`."""
    import hashlib

    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
