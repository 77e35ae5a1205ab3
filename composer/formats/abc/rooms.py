"""Where in a bar what may come so that the bar can still be filled and the tune still be ended.

Positions are counted in quarters of the unit length, the shortest length there is, and sets of them are the bits of
an integer.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from composer.formats.abc.dialect import beat_group, lengths, meter_of, unit_of
from composer.formats.abc.vocabulary import Vocabulary

__all__ = ["PAIR", "UNIT", "Ends", "Rooms"]

UNIT, PAIR = 4, 8
"""How long a note without a length is, and two of them joined by `>` or `<`."""

Positions = int


class Ends(NamedTuple):
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


class Rooms:
    """The bars of one meter. Notes may be joined by `>` or `<` from every `step` units of a bar; 0 for nowhere."""

    def __init__(self, vocabulary: Vocabulary, meter: str, step: int) -> None:
        time = meter_of(meter)
        assert time is not None
        quarter = lengths(unit_of(time))[""] // UNIT
        self.vocabulary = vocabulary
        self.bar, self.group = time.bar // quarter, beat_group(time) // quarter
        note, rest = vocabulary.letters != 0, vocabulary.has("z")
        every = sum(1 << quarters for quarters in set(vocabulary.lengths.quarters) if quarters)
        self.singles = every if note or rest else 0
        self.rests = every if rest else 0
        self.notes = every if note else 0
        self.triplets = sum(1 << 2 * quarters for quarters in set(vocabulary.lengths.quarters) if quarters)
        self.triplets = self.triplets if note and vocabulary.has("(3") else 0
        self.pairs = 1 << PAIR if step and note and (vocabulary.has(">") or vocabulary.has("<")) else 0
        self.pair_step = UNIT * max(step, 1)
        self.blank = vocabulary.has(" ")
        self.ways = [self._ways(target) for target in range(self.bar + 1)]
        self.ends = cache(self._ends)
        self.first = cache(self._first)

    @property
    def viable(self) -> bool:
        """Whether there is any tune in this meter."""
        if self.vocabulary.has("|]\n") and self.begins(0, (2 << self.bar) - 1):
            return True
        return self.begins(0, self.first(False).open) or self.begins(0, self.first(True).open)

    def begins(self, place: int, room: Positions) -> bool:
        """Whether something can begin at `place` and end at one of `room`."""
        return bool(self._spans(place) << place & room)

    def goes_on(self, place: int) -> bool:
        """Whether something can follow something at `place`, as far as the blank between them is concerned."""
        return place < self.bar and (place % self.group != 0 or self.blank)

    def _spans(self, place: int) -> Positions:
        """How long what begins at `place` can be."""
        return self.singles | self.triplets | self.paired(place)

    def paired(self, place: int) -> Positions:
        """How long two notes that are joined can be, where such can begin at `place`."""
        return 0 if place % self.pair_step else self.pairs

    def _ways(self, target: int) -> Positions:
        """From where one can get to `target`."""
        found = 1 << target
        for place in range(target - 1, 0, -1):
            if self.goes_on(place) and self._spans(place) << place & found:
                found |= 1 << place
        return found

    def _ends(self, start: int) -> dict[tuple[bool, int], Ends]:
        """Where bars may end in parts that begin at `start`, by whether they are repeated and by their ending."""
        found = dict.fromkeys(_PASSES, Ends())
        while True:
            more = {each: self._more(start, *each, found) for each in _PASSES}
            if more == found:
                return found
            found = more

    def _more(self, start: int, repeat: bool, ending: int, found: dict[tuple[bool, int], Ends]) -> Ends:
        has = self.vocabulary.has
        full, close = 1 << self.bar, 1 << (start or self.bar)
        back = repeat and ending != 2
        line = self.begins(0, found[repeat, ending].open)
        line = line or (repeat and not ending and has("[1") and self.begins(0, found[True, 1].open))
        part = any(self.begins(start, found[each].open) for each in _PASSES[:2])
        second = ending == 0 or (has("[2") and self.begins(0, found[True, 2].open))
        return self._opened(
            full if line else 0,
            close if part and not back else 0,
            close | full if has("]") and not back else 0,
            close if back and second and has(":") else 0,
        )

    def _first(self, repeat: bool) -> Ends:
        """Where the first bar may end: anywhere, if the parts that then begin there can be ended."""
        lines = 0
        for place in range(1, self.bar + 1):
            if self.ends((self.bar - place) % self.bar)[repeat, 0].lines:
                lines |= 1 << place
        full = self.ends(0)[repeat, 0]
        finals = (2 << self.bar) - 2 if full.finals else 0
        return self._opened(lines, full.doubles, finals, full.backs)

    def _opened(self, lines: Positions, doubles: Positions, finals: Positions, backs: Positions) -> Ends:
        if not self.vocabulary.has("|"):
            return Ends()
        targets, room = lines | doubles | finals | backs, 0
        for place, way in enumerate(self.ways):
            if targets >> place & 1:
                room |= way
        return Ends(lines, doubles, finals, backs, room)
