"""Valid by construction: the automaton that accepts exactly the tunes of the dialect, character by character."""

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
from composer.formats.abc.grammar.messages import place_of
from composer.formats.abc.grammar.part_context import PartContexts
from composer.formats.abc.grammar.states import OVER, Node, State
from composer.formats.abc.grammar.vocabulary import END, Vocabulary

__all__ = ["Automaton"]

MAX_CACHED_STATES = 50_000
"""How many states are remembered at most, with what may come in each; a state takes about one kilobyte."""


class _CachedState:
    """What was found out about a state."""

    __slots__ = ("mask", "next", "state")

    def __init__(self, state: State, mask: Mask) -> None:
        self.state, self.mask = state, mask
        self.next: dict[int, int] = {}


class Automaton(Constraint):
    """The tunes of the dialect that can be written with `characters`, whose token ids are 1, 2, 3 and so on; 0 ends.

    It agrees with `conformance.conforms`. A state is a number that holds all there is to it, so that what is
    remembered of states can be forgotten at any time. Of these tunes it takes those that have what is `wanted`, in the
    `form` of a given tune where there is one. Raises Unsatisfiable where the characters make no such tune.
    """

    def __init__(
        self,
        characters: Iterable[str] | Vocabulary,
        controls: TuneControls = NO_CONTROLS,
        bar_plan: BarPlan | None = None,
    ) -> None:
        self.vocabulary = characters if isinstance(characters, Vocabulary) else Vocabulary(characters)
        bar_plan = bar_plan or controls.bar_plan
        plans = PartContexts(
            self.vocabulary,
            bar_plan,
            partial(controls.allowed_notes, self.vocabulary) if controls.restricts_tones else None,
        )
        meters = [meter for meter in METERS if self.vocabulary.has(meter) and controls.allows_meter(meter)]
        usable, hornpipes = (
            [meter for meter in meters if bar_plan.is_satisfiable(plans.space_of(meter, pair_step(rhythm)))]
            for rhythm in ("", HORNPIPE)
        )
        keys = [key for key in KEYS if controls.allows_key(key) and plans.playable(key)]
        named = bool(controls.rhythm)
        self.header = Header(
            self.vocabulary,
            usable,
            hornpipes,
            keys,
            controls.rhythms,
            rhythm_required=named,
            title_dances=controls.title_dances,
        )
        self.body = Body(self.vocabulary, plans)
        self._completions = Completions(self.body)
        self._cached: dict[int, _CachedState] = {}
        if not self.header.allowed(0):
            raise Unsatisfiable(
                "no tune can be written with the symbols that the model knows",
                "train it with more tunes, or give --free",
            )

    def start(self, primer: Sequence[Step]) -> int:
        at, state = self.longest_prefix(primer)
        if at < len(primer):
            raise self._primer_error(primer, at, self.allowed(state))
        return state

    def longest_prefix(self, primer: Sequence[Step]) -> tuple[int, int]:
        """How many steps of a primer are legal, and the state after them."""
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
        """The next step of the shortest ending from a state where `mask` may come."""
        state = self.state(number)
        if mask >> END & 1:
            return END
        header = state.node == Node.HEADER
        character = self.header.next_of_completion(state.length) if header else self._completions.next(state, mask)
        return self.vocabulary.ids[character]

    def state(self, number: int) -> State:
        """What a number says."""
        return (self._cached.get(number) or self._look_up(number)).state

    def _after(self, state: State, step: int) -> State:
        if step == END:
            return OVER
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
        """The error for a primer whose step `at` leaves the dialect."""
        from composer.formats.abc.dialect.validator import UNFINISHED, validate

        text = self.text(primer[: at + 1])
        faults = [fault.kind for fault in validate(text) if fault.kind != UNFINISHED]
        why = faults[0] if faults else "no tune goes on like this"
        return Unsatisfiable(
            f"the opening leaves the dialect with {place_of(text, at)}: {why}",
            f"here may come {self._describe(allowed)}; --free composes without the rules",
        )

    def text(self, steps: Sequence[Step]) -> str:
        """The characters of steps."""
        return self.vocabulary.text(steps)

    def _describe(self, mask: Mask) -> str:
        names = ["the end", *self.vocabulary.characters]
        spelt = {" ": "a blank", "\n": "a new line"}
        return " ".join(spelt.get(name, name) for number, name in enumerate(names) if mask >> number & 1)


def _pack(s: State) -> int:
    node, plan, place, line, alters, tied, tones, kind, length, fixed, held = s
    low = node | place << 5 | line << 11 | alters << 15 | tied << 29
    return low | (tones | kind << 32 | length << 35 | fixed << 51 | held << 57 | plan << 65) << 61


def _unpack(n: int) -> State:
    return State(
        node=n & 31,
        place=n >> 5 & 63,
        line=n >> 11 & 15,
        alters=n >> 15 & 16383,
        tied=n >> 29 & 0xFFFFFFFF,
        tones=n >> 61 & 0xFFFFFFFF,
        kind=n >> 93 & 7,
        length=n >> 96 & 0xFFFF,
        fixed=n >> 112 & 63,
        held=n >> 118 & 255,
        plan=n >> 126,
    )
