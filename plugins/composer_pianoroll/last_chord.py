"""Last chords: rolls that end with one as long as those of the training data, or the tonic's if a key is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from composer.api import Constraint, FrameRule, Limit
from composer.music.keys import has_minor_third, parse_key, pitch_class
from composer.toolkit.representations.wrapped_constraint import COUNT_BITS, CountingGuard
from composer_pianoroll.frames import Layout, Roll
from composer_pianoroll.voice_leading import FAULT, Closing

_PIECES = 0.9
"""Share of the training pieces whose last chord is at least as long as the usual one. It is a beat in chorales."""
MAX_LENGTH = 4096
"""Greatest length in steps: several bars, even if beats have 96 steps."""


def last_chord(roll: Roll) -> int:
    """Return the length in steps of the last chord of a piece, from its last onset to the end of its last note."""
    notes = roll.notes
    return max(start + length for start, _, length in notes) - notes[-1].start if notes else 0


def usual_last_chord(lengths: Iterable[int]) -> int | None:
    """Return the length in steps that the last chords of most pieces have at least, given those of all."""
    found = sorted(lengths, reverse=True)
    return min(found[int(_PIECES * (len(found) - 1))], MAX_LENGTH) or None if found else None


def as_length(value: object) -> int | None:
    """Return a length that was read from a file; None if it is unknown. Raises ValueError for anything else."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_LENGTH):
        return value
    raise ValueError(f"the length of the last chord is {value!r}, not a whole number from 1 to {MAX_LENGTH}")


def length_in_piece(usual: int, bar: int, steps: int) -> int:
    """Return the least length of the last chord of a piece of `steps` steps with bars of `bar` steps.

    It is the `usual` one of the training data, but at most a bar, and half of the piece.
    """
    return min(usual, bar, steps // 2)


class LastChordConstraint(CountingGuard):
    """The rolls of `inner`, of `steps` steps, whose last chord is not shorter than `length` steps.

    In the last `length` steps there are notes, and after the first of these none starts, unless `inner` requires it or
    nothing sounds. What is kept of frames without onsets are the pitches of the last step, as bits from the lowest.
    """

    def __init__(self, inner: Constraint, layout: Layout, steps: int, length: int) -> None:
        super().__init__(inner)
        self.layout, self._last = layout, range(max(steps - length, 0), steps)
        self._pitches = (1 << layout.pitch_count) - 1
        self.own_bits = COUNT_BITS + (0 if layout.onsets else layout.pitch_count)

    def remember(self, memory: int, frame: Sequence[int]) -> int:
        if self.layout.onsets:
            return 0
        return sum(1 << pitch - self.layout.lowest for pitch in self.layout.sounding(frame, self.layout.stack - 1))

    def allowed(self, state: int) -> FrameRule:
        rule, stack, stride = super().allowed(state), self.layout.stack, self.layout.units_per_step
        count, before = self.count_and_memory(state)
        begin = count * stack
        last = [substep for substep in range(stack) if begin + substep in self._last]
        if not last:
            return rule
        chord = (1 << stride) - 1
        limits = tuple(Limit(chord << substep * stride, stride, 1) for substep in last)
        late = [substep for substep in last if begin + substep > self._last.start]
        return self._without_new_notes(replace(rule, limits=(*rule.limits, *limits)), late, before)

    def _without_new_notes(self, rule: FrameRule, late: Sequence[int], before: int) -> FrameRule:
        """Return `rule` by which no note starts in the steps `late` of the frame, as far as it has room for that.

        Without onsets, `before` are the pitches that sound in the step before the frame.
        """
        width, stride = self.layout.pitch_count, self.layout.units_per_step
        if self.layout.onsets:
            is_held, new = bool((self._pitches << width) & ~rule.must_be_off), self._pitches
        else:
            is_held, new = bool(before and 0 in late), self._pitches & ~before
            rule = replace(rule, project=partial(self._held, rule, late)) if late and late[-1] > 0 else rule
        if not is_held:
            return rule  # nothing sounds that could be held
        off = rule.must_be_off | sum(new << substep * stride for substep in late)
        has_room = all((limit.units & ~off).bit_count() >= limit.min_active for limit in rule.limits)
        return replace(rule, must_be_off=off) if has_room else rule

    def _held(self, rule: FrameRule, late: Sequence[int], frame: tuple[int, ...]) -> tuple[int, ...]:
        """Return `frame`, legal by `rule`, whose steps `late`, except its first, have the chord of the step before."""
        stride = self.layout.units_per_step
        found = {*(rule.project(frame) if rule.project is not None else frame)}
        for first in (substep * stride for substep in late if substep):
            found = {unit for unit in found if not first <= unit < first + stride}
            found |= {unit + stride for unit in found if first - stride <= unit < first}
        return tuple(sorted(found))


def tonic_chord(key: str, pitches: Iterable[int]) -> Closing | None:
    """Return the tonic's chord in `key`, such as `Am`, with a third that is among `pitches`, the allowed ones.

    In minor it may have a major third. None if the name is no key, or the pitches do not have the chord.
    """
    found, classes = parse_key(key), {pitch % 12 for pitch in pitches}
    if found is None or (tonic := pitch_class(found.tonic)) not in classes:
        return None
    possible = [third for third in (3, 4) if (tonic + third) % 12 in classes]  # blues is written in major
    usual = [third for third in possible if third == 4 or has_minor_third(found.mode)]
    return Closing(0, tonic, tuple(usual or possible)) if possible else None


class ClosingGuard(CountingGuard):
    """The rolls of `inner`, of which those with another chord than `closing` in the steps `at` are not favored.

    The `frame` of `closing` does not count.
    """

    def __init__(self, inner: Constraint, layout: Layout, at: Iterable[int], closing: Closing) -> None:
        super().__init__(inner)
        self.layout, self.at, self.closing = layout, frozenset(at), closing

    def log_weight(self, state: int, step: tuple[int, ...]) -> float:
        weight, (count, _) = super().log_weight(state, step), self.count_and_memory(state)
        stack = self.layout.stack
        last = [substep for substep in range(stack) if count * stack + substep in self.at]
        return weight + FAULT * sum(self.closing.faults(self.layout.sounding(step, substep)) for substep in last)
