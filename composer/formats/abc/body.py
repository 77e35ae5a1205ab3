"""The body of a tune, character by character: what may come at each state, and where it leads.

A state stands at a place in the tune (the plan of the part it is in, the position in the bar, the bars of the line, the
accidentals in force, the notes that are tied) and at a node, which is a place inside a token. A character is only
offered where something that ends the tune can follow it.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import NamedTuple

from composer.api import Mask
from composer.formats.abc.dialect import BARS_A_LINE, CHORD_KINDS, MOST_TONES
from composer.formats.abc.plans import FIRST, Plan, Plans
from composer.formats.abc.rooms import PAIR, UNIT
from composer.formats.abc.vocabulary import END, LETTERS, Vocabulary, code_of, tone_of

__all__ = ["Body", "Kind", "Node", "State"]


class Node(IntEnum):
    """Where in a token, or between which tokens, a state is."""

    HEADER = 0
    PART = 1  # a part begins; `fixed` is 1 where the tune may end here
    REPEAT = 2  # `|` of `|:`
    BEGIN = 3  # something must begin; `fixed` has bit 1 after a chord symbol, bit 2 where `[1` may come
    BRACKET = 4  # `[` of a chord or, with `fixed` 2, of `[1`
    PAREN = 5  # `(` of a triplet
    SYMBOL = 6  # in a chord symbol, `length` being the node of its grammar
    TONE = 7  # a tone of a token must begin
    ACCIDENTAL = 8  # `fixed` is what it alters by, plus 1
    SOUND = 9  # after a letter, or after `]` or `z`, with `length` begun
    TIED = 10  # after `-`
    BAR = 11  # after `|`
    COLON = 12  # after `:` of `:|`
    BREAK = 13  # the line must end; `fixed` is the node that follows, plus 32 where the tune may end there
    SECOND = 14  # `[2` must come
    SECOND_BRACKET = 15
    OVER = 16


class Kind(IntEnum):
    """What a tone belongs to."""

    NOTE = 0
    PARTNER = 1  # the second of a pair
    TRIPLE = 2  # the first of a triplet, the next two being 3 and 4; then `held` is the length of the first
    THIRD = 4
    CHORD = 5  # inside its brackets
    CLOSED = 6  # a chord after `]`
    REST = 7


class State(NamedTuple):
    """One state, all in numbers, so that a number can hold it.

    `place` is where the token that is being read begins in the bar; for the partner of a pair, where it ends. `line`
    is twice the full bars of this line, plus one where this bar began at its beginning. `alters` has two bits for
    each letter; `tied` and `tones` hold tones, eight bits each.
    """

    node: int
    plan: int = 0
    place: int = 0
    line: int = 0
    alters: int = 0
    tied: int = 0
    tones: int = 0
    kind: int = 0
    length: int = 0
    fixed: int = 0
    held: int = 0


FORK, SYMBOLED = 2, 1
MAY_END = 32
OVER = State(Node.OVER)


class Body:
    """`allowed` gives the set of characters that may come in a state; `step` takes an allowed one."""

    def __init__(self, vocabulary: Vocabulary, plans: Plans) -> None:
        self.vocabulary, self.plans = vocabulary, plans
        self.bit = {character: vocabulary.bits(character) for character in '\n"#()-/:<>[]b|z 123'}
        self.symbols = _Symbols(vocabulary)
        steps = vocabulary.steps
        self.lowest, self.highest = (steps[0], steps[-1]) if steps else (0, -1)
        self.raised = cache(lambda alter: any(other > alter for other in vocabulary.accidentals.values()))
        self._allowed = [getattr(self, f"_{node.name.lower()}_mask", None) for node in Node]
        self._step = [getattr(self, f"_{node.name.lower()}", None) for node in Node]

    def begin(self, meter: str, key: str, hornpipe: bool) -> State:
        """The state after a header."""
        number = self.plans.first(meter, key, hornpipe)
        return State(Node.PART, number, alters=self.plans.all[number].alters)

    def allowed(self, s: State) -> Mask:
        """What may come next; never nothing in a state that was reached by what is allowed."""
        return self._allowed[s.node](s)  # type: ignore[no-any-return,misc]

    def step(self, s: State, character: str) -> State:
        """The state after an allowed character."""
        return self._step[s.node](s, character)  # type: ignore[no-any-return,misc]

    # Where something begins.

    def _part_mask(self, s: State) -> Mask:
        plan = self.plans.all[s.plan]
        mask = self._opening_mask(s, plan) if plan.begins(s.place) else 0
        if plan.part(plan.start, True).begins(s.place) and ":" in self.vocabulary.ids:
            mask |= self.bit["|"]
        return mask | (1 << END if s.fixed else 0)

    def _part(self, s: State, character: str) -> State:
        if character == "|":
            return s._replace(node=Node.REPEAT, fixed=0)
        return self._opening(s._replace(fixed=0), character)

    def _repeat_mask(self, s: State) -> Mask:
        return self.bit[":"]

    def _repeat(self, s: State, character: str) -> State:
        plan = self.plans.all[s.plan]
        return s._replace(node=Node.BEGIN, plan=plan.part(plan.start, True).number)

    def _begin_mask(self, s: State) -> Mask:
        plan = self.plans.all[s.plan]
        mask = self._opening_mask(s, plan)
        if s.fixed & SYMBOLED:
            return mask & ~self.bit['"']
        return mask | (self.bit["["] if s.fixed & FORK and not s.tied and self._forks(plan) else 0)

    def _begin(self, s: State, character: str) -> State:
        return self._opening(s, character)

    def _forks(self, plan: Plan) -> bool:
        """Whether `[1` may come."""
        return (
            plan.repeat and plan.ending == 0 and "1" in self.vocabulary.ids and plan.part(plan.start, True, 1).begins(0)
        )

    def _opening_mask(self, s: State, plan: Plan) -> Mask:
        """What something that begins at `place` may begin with."""
        place, tied = s.place, s.tied
        if not tied:
            mask = plan.begin(place)
            return mask | self.bit["["] if plan.chord(place) and self._chords(s) else mask
        if tied > 255:
            mask = self.bit["["]
        else:
            mask = self._tones_mask(s._replace(kind=Kind.NOTE)) if plan.note(place) else 0
            mask |= self.bit["("] if plan.triplet(place) else 0
        return mask | (self.bit['"'] if self.symbols.any else 0)

    def _chords(self, s: State) -> bool:
        """Whether there is a chord that can be written."""
        if self.lowest < self.highest:
            return True
        return bool(self._tones_mask(s._replace(kind=Kind.CHORD, tones=0, tied=0)))

    def _opening(self, s: State, character: str) -> State:
        if character == "z":
            return s._replace(node=Node.SOUND, kind=Kind.REST, tones=0, length=0, fixed=0)
        if character == '"':
            return s._replace(node=Node.SYMBOL, length=0, fixed=0)
        if character == "(":
            return s._replace(node=Node.PAREN, fixed=0)
        if character == "[":
            return s._replace(node=Node.BRACKET, kind=Kind.CHORD, tones=0)
        return self._tone(s._replace(kind=Kind.NOTE, tones=0, length=0), character)

    def _bracket_mask(self, s: State) -> Mask:
        plan = self.plans.all[s.plan]
        fork = s.fixed & FORK and not s.tied and self._forks(plan)
        mask = self.bit["1"] if fork else 0
        return mask | (self._tones_mask(s) if plan.chord(s.place) else 0)

    def _bracket(self, s: State, character: str) -> State:
        plan = self.plans.all[s.plan]
        if character == "1":
            return s._replace(node=Node.BEGIN, plan=plan.part(plan.start, True, 1).number, kind=0, fixed=0)
        return self._tone(s._replace(plan=plan.chordal.number), character)

    def _paren_mask(self, s: State) -> Mask:
        return self.bit["3"]

    def _paren(self, s: State, character: str) -> State:
        return s._replace(node=Node.TONE, kind=Kind.TRIPLE, tones=0, length=0)

    def _symbol_mask(self, s: State) -> Mask:
        return self.symbols.masks[s.length]

    def _symbol(self, s: State, character: str) -> State:
        if character == '"':
            return s._replace(node=Node.BEGIN, length=0, fixed=SYMBOLED)
        return s._replace(length=self.symbols.next[s.length][character])

    # Tones.

    def _bounds(self, s: State, alter: int, tones: int) -> tuple[int, int]:
        """The lowest and the highest step that a tone altered by `alter` may have after `tones`."""
        count = (tones.bit_length() + 7) >> 3
        if s.tied:
            length = (s.tied.bit_length() + 7) >> 3
            step, wanted = tone_of(s.tied >> 8 * (length - 1 - count) & 255)
            return (step, step) if alter == wanted else (1, 0)
        if s.kind != Kind.CHORD:
            return self.lowest, self.highest
        if not count:
            return self.lowest, self.highest - (not self.raised(alter))
        step, before = tone_of(tones & 255)
        return step + (alter <= before), self.highest

    def _tones_mask(self, s: State) -> Mask:
        """What the next tone may begin with."""
        vocabulary = self.vocabulary
        if not s.tied and s.kind != Kind.CHORD:
            return vocabulary.tones
        mask = 0
        for sign, alter in vocabulary.accidentals.items():
            if vocabulary.between(*self._bounds(s, alter, s.tones)):
                mask |= 1 << vocabulary.ids[sign]
        if s.tied:
            count = (s.tied.bit_length() - s.tones.bit_length() + 7) // 8
            step, alter = tone_of(s.tied >> 8 * (count - 1) & 255)
            return mask | (vocabulary.between(step, step) if _alter(s.alters, step) == alter else 0)
        alter = _alter(s.alters, self.highest if not s.tones else tone_of(s.tones & 255)[0])
        return mask | vocabulary.between(*self._bounds(s, alter, s.tones))

    def _tone_mask(self, s: State) -> Mask:
        return self._tones_mask(s)

    def _tone(self, s: State, character: str) -> State:
        if character in self.vocabulary.accidentals:
            return s._replace(node=Node.ACCIDENTAL, fixed=self.vocabulary.accidentals[character] + 1)
        return self._letter(s, character, _alter(s.alters, LETTERS[character]))

    def _accidental_mask(self, s: State) -> Mask:
        return self.vocabulary.between(*self._bounds(s, s.fixed - 1, s.tones))

    def _accidental(self, s: State, character: str) -> State:
        shift, alter = 2 * (LETTERS[character] % 7), s.fixed - 1
        alters = s.alters & ~(3 << shift) | s.fixed << shift
        return self._letter(s._replace(alters=alters), character, alter)

    def _letter(self, s: State, character: str, alter: int) -> State:
        tones = s.tones << 8 if s.kind == Kind.CHORD else 0
        return s._replace(node=Node.SOUND, tones=tones | code_of(LETTERS[character], alter), length=0, fixed=0)

    # Inside and after something that sounds.

    def _sound_mask(self, s: State) -> Mask:
        plan = self.plans.all[s.plan]
        mask, complete = 0, True
        if not s.length and s.kind < Kind.CLOSED:
            step, alter = tone_of(s.tones & 255)
            lowest, highest = self._bounds(s, alter, s.tones >> 8)
            mask, complete = self.vocabulary.further(step, lowest, highest), lowest <= step <= highest
        if not complete:
            return mask
        if s.kind == Kind.CHORD:
            return mask | self._in_chord_mask(s)
        if s.kind == Kind.PARTNER:
            return mask | self._after_mask(s, plan, s.place)
        lengths = self.vocabulary.lengths
        if Kind.TRIPLE < s.kind <= Kind.THIRD:
            if s.length != s.held:
                return mask | self.vocabulary.bits(lengths.prefixes[s.held][len(lengths.prefixes[s.length])])
            third = s.kind == Kind.THIRD
            return mask | (
                self._after_mask(s, plan, s.place + 2 * lengths.quarters[s.held]) if third else self.vocabulary.tones
            )
        times = 2 if s.kind == Kind.TRIPLE else 1
        masks, done = plan.fits(times, s.kind == Kind.NOTE, s.place)
        mask |= masks[s.length]
        if not done >> s.length & 1:
            return mask
        if s.kind == Kind.TRIPLE:
            return mask | self.vocabulary.tones
        mask |= self._after_mask(s, plan, s.place + lengths.quarters[s.length])
        if s.kind == Kind.NOTE and not s.length and plan.pair(s.place):
            mask |= self.bit["<"] | self.bit[">"]
        return mask

    def _in_chord_mask(self, s: State) -> Mask:
        count = (s.tones.bit_length() + 7) >> 3
        if s.tied:
            return self.bit["]"] if s.tied == s.tones else self._tones_mask(s)
        mask = self.bit["]"] if count > 1 else 0
        return mask | (self._tones_mask(s) if count < MOST_TONES else 0)

    def _after_mask(self, s: State, plan: Plan, place: int) -> Mask:
        """What may come after something that ends at `place`."""
        mask = plan.after(place)
        if place % plan.group and plan.chord(place) and self._chords(s):
            mask |= self.bit["["]
        return mask | (self.bit["-"] if s.tones and plan.tie(place, s.tones > 255) else 0)

    def _sound(self, s: State, character: str) -> State:
        if character in ",'":
            return s._replace(tones=s.tones + (28 if character == "'" else -28))
        if s.kind == Kind.CHORD:
            return s._replace(node=Node.SOUND, kind=Kind.CLOSED) if character == "]" else self._tone(s, character)
        lengths = self.vocabulary.lengths
        if (more := lengths.next[s.length].get(character)) is not None:
            return s._replace(length=more)
        if character in "<>":
            return State(Node.TONE, self.plans.all[s.plan].broken.number, s.place + PAIR, s.line, s.alters,
                         kind=Kind.PARTNER)  # fmt: skip
        if Kind.TRIPLE <= s.kind < Kind.THIRD:
            held = s.length
            return self._tone(s._replace(kind=s.kind + 1, tied=0, tones=0, length=0, held=held), character)
        times = {Kind.PARTNER: 0, Kind.THIRD: 2}.get(s.kind, 1)  # type: ignore[call-overload]
        place = s.place + times * lengths.quarters[s.length]
        if character == "-":
            return State(Node.TIED, s.plan, place, s.line, s.alters, tied=s.tones)
        return self._next(State(Node.BEGIN, s.plan, place, s.line, s.alters), character)

    def _next(self, s: State, character: str) -> State:
        """After something, which ended at `place`, with or without a tie."""
        if character == " ":
            return s
        if character == "|":
            return s._replace(node=Node.BAR)
        if character == ":":
            return s._replace(node=Node.COLON)
        return self._opening(s, character)

    def _tied_mask(self, s: State) -> Mask:
        plan = self.plans.all[s.plan]
        chord = s.tied > 255
        mask = self.bit["|"] if plan.held_over(s.place, chord) else 0
        if not plan.rooms.goes_on(s.place) or not plan.held(s.place, chord):
            return mask
        return mask | (self._opening_mask(s, plan) if s.place % plan.group else self.bit[" "])

    def _tied(self, s: State, character: str) -> State:
        return self._next(s._replace(node=Node.BEGIN), character)

    # Bar lines.

    def _bar_mask(self, s: State) -> Mask:
        ends, at = self.plans.all[s.plan].ends, 1 << s.place
        mask = self.bit["]"] if ends.finals & at and not s.tied else 0
        mask |= self.bit["|"] if ends.doubles & at and not s.tied else 0
        return mask | (self.allowed(self._line(s)) if ends.lines & at else 0)

    def _bar(self, s: State, character: str) -> State:
        if character == "]":
            return State(Node.BREAK, fixed=Node.OVER)
        if character == "|":
            return self._close(s, Node.PART)
        return self.step(self._line(s), character)

    def _line(self, s: State) -> State:
        """After `|`."""
        plan = self.plans.all[s.plan].line(s.place)
        whole = plan.start == 0 if self.plans.all[s.plan].start == FIRST else s.line & 1
        filled = (s.line >> 1) + whole
        state = State(Node.BEGIN, plan.number, 0, filled << 1 | 1, plan.alters, s.tied, fixed=FORK)
        if filled < BARS_A_LINE:
            return state
        return state._replace(node=Node.BREAK, line=1, fixed=Node.BEGIN)

    def _close(self, s: State, then: int) -> State:
        """After the last bar line of a part, or of its first ending."""
        plan = self.plans.all[s.plan].line(s.place)
        if then == Node.SECOND:
            after = plan.part(plan.start, True, 2)
            return State(Node.BREAK, after.number, 0, 1, plan.alters, fixed=then)
        after = plan.part(plan.start)
        return State(Node.BREAK, after.number, plan.start, int(plan.start == 0), plan.alters, fixed=then)

    def _colon_mask(self, s: State) -> Mask:
        return self.bit["|"]

    def _colon(self, s: State, character: str) -> State:
        first = self.plans.all[s.plan].ending == 1
        return self._close(s, Node.SECOND if first else Node.PART | MAY_END)

    def _break_mask(self, s: State) -> Mask:
        return self.bit["\n"]

    def _break(self, s: State, character: str) -> State:
        node = s.fixed % MAY_END
        fixed = FORK if node == Node.BEGIN else int(s.fixed >= MAY_END)
        return s._replace(node=node, fixed=fixed)

    def _second_mask(self, s: State) -> Mask:
        return self.bit["["]

    def _second(self, s: State, character: str) -> State:
        return s._replace(node=Node.SECOND_BRACKET)

    def _second_bracket_mask(self, s: State) -> Mask:
        return self.bit["2"]

    def _second_bracket(self, s: State, character: str) -> State:
        return s._replace(node=Node.BEGIN)

    def _over_mask(self, s: State) -> Mask:
        return 1 << END


class _Symbols:
    """Chord symbols as a small graph: `masks` and `next` by node, of which 0 comes after the opening quote."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        roots = [root for root in "ABCDEFG" if root in vocabulary.ids]
        kinds = [kind for kind in CHORD_KINDS.values() if vocabulary.has(kind)]
        graph: dict[str, dict[str, str]] = {
            "": dict.fromkeys(roots, "root"),
            "/": dict.fromkeys(roots, "bass"),
            "bass": {"#": "bass#", "b": "bass#", '"': ""},
            "bass#": {'"': ""},
        }
        for begun in {kind[:end] for kind in kinds for end in range(len(kind) + 1)}:
            after = {
                kind[len(begun)]: f":{kind[: len(begun) + 1]}"
                for kind in kinds
                if kind.startswith(begun) and kind != begun
            }
            graph[f":{begun}"] = {**after, **({"/": "/", '"': ""} if begun in kinds else {})}
        graph["root"] = {**graph[":"], "#": ":", "b": ":"}
        numbers = {name: number for number, name in enumerate(graph)}
        self.next = [{sign: numbers[name] for sign, name in moves.items()} for moves in graph.values()]
        self.masks = [vocabulary.bits(moves) for moves in self.next]
        self.any = bool(roots) and vocabulary.has('"')


def _alter(alters: int, step: int) -> int:
    return (alters >> 2 * (step % 7) & 3) - 1
