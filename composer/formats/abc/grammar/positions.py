"""Where each character of a tune is: in the bar, in the part, and how many bars the part still has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from composer.api import Constraint, Mask, Step
from composer.formats.abc.grammar.automaton import Automaton
from composer.formats.abc.grammar.bar_plan import FIRST_BAR
from composer.formats.abc.grammar.infill import InfillConstraint
from composer.formats.abc.grammar.states import Node, State

__all__ = ["PositionConstraint", "feature_sizes", "feature_values"]

MAX_PARTS, MAX_BARS = 15, 32
"""Later parts, and bars beyond this number in a part, are not told apart."""
POSITIONS = 64
"""More than the positions of any bar: quarters of the unit length (see `bar_space`)."""
_PART_BITS, _BAR_BITS = 6, 10


def feature_sizes(plans: Sequence[Sequence[int]]) -> dict[str, int]:
    """Return the number of values of each feature for tunes whose parts have these numbers of bars."""
    parts = min(MAX_PARTS, max(map(len, plans), default=0))
    bars = min(MAX_BARS, max((bars for plan in plans for bars in plan), default=0))
    return {"position": POSITIONS, "bar": bars + 1, "part": parts + 2, "left": bars + 1}


def feature_values(counters: tuple[int, int, int], parts: Sequence[int], sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the features of a character from its `PositionConstraint.counters` and the bars of each part."""
    position, part, bar = counters
    left = max(0, parts[part - 1] - bar) if 0 < part <= len(parts) else 0
    return tuple(min(value, size - 1) for value, size in zip((position, bar, part, left), sizes, strict=True))


class PositionConstraint(Constraint):
    """The tunes that `inner` accepts, with the features of each character; `sizes` are those of `feature_sizes`.

    `position` is where the current token starts in its bar. `bar` is the number of bars that are complete in this
    part, without a pickup, and `left` the number of others by the plan `parts`; a short last bar completes the pickup.
    `part` counts from 1; the header has 0. A state is one of `inner` above the part and the number of bars.
    """

    def __init__(self, inner: Automaton | InfillConstraint, parts: Sequence[int], sizes: Mapping[str, int]) -> None:
        self.inner, self.parts, self.sizes = inner, parts, tuple(sizes.values())
        self._infill = inner if isinstance(inner, InfillConstraint) else None
        self._automaton = inner if isinstance(inner, Automaton) else inner.automaton
        self._contexts = self._automaton.body.contexts.all
        characters = self._automaton.vocabulary.ids
        self._part_ends = {characters[character] for character in "|]" if character in characters}

    def start(self, primer: Sequence[int]) -> int:
        inner, state = self.inner.start(primer), self.inner.start(())
        state <<= _PART_BITS + _BAR_BITS
        for step in primer:
            state = self.step(state, step)
        return inner << _PART_BITS + _BAR_BITS | state & (1 << _PART_BITS + _BAR_BITS) - 1

    def step(self, state: int, step: int) -> int:
        inner, part, bar = _unpack(state)
        before, after = self._state(inner), self.inner.step(inner, step)
        if before.node == Node.BAR and step not in self._part_ends:
            bar += self._is_full(before)
        elif before.node == Node.BAR or (before.node == Node.COLON and self._contexts[before.context].ending != 1):
            part, bar = part + 1, 0
        elif before.node == Node.COLON:
            bar += 1
        elif before.node == Node.HEADER and self._state(after).node != Node.HEADER:
            part = 1
        return _pack(after, part, bar)

    def allowed(self, state: int) -> Mask:
        return self.inner.allowed(_unpack(state)[0])

    def features(self, state: int) -> tuple[int, ...]:
        return feature_values(self.counters(state), self.parts, self.sizes)

    def fixed_step(self, state: int) -> int | None:
        return self.inner.fixed_step(_unpack(state)[0])

    def complete(self, state: int) -> Sequence[Step]:
        return self.inner.complete(_unpack(state)[0])

    def counters(self, state: int) -> tuple[int, int, int]:
        """Return position, part and complete bars, without a limit."""
        inner, part, bar = _unpack(state)
        return self._state(inner).position, part, bar

    def inner_state(self, state: int) -> int:
        """Return the state of `inner` in a state."""
        return _unpack(state)[0]

    def _state(self, inner: int) -> State:
        return self._automaton.state(inner if self._infill is None else self._infill.automaton_state(inner))

    def _is_full(self, s: State) -> bool:
        """Return whether the bar that ends in state `s` is not a pickup."""
        context = self._contexts[s.context]
        return s.position == context.bar if context.start == FIRST_BAR else bool(s.line & 1)


def _pack(inner: int, part: int, bar: int) -> int:
    part, bar = min(part, (1 << _PART_BITS) - 1), min(bar, (1 << _BAR_BITS) - 1)
    return (inner << _PART_BITS | part) << _BAR_BITS | bar


def _unpack(state: int) -> tuple[int, int, int]:
    """Return the state of `inner`, the part, and the number of complete bars."""
    return state >> _PART_BITS + _BAR_BITS, state >> _BAR_BITS & (1 << _PART_BITS) - 1, state & (1 << _BAR_BITS) - 1
