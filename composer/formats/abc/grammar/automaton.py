"""Valid by construction: the automaton that accepts exactly the tunes of the dialect, character by character."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from composer.api import Constraint, Mask, Step, Unsatisfiable
from composer.formats.abc.dialect.tables import KEYS, METERS, pair_step
from composer.formats.abc.grammar.bar_plan import Form
from composer.formats.abc.grammar.body import Body
from composer.formats.abc.grammar.completion import Endings
from composer.formats.abc.grammar.controls import ANYTHING, Wanted
from composer.formats.abc.grammar.header import HORNPIPE, Headed, Heading
from composer.formats.abc.grammar.messages import place_of
from composer.formats.abc.grammar.part_context import Plans
from composer.formats.abc.grammar.states import OVER, Node, State
from composer.formats.abc.grammar.vocabulary import END, Vocabulary

__all__ = ["Automaton"]

MOST_KNOWN = 50_000
"""How many states are remembered at most, with what may come in each; a state takes about one kilobyte."""


class _Known:
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
        self, characters: Iterable[str] | Vocabulary, wanted: Wanted = ANYTHING, form: Form | None = None
    ) -> None:
        self.vocabulary = characters if isinstance(characters, Vocabulary) else Vocabulary(characters)
        form = form or wanted.form
        plans = Plans(self.vocabulary, form, partial(wanted.palette, self.vocabulary) if wanted.tones else None)
        meters = [meter for meter in METERS if self.vocabulary.has(meter) and wanted.in_meter(meter)]
        usable, hornpipes = (
            [meter for meter in meters if form.viable(plans.rooms(meter, pair_step(rhythm)))]
            for rhythm in ("", HORNPIPE)
        )
        keys = [key for key in KEYS if wanted.takes(key) and plans.playable(key)]
        named = bool(wanted.rhythm)
        self.heading = Heading(
            self.vocabulary, usable, hornpipes, keys, wanted.rhythms, named=named, naming=wanted.naming
        )
        self.body = Body(self.vocabulary, plans)
        self._endings = Endings(self.body)
        self._known: dict[int, _Known] = {}
        if not self.heading.allowed(0):
            raise Unsatisfiable(
                "no tune can be written with the symbols that the model knows",
                "train it with more tunes, or give --free",
            )

    def start(self, primer: Sequence[Step]) -> int:
        at, state = self.follow(primer)
        if at < len(primer):
            raise self._misfit(primer, at, self.allowed(state))
        return state

    def follow(self, primer: Sequence[Step]) -> tuple[int, int]:
        """How many steps of a primer are legal, and the state after them."""
        state = 0
        for at, step in enumerate(primer):
            if not isinstance(step, int) or not self.allowed(state) >> step & 1:
                return at, state
            state = self.step(state, step)
        return len(primer), state

    def step(self, state: int, step: Step) -> int:
        assert isinstance(step, int)
        known = self._known.get(state) or self._learn(state)
        after = known.next.get(step)
        if after is None:
            after = known.next[step] = self._remember(self._after(known.state, step))
        return after

    def allowed(self, state: int) -> Mask:
        return (self._known.get(state) or self._learn(state)).mask

    def complete(self, state: int) -> Sequence[Step]:
        steps: list[int] = []
        while not steps or steps[-1] != END:
            steps.append(self.onward(state, self.allowed(state)))
            state = self.step(state, steps[-1])
        return steps

    def onward(self, number: int, mask: Mask) -> int:
        """The next step of the shortest ending from a state where `mask` may come."""
        state = self.state(number)
        if mask >> END & 1:
            return END
        header = state.node == Node.HEADER
        character = self.heading.ending(state.length) if header else self._endings.next(state, mask)
        return self.vocabulary.ids[character]

    def state(self, number: int) -> State:
        """What a number says."""
        return (self._known.get(number) or self._learn(number)).state

    def _after(self, state: State, step: int) -> State:
        if step == END:
            return OVER
        character = self.vocabulary.characters[step - 1]
        if state.node != Node.HEADER:
            return self.body.step(state, character)
        after = self.heading.step(state.length, character)
        return self.body.begin(*after) if isinstance(after, Headed) else State(Node.HEADER, length=after)

    def _learn(self, number: int) -> _Known:
        self._remember(_unpacked(number))
        return self._known[number]

    def _remember(self, state: State) -> int:
        number = _packed(state)
        if number not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            header = state.node == Node.HEADER
            mask = self.heading.allowed(state.length) if header else self.body.allowed(state)
            self._known[number] = _Known(state, mask)
        return number

    def _misfit(self, primer: Sequence[Step], at: int, allowed: Mask) -> Unsatisfiable:
        """The error for a primer whose step `at` leaves the dialect."""
        from composer.formats.abc.dialect.validator import UNFINISHED, conforms

        text = self.text(primer[: at + 1])
        faults = [fault.kind for fault in conforms(text) if fault.kind != UNFINISHED]
        why = faults[0] if faults else "no tune goes on like this"
        return Unsatisfiable(
            f"the opening leaves the dialect with {place_of(text, at)}: {why}",
            f"here may come {self._named(allowed)}; --free composes without the rules",
        )

    def text(self, steps: Sequence[Step]) -> str:
        """The characters of steps."""
        return self.vocabulary.text(steps)

    def _named(self, mask: Mask) -> str:
        names = ["the end", *self.vocabulary.characters]
        spelt = {" ": "a blank", "\n": "a new line"}
        return " ".join(spelt.get(name, name) for number, name in enumerate(names) if mask >> number & 1)


def _packed(s: State) -> int:
    node, plan, place, line, alters, tied, tones, kind, length, fixed, held = s
    low = node | place << 5 | line << 11 | alters << 15 | tied << 29
    return low | (tones | kind << 32 | length << 35 | fixed << 51 | held << 57 | plan << 65) << 61


def _unpacked(n: int) -> State:
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
