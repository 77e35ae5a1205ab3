"""The automaton that accepts exactly the tunes of the dialect, so that whatever is sampled from it is valid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from composer.api import Constraint, Mask, Step, Unsatisfiable
from composer.formats.abc.dialect.tables import KEYS, METERS, pair_step
from composer.formats.abc.grammar.bar_plan import BarPlan
from composer.formats.abc.grammar.body import Body
from composer.formats.abc.grammar.completion import Completions
from composer.formats.abc.grammar.controls import NO_CONTROLS, TuneControls
from composer.formats.abc.grammar.header import HORNPIPE, Header, HeaderEnd
from composer.formats.abc.grammar.part_context import PartContexts
from composer.formats.abc.grammar.states import DONE, Node, State
from composer.formats.abc.grammar.vocabulary import END, Vocabulary

__all__ = ["Automaton"]

MAX_CACHED_STATES = 50_000
"""Each cached state takes about one kilobyte."""

_QUOTED = 16
"""Characters before an error that are quoted."""


class _CachedState:
    """A state with its mask and the numbers of the states after it."""

    __slots__ = ("mask", "next", "state")

    def __init__(self, state: State, mask: Mask) -> None:
        self.state, self.mask = state, mask
        self.next: dict[int, int] = {}


class InvalidPrimer(Unsatisfiable):
    """A primer of which the last character of `text` is not allowed, for this `reason`."""

    def __init__(self, message: str, hint: str, text: str, reason: str) -> None:
        super().__init__(message, hint)
        self.text, self.reason = text, reason


class Automaton(Constraint):
    """The tunes of the dialect that `characters` can write and that satisfy `controls`.

    The characters have the token ids 1, 2, 3 and so on; 0 ends a tune. A state is everything that decides what may
    follow: where we are in a token, in the bar, in the line and in the tune (see `states.State`), packed into a number,
    so that the cache of states can be emptied at any time. `allowed(state)` is the mask of the tokens from which the
    tune can still be completed. Bars always fill: `bar_space` computes, from the end of the bar backward, the
    positions from which it can be filled exactly, and only elements that end at one of them are allowed. There are
    thus no dead ends, and no backtracking.

    Without controls it accepts the same texts as `validator.validate`. `bar_plan` replaces the number of bars in
    `controls`. Raises Unsatisfiable if no such tune can be written.
    """

    def __init__(
        self,
        characters: Iterable[str] | Vocabulary,
        controls: TuneControls = NO_CONTROLS,
        bar_plan: BarPlan | None = None,
    ) -> None:
        self.vocabulary = characters if isinstance(characters, Vocabulary) else Vocabulary(characters)
        bar_plan = bar_plan or controls.bar_plan
        allowed_notes = partial(controls.allowed_notes, self.vocabulary) if controls.restricts_tones else None
        contexts = PartContexts(self.vocabulary, bar_plan, allowed_notes)
        meters = [meter for meter in METERS if self.vocabulary.has(meter) and controls.allows_meter(meter)]
        usable, hornpipes = (
            [meter for meter in meters if bar_plan.is_satisfiable(contexts.space_of(meter, pair_step(rhythm)))]
            for rhythm in ("", HORNPIPE)
        )
        keys = [key for key in KEYS if controls.allows_key(key) and contexts.playable(key)]
        self.header = Header(self.vocabulary, usable, hornpipes, keys, controls)
        self.body = Body(self.vocabulary, contexts)
        self._completions = Completions(self.body)
        self._cached: dict[int, _CachedState] = {}
        if not self.header.allowed(0):
            raise Unsatisfiable(
                "no tune can be written with the characters that the model knows",
                "train it on more tunes, or use --unconstrained",
            )

    def start(self, primer: Sequence[Step]) -> int:
        at, state = self.longest_prefix(primer)
        if at < len(primer):
            raise self._primer_error(primer, at, self.allowed(state))
        return state

    def longest_prefix(self, primer: Sequence[Step]) -> tuple[int, int]:
        """Return how many steps of the primer are allowed, and the state after them."""
        state = 0
        for at, step in enumerate(primer):
            if not isinstance(step, int) or not self.allowed(state) >> step & 1:
                return at, state
            state = self.step(state, step)
        return len(primer), state

    def step(self, state: int, step: Step) -> int:
        assert isinstance(step, int)
        known = self._cached.get(state) or self._look_up(state)
        after = known.next.get(step)
        if after is None:
            after = known.next[step] = self._number_of(self._after(known.state, step))
        return after

    def allowed(self, state: int) -> Mask:
        return (self._cached.get(state) or self._look_up(state)).mask

    def complete(self, state: int) -> Sequence[Step]:
        steps: list[int] = []
        while not steps or steps[-1] != END:
            steps.append(self.next_of_completion(state, self.allowed(state)))
            state = self.step(state, steps[-1])
        return steps

    def next_of_completion(self, number: int, mask: Mask) -> int:
        """Return the next step of the shortest completion from a state, one of `mask`."""
        state = self.state(number)
        if mask >> END & 1:
            return END
        header = state.node == Node.HEADER
        character = self.header.next_of_completion(state.length) if header else self._completions.next(state, mask)
        return self.vocabulary.ids[character]

    def state(self, number: int) -> State:
        return (self._cached.get(number) or self._look_up(number)).state

    def _after(self, state: State, step: int) -> State:
        if step == END:
            return DONE
        character = self.vocabulary.characters[step - 1]
        if state.node != Node.HEADER:
            return self.body.step(state, character)
        after = self.header.step(state.length, character)
        return self.body.initial_state(*after) if isinstance(after, HeaderEnd) else State(Node.HEADER, length=after)

    def _look_up(self, number: int) -> _CachedState:
        self._number_of(_unpack(number))
        return self._cached[number]

    def _number_of(self, state: State) -> int:
        number = _pack(state)
        if number not in self._cached:
            if len(self._cached) >= MAX_CACHED_STATES:
                self._cached.clear()
            header = state.node == Node.HEADER
            mask = self.header.allowed(state.length) if header else self.body.allowed(state)
            self._cached[number] = _CachedState(state, mask)
        return number

    def _primer_error(self, primer: Sequence[Step], at: int, allowed: Mask) -> Unsatisfiable:
        """Return the error for a primer whose step `at` is not allowed."""
        from composer.formats.abc.dialect.validator import UNFINISHED, validate

        text = self.text(primer[: at + 1])
        faults = [fault.kind for fault in validate(text) if fault.kind != UNFINISHED]
        reason = faults[0] if faults else "no tune continues like this"
        return InvalidPrimer(
            f"invalid primer at {describe_place(text, at)}: {reason}",
            f"allowed here: {self._describe(allowed)}; --unconstrained turns off the rules",
            text, reason,
        )  # fmt: skip

    def text(self, steps: Sequence[Step]) -> str:
        return self.vocabulary.text(steps)

    def _describe(self, mask: Mask) -> str:
        names = ["the end", *self.vocabulary.characters]
        invisible = {" ": "a space", "\n": "a line break"}
        return " ".join(invisible.get(name, name) for number, name in enumerate(names) if mask >> number & 1)


def describe_place(text: str, at: int) -> str:
    """Quote the character at index `at` and those before it, which works for any file that the text comes from."""
    character = {"\n": "the end of the line", " ": "the space"}.get(text[at], f"`{text[at]}`")
    line = text.rfind("\n", 0, max(at - 1, 0)) + 1
    before = text[max(line, at - _QUOTED) : at].rstrip("\n")
    return f"{character} after `{before}`" if before else f"{character}, its first character"


def _pack(s: State) -> int:
    node, context, position, line, alters, tied, tones, kind, length, extra, triplet = s
    low = node | position << 5 | line << 11 | alters << 15 | tied << 29
    return low | (tones | kind << 32 | length << 35 | extra << 51 | triplet << 57 | context << 65) << 61


def _unpack(n: int) -> State:
    return State(
        node=n & 31, position=n >> 5 & 63, line=n >> 11 & 15, alters=n >> 15 & 16383, tied=n >> 29 & 0xFFFFFFFF,
        tones=n >> 61 & 0xFFFFFFFF, kind=n >> 93 & 7, length=n >> 96 & 0xFFFF, extra=n >> 112 & 63,
        triplet_length=n >> 118 & 255, context=n >> 126,
    )  # fmt: skip
