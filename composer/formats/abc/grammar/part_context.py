"""What may start at each position of a bar, in one kind of part of a tune in one meter and key."""

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

ANY, HORNPIPE, HORNPIPE_WITH_CHORDS, HORNPIPE_WITH_BROKEN_RHYTHM = range(4)
"""Styles of a tune: with chords and broken rhythm, or a hornpipe, which has one of the two, still open or decided."""

_HORNPIPES = {"": HORNPIPE, "chords": HORNPIPE_WITH_CHORDS, "broken rhythm": HORNPIPE_WITH_BROKEN_RHYTHM}
"""The style of a hornpipe by what it already has (see `BarPlan.hornpipe`)."""

_PAIR_STEPS = (pair_step(""), pair_step("hornpipe"), 0, pair_step("hornpipe"))
"""By style, the units on whose multiples a pair joined by `>` or `<` may start; 0 for none."""


class _ContextSpec(NamedTuple):
    """All that a context depends on. Parts start at position `start` of a bar; `left` bars follow this one."""

    meter: str
    key: str
    style: int
    start: int
    repeat: bool
    ending: int
    left: int | None


class PartContexts:
    """The contexts of a vocabulary by number, each made when first needed."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        bar_plan: BarPlan | None = None,
        allowed_notes: Callable[[str], AllowedNotes] | None = None,
    ) -> None:
        """`allowed_notes` returns the notes of a key; by default, any bars and any notes are allowed."""
        self.vocabulary, self.bar_plan = vocabulary, bar_plan or BarPlan()
        everything = AllowedNotes(vocabulary)
        self.allowed_notes = cache(allowed_notes) if allowed_notes is not None else lambda key: everything
        self.all: list[PartContext] = []
        self._numbers: dict[_ContextSpec, int] = {}
        self.space_of = partial(_cached_space, vocabulary)

    def first(self, meter: str, key: str, hornpipe: bool) -> int:
        """Return the number of the context of a tune's first bar."""
        style = _HORNPIPES[self.bar_plan.hornpipe] if hornpipe else ANY
        return self.number(_ContextSpec(meter, key, style, FIRST_BAR, False, 0, self.bar_plan.first))

    def playable(self, key: str) -> bool:
        """Return whether a tune in `key` has any allowed note."""
        signature = parse_key(key)
        return signature is not None and self.allowed_notes(key).playable(_alters(signature))

    def number(self, spec: _ContextSpec) -> int:
        number = self._numbers.setdefault(spec, len(self.all))
        if number == len(self.all):
            self.all.append(PartContext(self, spec, number))
        return number


class PartContext:
    """One context. `bar`, `group` and all positions are in quarters of the unit length (see `bar_space`)."""

    def __init__(self, contexts: PartContexts, spec: _ContextSpec, number: int) -> None:
        self.contexts, self.spec, self.number = contexts, spec, number
        self.start, self.repeat, self.ending, self.left = spec.start, spec.repeat, spec.ending, spec.left
        self.space = contexts.space_of(spec.meter, _PAIR_STEPS[spec.style])
        self.bar, self.group = self.space.bar, self.space.group
        self.bar_plan, self.allowed_notes = contexts.bar_plan, contexts.allowed_notes(spec.key)
        self.ends = self.bar_plan.ends(self.space, spec.start, spec.repeat, spec.ending, spec.left)
        self.may_end = self.bar_plan.may_end(spec.left, spec.start)
        self.may_continue = self.bar_plan.may_continue(spec.left, spec.start)
        self.may_start_first_ending = self.bar_plan.may_start_first_ending(spec.left)
        self.expected_tones = self.bar_plan.tied_tones(spec.left)
        self.open: Positions = self.ends.open
        key = parse_key(spec.key)
        assert key is not None
        self.alters = _alters(key)
        self.fits = cache(self._fits)
        self.after_element = cache(self._after_element)
        self.first_characters = cache(self._first_characters)
        self.may_tie = cache(self._may_tie)

    def part(self, start: int, repeat: bool = False, ending: int = 0) -> PartContext:
        """Return the context for another kind of part."""
        return self._with(start=start, repeat=repeat, ending=ending)

    def after_bar_line(self, position: int) -> PartContext:
        return self.with_first_bar_end(position).next_bar(True)

    def with_first_bar_end(self, position: int) -> PartContext:
        """Return the context given that this bar ends at `position`; the first bar fixes where parts start."""
        if self.start != FIRST_BAR:
            return self
        start = (self.bar - position) % self.bar
        return self._with(start=start, left=self.bar_plan.after_first_bar(self.spec.left, start == 0))

    def next_bar(self, full: bool) -> PartContext:
        """Return the context of the next bar, which is a full one or a pickup."""
        left = self.bar_plan.after_bar(self.spec.left, full)
        return self if left == self.spec.left else self._with(left=left)

    @cached_property
    def with_chords(self) -> PartContext:
        return self._with(style=HORNPIPE_WITH_CHORDS) if self.spec.style == HORNPIPE else self

    @cached_property
    def with_broken_rhythm(self) -> PartContext:
        return self._with(style=HORNPIPE_WITH_BROKEN_RHYTHM) if self.spec.style == HORNPIPE else self

    def _with(self, **changed: Any) -> PartContext:
        return self.contexts.all[self.contexts.number(self.spec._replace(**changed))]

    def may_begin_note(self, position: int) -> bool:
        return bool(self.space.notes << position & self.open) or self.may_begin_pair(position)

    def may_begin_pair(self, position: int) -> bool:
        """Return whether a pair joined by `>` or `<` may start at `position`."""
        return bool(self.space.pairs_at(position) << position & self.open)

    def may_begin_rest(self, position: int) -> bool:
        return bool(self.space.rests << position & self.open)

    def may_begin_triplet(self, position: int) -> bool:
        return bool(self.space.triplets << position & self.open)

    def may_begin_chord(self, position: int) -> bool:
        """Return whether a chord may start at `position`, as far as the bar is concerned."""
        if self.spec.style == HORNPIPE_WITH_BROKEN_RHYTHM or not self.contexts.vocabulary.has("[]"):
            return False
        return bool(self.space.notes << position & self.with_chords.open)

    def may_begin(self, position: int) -> bool:
        """Return whether any element may start at `position`."""
        return self.space.may_begin(position, self.open)

    def _fits(self, times: int, paired: bool, position: int) -> tuple[tuple[Mask, ...], Positions]:
        """Return the lengths that fit at `position`: by length prefix, the mask of next characters; and the prefixes,
        as bits, that are a complete length. `times` is 2 for a triplet, which lasts twice as long as its first note.
        """  # fmt: skip
        vocabulary = self.contexts.vocabulary
        lengths = vocabulary.lengths
        done = sum(1 << n for n in lengths.complete if self.open >> position + times * lengths.quarters[n] & 1)
        if paired and self.may_begin_pair(position):
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

    def _after_element(self, position: int) -> Mask:
        """Return what may follow an element that ends at `position`, except chords, ties, `>` and `<`."""
        vocabulary, ends, at = self.contexts.vocabulary, self.ends, 1 << position
        mask = vocabulary.bits("|") if (ends.lines | ends.doubles | ends.finals) & at else 0
        mask |= vocabulary.bits(":") if ends.backs & at else 0
        if not self.space.may_continue(position) or not self.may_begin(position):
            return mask
        return mask | (self.first_characters(position) if position % self.group else vocabulary.bits(" "))

    def _first_characters(self, position: int) -> Mask:
        """Return the first characters of elements that may start at `position`, except chords."""
        vocabulary = self.contexts.vocabulary
        mask = vocabulary.tones if self.may_begin_note(position) else 0
        mask |= vocabulary.bits("z") if self.may_begin_rest(position) else 0
        mask |= vocabulary.bits("(") if self.may_begin_triplet(position) else 0
        symbols = vocabulary.has('"') and vocabulary.bits("ABCDEFG")
        return mask | (vocabulary.bits('"') if mask and symbols else 0)

    def tie_may_end(self, position: int, chord: bool) -> bool:
        """Return whether a note or chord that is tied to the one before may start at `position`."""
        if chord:
            return self.may_begin_chord(position)
        return self.may_begin_note(position) or self.may_begin_triplet(position)

    def tie_may_cross_bar(self, position: int, chord: bool) -> bool:
        return bool(self.ends.lines >> position & 1) and self.after_bar_line(position).tie_may_end(0, chord)

    def _may_tie(self, position: int, chord: bool) -> bool:
        """Return whether a tie may follow a note or chord that ends at `position`."""
        if not self.contexts.vocabulary.has("-"):
            return False
        here = self.space.may_continue(position) and self.tie_may_end(position, chord)
        return here or self.tie_may_cross_bar(position, chord)


_cached_space = lru_cache(maxsize=128)(BarSpace)
"""Shared by successive automata of one vocabulary."""


def _alters(key: Signature) -> int:
    """Pack a key's accidentals, two bits per letter."""
    return sum((alter + 1) << 2 * letter for letter, alter in enumerate(key.alters))
