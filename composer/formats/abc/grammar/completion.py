"""The shortest way from anywhere in a body to the end of the tune, or one that is hardly longer."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from composer.api import Mask
from composer.formats.abc.grammar.bar_plan import FIRST
from composer.formats.abc.grammar.bar_space import PAIR
from composer.formats.abc.grammar.body import Body
from composer.formats.abc.grammar.part_context import Plan
from composer.formats.abc.grammar.states import Kind, Node, State
from composer.formats.abc.grammar.vocabulary import LETTERS

__all__ = ["Endings"]

FAR = 10**6
"""More characters than any ending takes."""
BAR = 4
"""About as many as a bar of one note takes."""


class _Ways:
    """How many characters the end takes in one plan, by position: `after` something ended there, `begin` where
    something must begin. `moves` says what comes first after something: a bar line, or nothing for more music.
    """  # fmt: skip

    def __init__(self, plan: Plan, line: int, second: int) -> None:
        """`line` and `second` are the characters from the beginning of the next bar, and of the second ending, on.

        A number of bars that are left must be written whatever the way, so that what they take counts but roughly.
        """
        self.after = [FAR] * (plan.bar + 1)
        self.begin = [FAR] * (plan.bar + 1)
        self.moves = [""] * (plan.bar + 1)
        rest = BAR * (plan.left or 0)
        marks = [
            ("|]", plan.ends.finals, 4),
            (":|", plan.ends.backs, 4 + rest if plan.ending != 1 else 5 + second),
            ("||", plan.ends.doubles, 5 + 3 * plan.bar + rest),
            ("|", plan.ends.lines, 1 + line),
        ]
        lengths = plan.plans.vocabulary.lengths
        strings = [(lengths.quarters[number], len(lengths.prefixes[number])) for number in lengths.complete]
        for place in range(plan.bar, -1, -1):
            if plan.begins(place):
                self.begin[place] = min(self._elements(plan, place, strings))
            music = self.begin[place] + (place % plan.group == 0) if plan.rooms.goes_on(place) else FAR
            near = [(cost, mark) for mark, places, cost in marks if places >> place & 1]
            self.after[place], self.moves[place] = min([*near, (music, "")])

    def _elements(self, plan: Plan, place: int, strings: list[tuple[int, int]]) -> list[int]:
        costs = [FAR]
        if plan.note(place) or plan.rest(place):
            costs += [1 + size + self.after[place + q] for q, size in strings if place + q <= plan.bar]
        if plan.pair(place):
            costs.append(3 + self.after[place + PAIR])
        if plan.triplet(place):
            costs += [5 + 3 * size + self.after[place + 2 * q] for q, size in strings if place + 2 * q <= plan.bar]
        return costs


class Endings:
    """Chooses the next character on the way to the end."""

    def __init__(self, body: Body) -> None:
        self.body, self.vocabulary = body, body.vocabulary
        self.ways = cache(self._ways)
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
        plan = self.body.plans.all[s.plan]
        if s.node in self._choices:
            return self._choices[Node(s.node)]
        if s.node in self._choosers:
            return self._choosers[Node(s.node)](s, plan, mask)
        return self._first(mask, '"') or self._first(mask, LETTERS) or self._any(mask)

    def _part(self, s: State, plan: Plan, mask: Mask) -> str:
        """Without `|]`, only a repeat can end the tune."""
        repeat = "" if self.vocabulary.has("]") else self._first(mask, "|")
        return repeat or self._element(s, plan, mask)

    def _tied(self, s: State, plan: Plan, mask: Mask) -> str:
        if s.place == plan.bar:
            return "|"
        return self._first(mask, " ") or self._element(s, plan, mask)

    def _ways(self, number: int) -> _Ways:
        plan = self.body.plans.all[number]
        if plan.left is not None:
            return _Ways(plan, BAR * plan.left, BAR * plan.left)
        second = self.ways(plan.part(plan.start, True, 2).number).begin[0] if plan.ending == 1 else 0
        line = FAR // 4
        if plan.start != FIRST:
            line = min(_Ways(plan, FAR // 4, second).begin[0], FAR // 4)
            if plan.repeat and not plan.ending and line == FAR // 4:
                line = 2 + self.ways(plan.part(plan.start, True, 1).number).begin[0]
        return _Ways(plan, line, second)

    def _first(self, mask: Mask, characters: Iterable[str]) -> str:
        """The first of `characters` that may come; empty where none may."""
        ids = self.vocabulary.ids
        return next((each for each in characters if each in ids and mask >> ids[each] & 1), "")

    def _any(self, mask: Mask) -> str:
        return self.vocabulary.characters[mask.bit_length() - 2]

    def _element(self, s: State, plan: Plan, mask: Mask) -> str:
        """What to begin with where something must begin."""
        ways, place = self.ways(plan.number), s.place
        lengths = self.vocabulary.lengths
        single = [1 + len(lengths.prefixes[n]) + self._at(ways, place + lengths.quarters[n]) for n in lengths.complete]
        pair = 3 + self._at(ways, place + PAIR) if plan.pair(place) else FAR
        if min(single, default=FAR) <= ways.begin[place] and (found := self._first(mask, "z")):
            return found
        if min(single, default=FAR) <= ways.begin[place] or pair <= ways.begin[place]:
            found = self._first(mask, LETTERS)
            if found:
                return found
        return self._first(mask, "(") or self._first(mask, LETTERS) or self._first(mask, "_=^[") or self._any(mask)

    def _at(self, ways: _Ways, place: int) -> int:
        return ways.after[place] if place < len(ways.after) else FAR

    def _bar(self, s: State, plan: Plan, mask: Mask) -> str:
        move = self.ways(plan.number).moves[s.place]
        if not s.tied and move in ("|]", "||"):
            return move[1]
        line = self.body._line(s)
        return self.next(line, mask)

    def _sound(self, s: State, plan: Plan, mask: Mask) -> str:
        lengths = self.vocabulary.lengths
        if s.kind == Kind.CHORD:
            return self._first(mask, "]") or self._first(mask, ",'") or self._first(mask, LETTERS) or self._any(mask)
        if s.kind == Kind.PARTNER:
            return self._leaving(s, plan, s.place, mask)
        if Kind.TRIPLE < s.kind <= Kind.THIRD:
            if s.length != s.held:
                return self._longer(s, s.held, mask)
            return self._leaving(s, plan, s.place + 2 * lengths.quarters[s.held], mask)
        return self._single(s, plan, mask)

    def _single(self, s: State, plan: Plan, mask: Mask) -> str:
        """The length of a note, a rest, a chord or the first note of a triplet."""
        lengths, ways = self.vocabulary.lengths, self.ways(plan.number)
        times, each = (2, 3) if s.kind == Kind.TRIPLE else (1, 1)
        _, done = plan.fits(times, False, s.place)
        costs = [
            (each * len(text) + self._at(ways, s.place + times * lengths.quarters[n]), n)
            for n, text in enumerate(lengths.prefixes)
            if done >> n & 1 and text.startswith(lengths.prefixes[s.length])
        ]
        cost, best = min(costs, default=(FAR, 0))
        paired = s.kind == Kind.NOTE and not s.length and plan.pair(s.place)
        if paired and 2 + self._at(ways, s.place + PAIR) < cost:
            return self._first(mask, "<>") or self._first(mask, ",'")
        if best != s.length:
            return self._longer(s, best, mask)
        return self._leaving(s, plan, s.place + times * lengths.quarters[best], mask)

    def _longer(self, s: State, wanted: int, mask: Mask) -> str:
        """On to the length string number `wanted`."""
        prefixes = self.vocabulary.lengths.prefixes
        return self._first(mask, prefixes[wanted][len(prefixes[s.length])]) or self._first(mask, ",'")

    def _leaving(self, s: State, plan: Plan, place: int, mask: Mask) -> str:
        """After something that ends at `place`; what still needs octave marks gets them first."""
        if Kind.TRIPLE <= s.kind < Kind.THIRD:
            return self._first(mask, LETTERS) or self._first(mask, ",'") or self._any(mask)
        ways = self.ways(plan.number)
        if move := ways.moves[place]:
            return self._first(mask, move[0]) or self._first(mask, ",'")
        if place % plan.group == 0:
            return self._first(mask, " ") or self._first(mask, ",'")
        if not mask & ~(self.vocabulary.marks[","] | self.vocabulary.marks["'"]):
            return self._first(mask, ",'")
        begin = s._replace(node=Node.BEGIN, place=place, tied=0, fixed=0)
        return self._element(begin, plan, mask)
