"""Where in a bar what may come so that the bar can still be filled and the tune still be ended.

Positions are counted in quarters of the unit length, the shortest length there is, and sets of them are the bits of
an integer.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from composer.formats.abc.dialect.tables import beat_group, lengths, meter_of, unit_of
from composer.formats.abc.grammar.vocabulary import Vocabulary

__all__ = ["PAIR_LENGTH", "POSITIONS_PER_UNIT", "BarEnds", "BarSpace"]

POSITIONS_PER_UNIT, PAIR_LENGTH = 4, 8
"""How long a note without a length is, and two of them joined by `>` or `<`."""

Positions = int


class BarEnds(NamedTuple):
    """Where bars may end: at `lines` with `|`, at `doubles` with `||`, at `finals` with `|]` and at `backs` with `:|`.

    From the positions in `open`, and no others, one of these can be reached.
    """

    lines: Positions = 0
    doubles: Positions = 0
    finals: Positions = 0
    backs: Positions = 0
    open: Positions = 0


_PASSES = ((False, 0), (True, 0), (True, 1), (True, 2))
"""Parts without and with a repeat, and the two endings of the latter."""

_EndsByPass = Mapping[tuple[bool, int], BarEnds]
_NO_ENDS: _EndsByPass = dict.fromkeys(_PASSES, BarEnds())


class BarSpace:
    """The bars of one meter. Notes may be joined by `>` or `<` from every `step` units of a bar; 0 for nowhere."""

    def __init__(self, vocabulary: Vocabulary, meter: str, step: int) -> None:
        time = meter_of(meter)
        assert time is not None
        quarter = lengths(unit_of(time))[""] // POSITIONS_PER_UNIT
        self.vocabulary = vocabulary
        self.bar, self.group = time.bar // quarter, beat_group(time) // quarter
        note, rest = vocabulary.letters != 0, vocabulary.has("z")
        every = sum(1 << quarters for quarters in set(vocabulary.lengths.quarters) if quarters)
        self.singles = every if note or rest else 0
        self.rests = every if rest else 0
        self.notes = every if note else 0
        self.triplets = sum(1 << 2 * quarters for quarters in set(vocabulary.lengths.quarters) if quarters)
        self.triplets = self.triplets if note and vocabulary.has("(3") else 0
        self.pairs = 1 << PAIR_LENGTH if step and note and (vocabulary.has(">") or vocabulary.has("<")) else 0
        self.pair_step = POSITIONS_PER_UNIT * max(step, 1)
        self.blank = vocabulary.has(" ")
        self.positions_reaching = [self._positions_reaching(target) for target in range(self.bar + 1)]
        self._counted: dict[int, list[_EndsByPass]] = {}
        self.positions_before = cache(self._positions_before)
        self.ends = cache(self._ends)
        self.first = cache(self._first)

    def is_satisfiable(self, left: int | None = None) -> bool:
        """Whether there is any tune in this meter, of `left` bars where that is a number."""
        if left is None:
            whole = (2 << self.bar) - 1 if self.vocabulary.has("|]") else 0
        else:
            whole = self.ends(0, left - 1)[False, 0].open
        return self.may_begin(0, whole) or any(
            self.may_begin(0, self.first(repeat, left).open) for repeat in (False, True)
        )

    def may_begin(self, place: int, targets: Positions) -> bool:
        """Whether something can begin at `place` and end at one of `targets`."""
        return bool(self._spans(place) << place & targets)

    def may_continue(self, place: int) -> bool:
        """Whether something can follow something at `place`, as far as the blank between them is concerned."""
        return place < self.bar and (place % self.group != 0 or self.blank)

    def _spans(self, place: int) -> Positions:
        """How long what begins at `place` can be."""
        return self.singles | self.triplets | self.paired(place)

    def paired(self, place: int) -> Positions:
        """How long two notes that are joined can be, where such can begin at `place`."""
        return 0 if place % self.pair_step else self.pairs

    def _positions_reaching(self, target: int) -> Positions:
        """From where one can get to `target`."""
        found = 1 << target
        for place in range(target - 1, 0, -1):
            if self.may_continue(place) and self._spans(place) << place & found:
                found |= 1 << place
        return found

    def _ends(self, start: int, left: int | None = None) -> _EndsByPass:
        """Where bars may end in parts that begin at `start`, by whether they are repeated and by their ending.

        Where `left` is a number, so many bars must still begin after this one. A pickup is no bar of its own, and then
        no part either.
        """
        if left is None:
            return self._fixed_point(start, None, True)
        if left < 0:
            return _NO_ENDS
        known = self._counted.setdefault(start, [self._fixed_point(start, _NO_ENDS, True)])
        # what two numbers of bars have in common, all greater ones have
        while len(known) <= left and not (len(known) > 2 and known[-1] == known[-2]):
            known.append(self._fixed_point(start, known[-1], False))
        return known[min(left, len(known) - 1)]

    def _fixed_point(self, start: int, bars: _EndsByPass | None, may_end: bool) -> _EndsByPass:
        """The ends of bars which `bars`, or where that is None, such bars again may follow."""
        found = _NO_ENDS
        while True:
            after = found if bars is None else bars
            parts = found if start else after
            if may_end and bars is not None:
                parts = _NO_ENDS
            more = {each: self._extend(start, *each, parts, after, may_end) for each in _PASSES}
            if more == found:
                return found
            found = more

    def _extend(
        self, start: int, repeat: bool, ending: int, parts: _EndsByPass, bars: _EndsByPass, may_end: bool
    ) -> BarEnds:
        """One step towards the ends, from those of the `parts` and `bars` that may follow; it may be `may_end`
        instead.
        """
        has = self.vocabulary.has
        full, close = 1 << self.bar, 1 << (start or self.bar)
        back = repeat and ending != 2
        line = self.may_begin(0, bars[repeat, ending].open)
        line = line or (repeat and not ending and has("[1") and self.may_begin(0, bars[True, 1].open))
        part = any(self.may_begin(start, parts[each].open) for each in _PASSES[:2])
        second = has("[2") and self.may_begin(0, bars[True, 2].open)
        return self.with_reachable(
            full if line else 0,
            close if part and not back else 0,
            close | full if has("]") and not back and may_end else 0,
            close if back and has(":") and (second if ending else part or may_end) else 0,
        )

    def _first(self, repeat: bool, left: int | None = None) -> BarEnds:
        """Where the first bar may end: anywhere, if the parts that then begin there can be ended.

        It is one of the bars that are `left` where it is no pickup.
        """
        lines, fewer = 0, None if left is None else left - 1
        for place in range(1, self.bar + 1):
            start = (self.bar - place) % self.bar
            if self.ends(start, left if start else fewer)[repeat, 0].lines:
                lines |= 1 << place
        full = self.ends(0, fewer)[repeat, 0]
        short = 2 if left is None else full.finals
        finals = (full.finals << 1) - short if full.finals else 0
        return self.with_reachable(lines, full.doubles, finals, full.backs)

    def with_reachable(self, lines: Positions, doubles: Positions, finals: Positions, backs: Positions) -> BarEnds:
        """The ends at these positions, and from where one of them can be reached."""
        if not self.vocabulary.has("|"):
            return BarEnds()
        return BarEnds(lines, doubles, finals, backs, self.positions_before(lines | doubles | finals | backs))

    def _positions_before(self, targets: Positions) -> Positions:
        """From where one can get to one of `targets`."""
        room = 0
        for place, way in enumerate(self.positions_reaching):
            if targets >> place & 1:
                room |= way
        return room
