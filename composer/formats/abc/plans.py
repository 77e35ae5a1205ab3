"""What may come at each place of a bar, in one kind of part of a tune with one meter, key and set of breaks."""

from __future__ import annotations

from functools import cache, cached_property
from typing import NamedTuple

from composer.api import Mask
from composer.formats.abc.dialect import pair_step
from composer.formats.abc.keys import parse_key
from composer.formats.abc.rooms import Ends, Positions, Rooms
from composer.formats.abc.vocabulary import Vocabulary

__all__ = ["FIRST", "Plan", "Plans"]

FIRST = -1
"""Where parts begin in the bar while the first bar, which may be a pickup, is not over."""

ANY, HORNPIPE, CHORDAL, BROKEN = range(4)
"""Manners of a tune: both chords and broken rhythm, or, in a hornpipe, one of the two; which, may be open yet."""

_PAIR_STEPS = (pair_step(""), pair_step("hornpipe"), 0, pair_step("hornpipe"))
"""From how many units on a pair may begin in each manner; 0 where there are none."""


class _Kind(NamedTuple):
    meter: str
    key: str
    manner: int
    start: int
    repeat: bool
    ending: int


class Plans:
    """All plans of a vocabulary, made when they are first asked for, each with its number."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.all: list[Plan] = []
        self._numbers: dict[_Kind, int] = {}
        self.rooms = cache(lambda meter, step: Rooms(vocabulary, meter, step))

    def first(self, meter: str, key: str, hornpipe: bool) -> int:
        """The plan of a tune's first bar."""
        return self.number(_Kind(meter, key, HORNPIPE if hornpipe else ANY, FIRST, False, 0))

    def number(self, kind: _Kind) -> int:
        """The number of a plan."""
        number = self._numbers.setdefault(kind, len(self.all))
        if number == len(self.all):
            self.all.append(Plan(self, kind, number))
        return number


class Plan:
    """One plan. Positions are in quarters of the unit length; `bar`, `group` and what `ends` holds are too."""

    def __init__(self, plans: Plans, kind: _Kind, number: int) -> None:
        self.plans, self.kind, self.number = plans, kind, number
        self.start, self.repeat, self.ending = kind.start, kind.repeat, kind.ending
        self.rooms = plans.rooms(kind.meter, _PAIR_STEPS[kind.manner])
        self.bar, self.group = self.rooms.bar, self.rooms.group
        self.ends: Ends = (
            self.rooms.first(kind.repeat)
            if kind.start == FIRST
            else self.rooms.ends(kind.start)[kind.repeat, kind.ending]
        )
        self.open: Positions = self.ends.open
        key = parse_key(kind.key)
        assert key is not None
        self.alters = sum((alter + 1) << 2 * letter for letter, alter in enumerate(key.alters))
        self.fits = cache(self._fits)
        self.after = cache(self._after)
        self.begin = cache(self._begin)
        self.tie = cache(self._tie)

    def part(self, start: int, repeat: bool = False, ending: int = 0) -> Plan:
        """The plan of another kind of part."""
        plans = self.plans
        return plans.all[plans.number(self.kind._replace(start=start, repeat=repeat, ending=ending))]

    def line(self, place: int) -> Plan:
        """The plan after a bar line at `place`."""
        if self.start != FIRST:
            return self
        return self.part((self.bar - place) % self.bar, self.repeat)

    @cached_property
    def chordal(self) -> Plan:
        """The plan once there is a chord."""
        return self._mannered(CHORDAL) if self.kind.manner == HORNPIPE else self

    @cached_property
    def broken(self) -> Plan:
        """The plan once there is broken rhythm."""
        return self._mannered(BROKEN) if self.kind.manner == HORNPIPE else self

    def _mannered(self, manner: int) -> Plan:
        return self.plans.all[self.plans.number(self.kind._replace(manner=manner))]

    def note(self, place: int) -> bool:
        """Whether a note can begin at `place`."""
        rooms = self.rooms
        return bool(rooms.notes << place & self.open) or self.pair(place)

    def pair(self, place: int) -> bool:
        """Whether a note without a length at `place` can be joined to a next one by `>` or `<`."""
        return bool(self.rooms.paired(place) << place & self.open)

    def rest(self, place: int) -> bool:
        """Whether a rest can begin at `place`."""
        return bool(self.rooms.rests << place & self.open)

    def triplet(self, place: int) -> bool:
        """Whether a triplet can begin at `place`."""
        return bool(self.rooms.triplets << place & self.open)

    def chord(self, place: int) -> bool:
        """Whether a chord can begin at `place`, if there is one that can be written."""
        vocabulary = self.plans.vocabulary
        if self.kind.manner == BROKEN or not vocabulary.has("[]"):
            return False
        return bool(self.rooms.notes << place & self.chordal.open)

    def begins(self, place: int) -> bool:
        """Whether anything can begin at `place`."""
        return self.rooms.begins(place, self.open)

    def _fits(self, times: int, paired: bool, place: int) -> tuple[tuple[Mask, ...], Positions]:
        """For what begins at `place`: the characters that may follow each beginning of a length, and the beginnings
        (as bits) that may be the whole of it. `times` is 2 for a triplet, which takes twice the length of a note.
        """  # fmt: skip
        vocabulary = self.plans.vocabulary
        lengths = vocabulary.lengths
        done = sum(
            1 << number for number in lengths.complete if self.open >> place + times * lengths.quarters[number] & 1
        )
        if paired and self.pair(place):
            done |= 1
        useful = done
        for number in reversed(range(len(lengths.prefixes))):
            if any(useful >> child & 1 for child in lengths.next[number].values()):
                useful |= 1 << number
        masks = tuple(
            vocabulary.bits(character for character, child in children.items() if useful >> child & 1)
            for children in lengths.next
        )
        return masks, done

    def _after(self, place: int) -> Mask:
        """What may come after something that ends at `place`, but for chords, ties, `>` and `<`."""
        vocabulary, ends, at = self.plans.vocabulary, self.ends, 1 << place
        mask = vocabulary.bits("|") if (ends.lines | ends.doubles | ends.finals) & at else 0
        mask |= vocabulary.bits(":") if ends.backs & at else 0
        if not self.rooms.goes_on(place) or not self.begins(place):
            return mask
        return mask | (self.begin(place) if place % self.group else vocabulary.bits(" "))

    def _begin(self, place: int) -> Mask:
        """What something that begins at `place` may begin with, but for chords."""
        vocabulary = self.plans.vocabulary
        mask = vocabulary.tones if self.note(place) else 0
        mask |= vocabulary.bits("z") if self.rest(place) else 0
        mask |= vocabulary.bits("(") if self.triplet(place) else 0
        symbols = vocabulary.has('"') and vocabulary.bits("ABCDEFG")
        return mask | (vocabulary.bits('"') if mask and symbols else 0)

    def held(self, place: int, chord: bool) -> bool:
        """Whether a note that is tied to one before can begin at `place`."""
        return self.chord(place) if chord else self.note(place) or self.triplet(place)

    def held_over(self, place: int, chord: bool) -> bool:
        """Whether a bar line may stand at `place` where a tie goes over it."""
        return bool(self.ends.lines >> place & 1) and self.line(place).held(0, chord)

    def _tie(self, place: int, chord: bool) -> bool:
        """Whether a tie may stand after a note that ends at `place`."""
        if not self.plans.vocabulary.has("-"):
            return False
        return (self.rooms.goes_on(place) and self.held(place, chord)) or self.held_over(place, chord)
