"""Complete a tune from any state with about the fewest characters."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from composer.api import Mask
from composer.formats.abc.grammar.bar_plan import FIRST_BAR
from composer.formats.abc.grammar.bar_space import PAIR_LENGTH
from composer.formats.abc.grammar.body import Body
from composer.formats.abc.grammar.part_context import PartContext
from composer.formats.abc.grammar.states import FORCED, Node, State, ToneKind
from composer.formats.abc.grammar.vocabulary import LETTERS

UNREACHABLE = 10**6
"""More characters than any completion takes."""
BAR_COST = 4
"""About the characters of a bar with one note."""


class _Distances:
    """Characters to the end of the tune in one context, by position in the bar: `after` an element that ends there, and
    `begin` where one must start. `moves` holds the best bar line after an element, or "" to continue the bar.
    """  # fmt: skip

    def __init__(self, context: PartContext, line: int, second: int) -> None:
        """`line` and `second` are the characters from the start of the next bar and of the second ending.

        If a number of bars is left, all of them must be written, so a rough estimate of their cost is enough.
        """
        self.after = [UNREACHABLE] * (context.bar + 1)
        self.begin = [UNREACHABLE] * (context.bar + 1)
        self.moves = [""] * (context.bar + 1)
        rest = BAR_COST * (context.left or 0)
        marks = [
            ("|]", context.ends.finals, 4),
            (":|", context.ends.backs, 4 + rest if context.ending != 1 else 5 + second),
            ("||", context.ends.doubles, 5 + 3 * context.bar + rest),
            ("|", context.ends.lines, 1 + line),
        ]
        lengths = context.contexts.vocabulary.lengths
        strings = [(lengths.quarters[number], len(lengths.prefixes[number])) for number in lengths.complete]
        for position in range(context.bar, -1, -1):
            if context.may_begin(position):
                self.begin[position] = min(self._elements(context, position, strings))
            continues = context.space.may_continue(position)
            music = self.begin[position] + (position % context.group == 0) if continues else UNREACHABLE
            near = [(cost, mark) for mark, places, cost in marks if places >> position & 1]
            self.after[position], self.moves[position] = min([*near, (music, "")])

    def _elements(self, context: PartContext, at: int, strings: list[tuple[int, int]]) -> list[int]:
        costs = [UNREACHABLE]
        if context.may_begin_note(at) or context.may_begin_rest(at):
            costs += [1 + size + self.after[at + q] for q, size in strings if at + q <= context.bar]
        if context.may_begin_pair(at):
            costs.append(3 + self.after[at + PAIR_LENGTH])
        if context.may_begin_triplet(at):
            costs += [5 + 3 * size + self.after[at + 2 * q] for q, size in strings if at + 2 * q <= context.bar]
        return costs


class Completions:
    """Choose the next character of a completion."""

    def __init__(self, body: Body) -> None:
        self.body, self.vocabulary = body, body.vocabulary
        self.distances = cache(self._distances)
        self._choosers = {
            Node.PART: self._part, Node.ELEMENT: self._element, Node.SOUND: self._sound, Node.TIED: self._tied,
            Node.BAR: self._bar,
        }  # fmt: skip

    def next(self, s: State, mask: Mask) -> str:
        """Return the next character after `s`, one of `mask`."""
        context = self.body.contexts.all[s.context]
        if s.node in FORCED:
            return FORCED[s.node]
        if s.node in self._choosers:
            return self._choosers[Node(s.node)](s, context, mask)
        return self._first(mask, '"') or self._first(mask, LETTERS) or self._any(mask)

    def _part(self, s: State, context: PartContext, mask: Mask) -> str:
        # without `|]`, only a repeat can end the tune
        repeat = "" if self.vocabulary.has("]") else self._first(mask, "|")
        return repeat or self._element(s, context, mask)

    def _tied(self, s: State, context: PartContext, mask: Mask) -> str:
        if s.position == context.bar:
            return "|"
        return self._first(mask, " ") or self._element(s, context, mask)

    def _distances(self, number: int) -> _Distances:
        context = self.body.contexts.all[number]
        if context.left is not None:
            return _Distances(context, BAR_COST * context.left, BAR_COST * context.left)
        second = self.distances(context.part(context.start, True, 2).number).begin[0] if context.ending == 1 else 0
        line = UNREACHABLE // 4
        if context.start != FIRST_BAR:
            line = min(_Distances(context, UNREACHABLE // 4, second).begin[0], UNREACHABLE // 4)
            if context.repeat and not context.ending and line == UNREACHABLE // 4:
                line = 2 + self.distances(context.part(context.start, True, 1).number).begin[0]
        return _Distances(context, line, second)

    def _first(self, mask: Mask, characters: Iterable[str]) -> str:
        """Return the first of `characters` that is in `mask`; empty if none is."""
        ids = self.vocabulary.ids
        return next((each for each in characters if each in ids and mask >> ids[each] & 1), "")

    def _any(self, mask: Mask) -> str:
        return self.vocabulary.characters[mask.bit_length() - 2]

    def _element(self, s: State, context: PartContext, mask: Mask) -> str:
        """Return the first character of the best element."""
        distances, position = self.distances(context.number), s.position
        lengths = self.vocabulary.lengths
        strings = [(len(lengths.prefixes[n]), lengths.quarters[n]) for n in lengths.complete]
        single = min((1 + size + self._at(distances, position + q) for size, q in strings), default=UNREACHABLE)
        pair = 3 + self._at(distances, position + PAIR_LENGTH) if context.may_begin_pair(position) else UNREACHABLE
        best = distances.begin[position]
        if single <= best and (found := self._first(mask, "z")):
            return found
        if min(single, pair) <= best and (found := self._first(mask, LETTERS)):
            return found
        return self._first(mask, "(") or self._first(mask, LETTERS) or self._first(mask, "_=^[") or self._any(mask)

    def _at(self, distances: _Distances, position: int) -> int:
        return distances.after[position] if position < len(distances.after) else UNREACHABLE

    def _bar(self, s: State, context: PartContext, mask: Mask) -> str:
        move = self.distances(context.number).moves[s.position]
        if not s.tied and move in ("|]", "||"):
            return move[1]
        return self.next(self.body._line(s), mask)

    def _sound(self, s: State, context: PartContext, mask: Mask) -> str:
        lengths = self.vocabulary.lengths
        if s.kind == ToneKind.CHORD:
            return self._first(mask, "]") or self._first(mask, ",'") or self._first(mask, LETTERS) or self._any(mask)
        if s.kind == ToneKind.PAIR_SECOND:
            return self._after_element(s, context, s.position, mask)
        if ToneKind.TRIPLET_FIRST < s.kind <= ToneKind.TRIPLET_THIRD:
            if s.length != s.triplet_length:
                return self._lengthen(s, s.triplet_length, mask)
            return self._after_element(s, context, s.position + 2 * lengths.quarters[s.triplet_length], mask)
        return self._single(s, context, mask)

    def _single(self, s: State, context: PartContext, mask: Mask) -> str:
        """Continue or end the length of a note, a rest, a chord or the first note of a triplet."""
        lengths, distances = self.vocabulary.lengths, self.distances(context.number)
        times, each = (2, 3) if s.kind == ToneKind.TRIPLET_FIRST else (1, 1)
        _, done = context.fits(times, False, s.position)
        costs = [
            (each * len(text) + self._at(distances, s.position + times * lengths.quarters[n]), n)
            for n, text in enumerate(lengths.prefixes)
            if done >> n & 1 and text.startswith(lengths.prefixes[s.length])
        ]
        cost, best = min(costs, default=(UNREACHABLE, 0))
        paired = s.kind == ToneKind.NOTE and not s.length and context.may_begin_pair(s.position)
        if paired and 2 + self._at(distances, s.position + PAIR_LENGTH) < cost:
            return self._first(mask, "<>") or self._first(mask, ",'")
        if best != s.length:
            return self._lengthen(s, best, mask)
        return self._after_element(s, context, s.position + times * lengths.quarters[best], mask)

    def _lengthen(self, s: State, target: int, mask: Mask) -> str:
        """Return the next character toward length prefix number `target`."""
        prefixes = self.vocabulary.lengths.prefixes
        return self._first(mask, prefixes[target][len(prefixes[s.length])]) or self._first(mask, ",'")

    def _after_element(self, s: State, context: PartContext, position: int, mask: Mask) -> str:
        """Return the character after an element that ends at `position`, or an octave mark if one is still needed."""
        if ToneKind.TRIPLET_FIRST <= s.kind < ToneKind.TRIPLET_THIRD:
            return self._first(mask, LETTERS) or self._first(mask, ",'") or self._any(mask)
        distances = self.distances(context.number)
        if move := distances.moves[position]:
            return self._first(mask, move[0]) or self._first(mask, ",'")
        if position % context.group == 0:
            return self._first(mask, " ") or self._first(mask, ",'")
        if not mask & ~(self.vocabulary.marks[","] | self.vocabulary.marks["'"]):
            return self._first(mask, ",'")
        return self._element(s._replace(node=Node.ELEMENT, position=position, tied=0, extra=0), context, mask)
