"""Which durations may start at each position of a bar so that the bar fills exactly and the tune can still end.

This is where a bar's length is enforced. Positions count from the start of the bar in quarters of the unit length, the
shortest length of the dialect. A set of positions or durations is an integer: bit n is set if n belongs to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from composer.formats.abc.dialect.tables import beat_group, lengths, meter_of, unit_of
from composer.formats.abc.grammar.vocabulary import Vocabulary

POSITIONS_PER_UNIT, PAIR_LENGTH = 4, 8
"""The duration of a note without a length, and of two such notes joined by `>` or `<`."""

Positions = int


class BarEnds(NamedTuple):
    """Positions where a bar may end: with `|` (lines), `||` (doubles), `|]` (finals) or `:|` (backs).

    `open` holds the positions from which at least one of these ends can be reached.
    """

    lines: Positions = 0
    doubles: Positions = 0
    finals: Positions = 0
    backs: Positions = 0
    open: Positions = 0


_PASSES = ((False, 0), (True, 0), (True, 1), (True, 2))
"""(repeat, ending): bars of a part without a repeat, of one with a repeat, and of its first and second ending."""

_EndsByPass = Mapping[tuple[bool, int], BarEnds]
_NO_ENDS: _EndsByPass = dict.fromkeys(_PASSES, BarEnds())


class BarSpace:
    """The bars of one meter. Broken rhythm (`>`, `<`) may start at multiples of `pair_step` units; 0 forbids it."""

    def __init__(self, vocabulary: Vocabulary, meter: str, pair_step: int) -> None:
        time = meter_of(meter)
        assert time is not None
        quarter = lengths(unit_of(time))[""] // POSITIONS_PER_UNIT
        self.vocabulary = vocabulary
        self.bar, self.group = time.bar // quarter, beat_group(time) // quarter
        note, rest = vocabulary.letters != 0, vocabulary.has("z")
        durations = {quarters for quarters in vocabulary.lengths.quarters if quarters}
        singles, triplets = sum(1 << each for each in durations), sum(1 << 2 * each for each in durations)
        self.singles = singles if note or rest else 0
        self.rests = singles if rest else 0
        self.notes = singles if note else 0
        self.triplets = triplets if note and vocabulary.has("(3") else 0
        self.pairs = 1 << PAIR_LENGTH if pair_step and note and (vocabulary.has(">") or vocabulary.has("<")) else 0
        self.pair_step = POSITIONS_PER_UNIT * max(pair_step, 1)
        self.blank = vocabulary.has(" ")
        self.positions_reaching = [self._positions_reaching(target) for target in range(self.bar + 1)]
        self._counted: dict[int, list[_EndsByPass]] = {}
        self.positions_before = cache(self._positions_before)
        self.ends = cache(self._ends)
        self.first = cache(self._first)

    def is_satisfiable(self, left: int | None = None) -> bool:
        """Return whether the meter has any tune, with `left` more bars after a pickup if that is a number."""
        if left is None:
            whole = (2 << self.bar) - 1 if self.vocabulary.has("|]") else 0
        else:
            whole = self.ends(0, left - 1)[False, 0].open
        return self.may_begin(0, whole) or any(self.may_begin(0, self.first(each, left).open) for each in (False, True))

    def may_begin(self, position: int, targets: Positions) -> bool:
        """Return whether some element can start at `position` and end at one of `targets`."""
        return bool(self._durations(position) << position & targets)

    def may_continue(self, position: int) -> bool:
        """Return whether another element may follow at `position`; on a beat it needs a blank first."""
        return position < self.bar and (position % self.group != 0 or self.blank)

    def _durations(self, position: int) -> Positions:
        return self.singles | self.triplets | self.pairs_at(position)

    def pairs_at(self, position: int) -> Positions:
        """Return the duration, as a set, of a pair joined by `>` or `<`; empty if none may start at `position`."""
        return 0 if position % self.pair_step else self.pairs

    def _positions_reaching(self, target: int) -> Positions:
        """Return the positions from which elements can fill the bar exactly up to `target`."""
        found = 1 << target
        for position in range(target - 1, 0, -1):
            if self.may_continue(position) and self._durations(position) << position & found:
                found |= 1 << position
        return found

    def _ends(self, start: int, left: int | None = None) -> _EndsByPass:
        """Return where bars may end, by (repeat, ending), in parts that start at position `start` of the bar.

        If `left` is a number, exactly so many bars must start after this one; a pickup does not count as a bar.
        """
        if left is None:
            return self._fixed_point(start, None, True)
        if left < 0:
            return _NO_ENDS
        known = self._counted.setdefault(start, [self._fixed_point(start, _NO_ENDS, True)])
        # once two successive numbers of bars agree, all greater ones do
        while len(known) <= left and not (len(known) > 2 and known[-1] == known[-2]):
            known.append(self._fixed_point(start, known[-1], False))
        return known[min(left, len(known) - 1)]

    def _fixed_point(self, start: int, bars: _EndsByPass | None, may_end: bool) -> _EndsByPass:
        """Return the ends of bars that `bars` may follow; with None, the bars themselves, by iteration."""
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
        """Return the ends of a bar, given those of the `parts` and `bars` after it; `may_end`: the tune may end."""
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
        """Return where the first bar, full or a pickup, may end: wherever the parts that then start can be completed.

        A full first bar counts as one of the bars `left`.
        """
        lines, fewer = 0, None if left is None else left - 1
        for position in range(1, self.bar + 1):
            start = (self.bar - position) % self.bar
            if self.ends(start, left if start else fewer)[repeat, 0].lines:
                lines |= 1 << position
        full = self.ends(0, fewer)[repeat, 0]
        short = 2 if left is None else full.finals
        finals = (full.finals << 1) - short if full.finals else 0
        return self.with_reachable(lines, full.doubles, finals, full.backs)

    def with_reachable(self, lines: Positions, doubles: Positions, finals: Positions, backs: Positions) -> BarEnds:
        """Return these ends, with the positions from which one of them can be reached."""
        if not self.vocabulary.has("|"):
            return BarEnds()
        return BarEnds(lines, doubles, finals, backs, self.positions_before(lines | doubles | finals | backs))

    def _positions_before(self, targets: Positions) -> Positions:
        found = 0
        for position, before in enumerate(self.positions_reaching):
            if targets >> position & 1:
                found |= before
        return found
