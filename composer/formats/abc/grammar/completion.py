"""The shortest way from anywhere in a body to the end of the tune, or one that is hardly longer."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from composer.api import Mask
from composer.formats.abc.grammar.bar_plan import FIRST_BAR
from composer.formats.abc.grammar.bar_space import PAIR_LENGTH
from composer.formats.abc.grammar.body import Body
from composer.formats.abc.grammar.part_context import PartContext
from composer.formats.abc.grammar.states import Node, State, ToneKind
from composer.formats.abc.grammar.vocabulary import LETTERS

__all__ = ["Completions"]

UNREACHABLE = 10**6
"""More characters than any ending takes."""
BAR_LINE_COST = 4
"""About as many as a bar of one note takes."""


class _Distances:
    """How many characters the end takes in one plan, by position: `after` something ended there, `begin` where
    something must begin. `moves` says what comes first after something: a bar line, or nothing for more music.
    """  # fmt: skip

    def __init__(self, plan: PartContext, line: int, second: int) -> None:
        """`line` and `second` are the characters from the beginning of the next bar, and of the second ending, on.

        A number of bars that are left must be written whatever the way, so that what they take counts but roughly.
        """
        self.after = [UNREACHABLE] * (plan.bar + 1)
        self.begin = [UNREACHABLE] * (plan.bar + 1)
        self.moves = [""] * (plan.bar + 1)
        rest = BAR_LINE_COST * (plan.left or 0)
        marks = [
            ("|]", plan.ends.finals, 4),
            (":|", plan.ends.backs, 4 + rest if plan.ending != 1 else 5 + second),
            ("||", plan.ends.doubles, 5 + 3 * plan.bar + rest),
            ("|", plan.ends.lines, 1 + line),
        ]
        lengths = plan.contexts.vocabulary.lengths
        strings = [(lengths.quarters[number], len(lengths.prefixes[number])) for number in lengths.complete]
        for place in range(plan.bar, -1, -1):
            if plan.may_begin(place):
                self.begin[place] = min(self._elements(plan, place, strings))
            music = self.begin[place] + (place % plan.group == 0) if plan.space.may_continue(place) else UNREACHABLE
            near = [(cost, mark) for mark, places, cost in marks if places >> place & 1]
            self.after[place], self.moves[place] = min([*near, (music, "")])

    def _elements(self, plan: PartContext, place: int, strings: list[tuple[int, int]]) -> list[int]:
        costs = [UNREACHABLE]
        if plan.may_begin_note(place) or plan.may_begin_rest(place):
            costs += [1 + size + self.after[place + q] for q, size in strings if place + q <= plan.bar]
        if plan.may_begin_pair(place):
            costs.append(3 + self.after[place + PAIR_LENGTH])
        if plan.may_begin_triplet(place):
            costs += [5 + 3 * size + self.after[place + 2 * q] for q, size in strings if place + 2 * q <= plan.bar]
        return costs


class Completions:
    """Chooses the next character on the way to the end."""

    def __init__(self, body: Body) -> None:
        self.body, self.vocabulary = body, body.vocabulary
        self.distances = cache(self._distances)
        self._choosers = {
            Node.PART: self._part, Node.BEGIN: self._element, Node.SOUND: self._sound, Node.TIED: self._tied,
            Node.BAR: self._bar,
        }  # fmt: skip
        self._choices = {
            Node.REPEAT: ":", Node.PAREN: "3", Node.COLON: "|", Node.BREAK: "\n", Node.SECOND: "[",
            Node.SECOND_BRACKET: "2",
        }  # fmt: skip

    def next(self, s: State, mask: Mask) -> str:
        """The next character from `s`, where `mask` may come."""
        plan = self.body.contexts.all[s.plan]
        if s.node in self._choices:
            return self._choices[Node(s.node)]
        if s.node in self._choosers:
            return self._choosers[Node(s.node)](s, plan, mask)
        return self._first(mask, '"') or self._first(mask, LETTERS) or self._any(mask)

    def _part(self, s: State, plan: PartContext, mask: Mask) -> str:
        """Without `|]`, only a repeat can end the tune."""
        repeat = "" if self.vocabulary.has("]") else self._first(mask, "|")
        return repeat or self._element(s, plan, mask)

    def _tied(self, s: State, plan: PartContext, mask: Mask) -> str:
        if s.place == plan.bar:
            return "|"
        return self._first(mask, " ") or self._element(s, plan, mask)

    def _distances(self, number: int) -> _Distances:
        plan = self.body.contexts.all[number]
        if plan.left is not None:
            return _Distances(plan, BAR_LINE_COST * plan.left, BAR_LINE_COST * plan.left)
        second = self.distances(plan.part(plan.start, True, 2).number).begin[0] if plan.ending == 1 else 0
        line = UNREACHABLE // 4
        if plan.start != FIRST_BAR:
            line = min(_Distances(plan, UNREACHABLE // 4, second).begin[0], UNREACHABLE // 4)
            if plan.repeat and not plan.ending and line == UNREACHABLE // 4:
                line = 2 + self.distances(plan.part(plan.start, True, 1).number).begin[0]
        return _Distances(plan, line, second)

    def _first(self, mask: Mask, characters: Iterable[str]) -> str:
        """The first of `characters` that may come; empty where none may."""
        ids = self.vocabulary.ids
        return next((each for each in characters if each in ids and mask >> ids[each] & 1), "")

    def _any(self, mask: Mask) -> str:
        return self.vocabulary.characters[mask.bit_length() - 2]

    def _element(self, s: State, plan: PartContext, mask: Mask) -> str:
        """What to begin with where something must begin."""
        ways, place = self.distances(plan.number), s.place
        lengths = self.vocabulary.lengths
        single = [1 + len(lengths.prefixes[n]) + self._at(ways, place + lengths.quarters[n]) for n in lengths.complete]
        pair = 3 + self._at(ways, place + PAIR_LENGTH) if plan.may_begin_pair(place) else UNREACHABLE
        if min(single, default=UNREACHABLE) <= ways.begin[place] and (found := self._first(mask, "z")):
            return found
        if min(single, default=UNREACHABLE) <= ways.begin[place] or pair <= ways.begin[place]:
            found = self._first(mask, LETTERS)
            if found:
                return found
        return self._first(mask, "(") or self._first(mask, LETTERS) or self._first(mask, "_=^[") or self._any(mask)

    def _at(self, ways: _Distances, place: int) -> int:
        return ways.after[place] if place < len(ways.after) else UNREACHABLE

    def _bar(self, s: State, plan: PartContext, mask: Mask) -> str:
        move = self.distances(plan.number).moves[s.place]
        if not s.tied and move in ("|]", "||"):
            return move[1]
        line = self.body._line(s)
        return self.next(line, mask)

    def _sound(self, s: State, plan: PartContext, mask: Mask) -> str:
        lengths = self.vocabulary.lengths
        if s.kind == ToneKind.CHORD:
            return self._first(mask, "]") or self._first(mask, ",'") or self._first(mask, LETTERS) or self._any(mask)
        if s.kind == ToneKind.PARTNER:
            return self._after_element(s, plan, s.place, mask)
        if ToneKind.TRIPLE < s.kind <= ToneKind.THIRD:
            if s.length != s.held:
                return self._longer(s, s.held, mask)
            return self._after_element(s, plan, s.place + 2 * lengths.quarters[s.held], mask)
        return self._single(s, plan, mask)

    def _single(self, s: State, plan: PartContext, mask: Mask) -> str:
        """The length of a note, a rest, a chord or the first note of a triplet."""
        lengths, ways = self.vocabulary.lengths, self.distances(plan.number)
        times, each = (2, 3) if s.kind == ToneKind.TRIPLE else (1, 1)
        _, done = plan.fits(times, False, s.place)
        costs = [
            (each * len(text) + self._at(ways, s.place + times * lengths.quarters[n]), n)
            for n, text in enumerate(lengths.prefixes)
            if done >> n & 1 and text.startswith(lengths.prefixes[s.length])
        ]
        cost, best = min(costs, default=(UNREACHABLE, 0))
        paired = s.kind == ToneKind.NOTE and not s.length and plan.may_begin_pair(s.place)
        if paired and 2 + self._at(ways, s.place + PAIR_LENGTH) < cost:
            return self._first(mask, "<>") or self._first(mask, ",'")
        if best != s.length:
            return self._longer(s, best, mask)
        return self._after_element(s, plan, s.place + times * lengths.quarters[best], mask)

    def _longer(self, s: State, wanted: int, mask: Mask) -> str:
        """On to the length string number `wanted`."""
        prefixes = self.vocabulary.lengths.prefixes
        return self._first(mask, prefixes[wanted][len(prefixes[s.length])]) or self._first(mask, ",'")

    def _after_element(self, s: State, plan: PartContext, place: int, mask: Mask) -> str:
        """After something that ends at `place`; what still needs octave marks gets them first."""
        if ToneKind.TRIPLE <= s.kind < ToneKind.THIRD:
            return self._first(mask, LETTERS) or self._first(mask, ",'") or self._any(mask)
        ways = self.distances(plan.number)
        if move := ways.moves[place]:
            return self._first(mask, move[0]) or self._first(mask, ",'")
        if place % plan.group == 0:
            return self._first(mask, " ") or self._first(mask, ",'")
        if not mask & ~(self.vocabulary.marks[","] | self.vocabulary.marks["'"]):
            return self._first(mask, ",'")
        begin = s._replace(node=Node.BEGIN, place=place, tied=0, fixed=0)
        return self._element(begin, plan, mask)
