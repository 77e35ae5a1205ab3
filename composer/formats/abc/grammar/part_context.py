"""What may come at each place of a bar, in one kind of part of a tune with one meter, key and set of breaks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property, lru_cache, partial
from typing import Any, NamedTuple

from composer.api import Mask
from composer.formats.abc.dialect.tables import pair_step
from composer.formats.abc.grammar.allowed_notes import AllowedNotes
from composer.formats.abc.grammar.bar_plan import FIRST_BAR, BarPlan
from composer.formats.abc.grammar.bar_space import BarSpace, Positions
from composer.formats.abc.grammar.vocabulary import Vocabulary
from composer.music.keys import Signature, parse_key

__all__ = ["PartContext", "PartContexts"]

ANY, HORNPIPE, HORNPIPE_WITH_CHORDS, HORNPIPE_WITH_BROKEN_RHYTHM = range(4)
"""Manners of a tune: both chords and broken rhythm, or, in a hornpipe, one of the two; which, may be open yet."""

_HORNPIPES = {"": HORNPIPE, "chords": HORNPIPE_WITH_CHORDS, "broken rhythm": HORNPIPE_WITH_BROKEN_RHYTHM}
"""The manners of hornpipes by what it is known that they have."""

_PAIR_STEPS = (pair_step(""), pair_step("hornpipe"), 0, pair_step("hornpipe"))
"""From how many units on a pair may begin in each manner; 0 where there are none."""


class _ContextKey(NamedTuple):
    meter: str
    key: str
    style: int
    start: int
    repeat: bool
    ending: int
    left: int | None


class PartContexts:
    """All plans of a vocabulary, made when they are first asked for, each with its number."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        bar_plan: BarPlan | None = None,
        allowed_notes: Callable[[str], AllowedNotes] | None = None,
    ) -> None:
        """Of tunes of a `bar_plan`, with the `allowed_notes` of each key; by default, of all tunes."""
        self.vocabulary, self.bar_plan = vocabulary, bar_plan or BarPlan()
        everything = AllowedNotes(vocabulary)
        self.allowed_notes = cache(allowed_notes) if allowed_notes is not None else lambda key: everything
        self.all: list[PartContext] = []
        self._numbers: dict[_ContextKey, int] = {}
        self.space_of = partial(_cached_space, vocabulary)

    def first(self, meter: str, key: str, hornpipe: bool) -> int:
        """The plan of a tune's first bar."""
        manner = _HORNPIPES[self.bar_plan.hornpipe] if hornpipe else ANY
        return self.number(_ContextKey(meter, key, manner, FIRST_BAR, False, 0, self.bar_plan.first))

    def playable(self, key: str) -> bool:
        """Whether there is a note that a tune in `key` may have, where it matters."""
        signature = parse_key(key)
        return signature is not None and self.allowed_notes(key).playable(_alters(signature))

    def number(self, kind: _ContextKey) -> int:
        """The number of a plan."""
        number = self._numbers.setdefault(kind, len(self.all))
        if number == len(self.all):
            self.all.append(PartContext(self, kind, number))
        return number


class PartContext:
    """One plan. Positions are in quarters of the unit length; `bar`, `group` and what `ends` holds are too."""

    def __init__(self, contexts: PartContexts, kind: _ContextKey, number: int) -> None:
        self.contexts, self.kind, self.number = contexts, kind, number
        self.start, self.repeat, self.ending, self.left = kind.start, kind.repeat, kind.ending, kind.left
        self.space = contexts.space_of(kind.meter, _PAIR_STEPS[kind.style])
        self.bar, self.group = self.space.bar, self.space.group
        self.bar_plan, self.allowed_notes = contexts.bar_plan, contexts.allowed_notes(kind.key)
        self.ends = self.bar_plan.ends(self.space, kind.start, kind.repeat, kind.ending, kind.left)
        self.may_end, self.may_continue = (
            self.bar_plan.may_end(kind.left, kind.start),
            self.bar_plan.may_continue(kind.left, kind.start),
        )
        self.may_start_first_ending = self.bar_plan.may_start_first_ending(kind.left)
        self.expected = self.bar_plan.tied_tones(kind.left)
        self.open: Positions = self.ends.open
        key = parse_key(kind.key)
        assert key is not None
        self.alters = _alters(key)
        self.fits = cache(self._fits)
        self.after_element = cache(self._after_element)
        self.first_characters = cache(self._first_characters)
        self.may_tie = cache(self._may_tie)

    def part(self, start: int, repeat: bool = False, ending: int = 0) -> PartContext:
        """The plan of another kind of part."""
        return self._with(start=start, repeat=repeat, ending=ending)

    def after_bar_line(self, place: int) -> PartContext:
        """The plan after a bar line at `place`."""
        return self.with_first_bar_end(place).next_bar(True)

    def with_first_bar_end(self, place: int) -> PartContext:
        """The plan of this bar once it is known that it ends at `place`, and so, where the parts begin."""
        if self.start != FIRST_BAR:
            return self
        start = (self.bar - place) % self.bar
        return self._with(start=start, left=self.bar_plan.after_first_bar(self.kind.left, start == 0))

    def next_bar(self, full: bool) -> PartContext:
        """The plan of the next bar, which begins a bar of its own or is a pickup."""
        left = self.bar_plan.after_bar(self.kind.left, full)
        return self if left == self.kind.left else self._with(left=left)

    @cached_property
    def with_chords(self) -> PartContext:
        """The plan once there is a chord."""
        return self._with(style=HORNPIPE_WITH_CHORDS) if self.kind.style == HORNPIPE else self

    @cached_property
    def with_broken_rhythm(self) -> PartContext:
        """The plan once there is broken rhythm."""
        return self._with(style=HORNPIPE_WITH_BROKEN_RHYTHM) if self.kind.style == HORNPIPE else self

    def _with(self, **changed: Any) -> PartContext:
        return self.contexts.all[self.contexts.number(self.kind._replace(**changed))]

    def may_begin_note(self, place: int) -> bool:
        """Whether a note can begin at `place`."""
        rooms = self.space
        return bool(rooms.notes << place & self.open) or self.may_begin_pair(place)

    def may_begin_pair(self, place: int) -> bool:
        """Whether a note without a length at `place` can be joined to a next one by `>` or `<`."""
        return bool(self.space.paired(place) << place & self.open)

    def may_begin_rest(self, place: int) -> bool:
        """Whether a rest can begin at `place`."""
        return bool(self.space.rests << place & self.open)

    def may_begin_triplet(self, place: int) -> bool:
        """Whether a triplet can begin at `place`."""
        return bool(self.space.triplets << place & self.open)

    def may_begin_chord(self, place: int) -> bool:
        """Whether a chord can begin at `place`, if there is one that can be written."""
        vocabulary = self.contexts.vocabulary
        if self.kind.style == HORNPIPE_WITH_BROKEN_RHYTHM or not vocabulary.has("[]"):
            return False
        return bool(self.space.notes << place & self.with_chords.open)

    def may_begin(self, place: int) -> bool:
        """Whether anything can begin at `place`."""
        return self.space.may_begin(place, self.open)

    def _fits(self, times: int, paired: bool, place: int) -> tuple[tuple[Mask, ...], Positions]:
        """For what begins at `place`: the characters that may follow each beginning of a length, and the beginnings
        (as bits) that may be the whole of it. `times` is 2 for a triplet, which takes twice the length of a note.
        """  # fmt: skip
        vocabulary = self.contexts.vocabulary
        lengths = vocabulary.lengths
        done = sum(
            1 << number for number in lengths.complete if self.open >> place + times * lengths.quarters[number] & 1
        )
        if paired and self.may_begin_pair(place):
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

    def _after_element(self, place: int) -> Mask:
        """What may come after something that ends at `place`, but for chords, ties, `>` and `<`."""
        vocabulary, ends, at = self.contexts.vocabulary, self.ends, 1 << place
        mask = vocabulary.bits("|") if (ends.lines | ends.doubles | ends.finals) & at else 0
        mask |= vocabulary.bits(":") if ends.backs & at else 0
        if not self.space.may_continue(place) or not self.may_begin(place):
            return mask
        return mask | (self.first_characters(place) if place % self.group else vocabulary.bits(" "))

    def _first_characters(self, place: int) -> Mask:
        """What something that begins at `place` may begin with, but for chords."""
        vocabulary = self.contexts.vocabulary
        mask = vocabulary.tones if self.may_begin_note(place) else 0
        mask |= vocabulary.bits("z") if self.may_begin_rest(place) else 0
        mask |= vocabulary.bits("(") if self.may_begin_triplet(place) else 0
        symbols = vocabulary.has('"') and vocabulary.bits("ABCDEFG")
        return mask | (vocabulary.bits('"') if mask and symbols else 0)

    def tie_may_end(self, place: int, chord: bool) -> bool:
        """Whether a note that is tied to one before can begin at `place`."""
        return self.may_begin_chord(place) if chord else self.may_begin_note(place) or self.may_begin_triplet(place)

    def tie_may_cross_bar(self, place: int, chord: bool) -> bool:
        """Whether a bar line may stand at `place` where a tie goes over it."""
        return bool(self.ends.lines >> place & 1) and self.after_bar_line(place).tie_may_end(0, chord)

    def _may_tie(self, place: int, chord: bool) -> bool:
        """Whether a tie may stand after a note that ends at `place`."""
        if not self.contexts.vocabulary.has("-"):
            return False
        return (self.space.may_continue(place) and self.tie_may_end(place, chord)) or self.tie_may_cross_bar(
            place, chord
        )


_cached_space = lru_cache(maxsize=128)(BarSpace)
"""The rooms of a vocabulary, which those who ask for one automaton after another make only once."""


def _alters(key: Signature) -> int:
    """The accidentals of a key, two bits for each letter."""
    return sum((alter + 1) << 2 * letter for letter, alter in enumerate(key.alters))
