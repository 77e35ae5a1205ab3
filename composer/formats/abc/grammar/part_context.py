"""What may come at each place of a bar, in one kind of part of a tune with one meter, key and set of breaks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property, lru_cache, partial
from typing import Any, NamedTuple

from composer.api import Mask
from composer.formats.abc.dialect.tables import pair_step
from composer.formats.abc.grammar.allowed_notes import Palette
from composer.formats.abc.grammar.bar_plan import FIRST, Form
from composer.formats.abc.grammar.bar_space import Positions, Rooms
from composer.formats.abc.grammar.vocabulary import Vocabulary
from composer.music.keys import Signature, parse_key

__all__ = ["Plan", "Plans"]

ANY, HORNPIPE, CHORDAL, BROKEN = range(4)
"""Manners of a tune: both chords and broken rhythm, or, in a hornpipe, one of the two; which, may be open yet."""

_HORNPIPES = {"": HORNPIPE, "chords": CHORDAL, "broken rhythm": BROKEN}
"""The manners of hornpipes by what it is known that they have."""

_PAIR_STEPS = (pair_step(""), pair_step("hornpipe"), 0, pair_step("hornpipe"))
"""From how many units on a pair may begin in each manner; 0 where there are none."""


class _Kind(NamedTuple):
    meter: str
    key: str
    manner: int
    start: int
    repeat: bool
    ending: int
    left: int | None


class Plans:
    """All plans of a vocabulary, made when they are first asked for, each with its number."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        form: Form | None = None,
        palette: Callable[[str], Palette] | None = None,
    ) -> None:
        """Of tunes of a `form`, with the `palette` of each key; by default, of all tunes."""
        self.vocabulary, self.form = vocabulary, form or Form()
        everything = Palette(vocabulary)
        self.palette = cache(palette) if palette is not None else lambda key: everything
        self.all: list[Plan] = []
        self._numbers: dict[_Kind, int] = {}
        self.rooms = partial(_rooms, vocabulary)

    def first(self, meter: str, key: str, hornpipe: bool) -> int:
        """The plan of a tune's first bar."""
        manner = _HORNPIPES[self.form.hornpipe] if hornpipe else ANY
        return self.number(_Kind(meter, key, manner, FIRST, False, 0, self.form.first))

    def playable(self, key: str) -> bool:
        """Whether there is a note that a tune in `key` may have, where it matters."""
        signature = parse_key(key)
        return signature is not None and self.palette(key).playable(_alters(signature))

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
        self.start, self.repeat, self.ending, self.left = kind.start, kind.repeat, kind.ending, kind.left
        self.rooms = plans.rooms(kind.meter, _PAIR_STEPS[kind.manner])
        self.bar, self.group = self.rooms.bar, self.rooms.group
        self.form, self.palette = plans.form, plans.palette(kind.key)
        self.ends = self.form.ends(self.rooms, kind.start, kind.repeat, kind.ending, kind.left)
        self.over, self.goes_on = self.form.over(kind.left, kind.start), self.form.goes_on(kind.left, kind.start)
        self.forks = self.form.forks(kind.left)
        self.expected = self.form.tied(kind.left)
        self.open: Positions = self.ends.open
        key = parse_key(kind.key)
        assert key is not None
        self.alters = _alters(key)
        self.fits = cache(self._fits)
        self.follow = cache(self._follow)
        self.begin = cache(self._begin)
        self.tie = cache(self._tie)

    def part(self, start: int, repeat: bool = False, ending: int = 0) -> Plan:
        """The plan of another kind of part."""
        return self._with(start=start, repeat=repeat, ending=ending)

    def line(self, place: int) -> Plan:
        """The plan after a bar line at `place`."""
        return self.opened(place).after(True)

    def opened(self, place: int) -> Plan:
        """The plan of this bar once it is known that it ends at `place`, and so, where the parts begin."""
        if self.start != FIRST:
            return self
        start = (self.bar - place) % self.bar
        return self._with(start=start, left=self.form.opened(self.kind.left, start == 0))

    def after(self, full: bool) -> Plan:
        """The plan of the next bar, which begins a bar of its own or is a pickup."""
        left = self.form.after(self.kind.left, full)
        return self if left == self.kind.left else self._with(left=left)

    @cached_property
    def chordal(self) -> Plan:
        """The plan once there is a chord."""
        return self._with(manner=CHORDAL) if self.kind.manner == HORNPIPE else self

    @cached_property
    def broken(self) -> Plan:
        """The plan once there is broken rhythm."""
        return self._with(manner=BROKEN) if self.kind.manner == HORNPIPE else self

    def _with(self, **changed: Any) -> Plan:
        return self.plans.all[self.plans.number(self.kind._replace(**changed))]

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

    def _follow(self, place: int) -> Mask:
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


_rooms = lru_cache(maxsize=128)(Rooms)
"""The rooms of a vocabulary, which those who ask for one automaton after another make only once."""


def _alters(key: Signature) -> int:
    """The accidentals of a key, two bits for each letter."""
    return sum((alter + 1) << 2 * letter for letter, alter in enumerate(key.alters))
