"""Constraint on performances: notes are struck, held and released in the order that `events.encode` writes them in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from composer.api import Constraint, Mask, Step, Unsatisfiable
from composer_performance.events import BINS, END, MAX_SHIFT, NOTE_OFF, NOTE_ON, SHIFT, VELOCITY, seconds

RING = 62
"""Ticks that the last notes of a piece sound if it must end: half a second."""
FULL = (1 << 128) - 1
ALL_BINS = (1 << BINS) - 1


class Phase(IntEnum):
    """What came last."""

    START = 0
    """The longest shift, or nothing yet: another shift may follow."""
    SHORT = 1
    """A shorter shift."""
    OFF = 2
    ON = 3
    VELOCITY = 4
    """A velocity, which a note-on must follow."""


class State(NamedTuple):
    """State of the automaton.

    `sounding` are the pitches that sound, as bits. `last` is the pitch that was struck or released last at this time,
    -1 if none was, `bin` the velocity bin, -1 at first, and `now` the time in ticks if the duration is fixed, else 0.
    """

    sounding: int = 0
    phase: Phase = Phase.START
    last: int = -1
    bin: int = -1
    now: int = 0

    def pack(self) -> int:
        """Return the state as an integer."""
        return (((self.now << 6 | self.bin + 1) << 8 | self.last + 1) << 3 | self.phase) << 128 | self.sounding

    @classmethod
    def unpack(cls, packed: int) -> State:
        """Return the state of `pack`."""
        sounding, rest = packed & FULL, packed >> 128
        return cls(sounding, Phase(rest & 7), (rest >> 3 & 255) - 1, (rest >> 11 & 63) - 1, rest >> 17)


class PerformanceConstraint(Constraint):
    """The automaton of performances that use `pitches`, at most `max_notes` at a time.

    With `total`, the last note ends exactly at this tick. Only notes that sound are released, only notes that do not
    sound are struck, and a piece ends with the release of its last note.
    """

    def __init__(self, pitches: Iterable[int] = range(128), max_notes: int = 128, total: int | None = None) -> None:
        self.pitches = sum(1 << pitch for pitch in pitches)
        self.max_notes, self.total = max_notes, total

    def start(self, primer: Sequence[Step]) -> int:
        """Return the state after `primer`. Raises Unsatisfiable if it takes the whole time."""
        at = State()
        for step in primer:
            at = self._after(at, step) if isinstance(step, int) else at
        if self.total is not None and at.now >= self.total:
            raise Unsatisfiable(
                f"--prime lasts {float(seconds(at.now)):g} seconds, which leaves no time in --duration "
                f"{float(seconds(self.total)):g}",
                "use a longer --duration, which includes the primer",
            )
        if at.phase is Phase.VELOCITY and not self._strikes(at):
            # the primer ends before a note that is not allowed, so time goes on without it
            at = at._replace(phase=Phase.ON if at.last >= 0 else Phase.START)
        return at.pack()

    def step(self, state: int, step: Step) -> int:
        return self._after(State.unpack(state), step).pack() if isinstance(step, int) else state

    def _after(self, state: State, step: int) -> State:
        if step >= VELOCITY:
            last = state.last if state.phase in (Phase.ON, Phase.VELOCITY) else -1
            return state._replace(phase=Phase.VELOCITY, last=last, bin=step - VELOCITY)
        if step >= SHIFT:
            shift = step - SHIFT + 1
            phase = Phase.START if shift == MAX_SHIFT else Phase.SHORT
            return state._replace(phase=phase, last=-1, now=state.now + shift if self.total is not None else 0)
        if step >= NOTE_OFF:
            pitch = step - NOTE_OFF
            return state._replace(sounding=state.sounding & ~(1 << pitch), phase=Phase.OFF, last=pitch)
        if step >= NOTE_ON:
            pitch = step - NOTE_ON
            return state._replace(sounding=state.sounding | 1 << pitch, phase=Phase.ON, last=pitch)
        return state

    def allowed(self, state: int) -> Mask:
        at = State.unpack(state)
        strikes, shifts = self._strikes(at), self._longest_shift(at)
        mask = self._releases(at) << NOTE_OFF | ((1 << shifts) - 1) << SHIFT
        if at.bin >= 0:
            mask |= strikes << NOTE_ON
        if strikes and at.phase is not Phase.VELOCITY:
            mask |= (ALL_BINS & ~(1 << at.bin if at.bin >= 0 else 0)) << VELOCITY
        return mask | 1 << END if self._may_end(at) else mask

    def _may_end(self, at: State) -> bool:
        return at.phase is Phase.OFF and not at.sounding and self._left(at) in (0, None)

    def _left(self, at: State) -> int | None:
        """Return the ticks until the end, None if it is open."""
        return None if self.total is None else self.total - at.now

    def _strikes(self, at: State) -> int:
        """Return the pitches that may be struck, as bits."""
        if self._left(at) == 0 or at.sounding.bit_count() >= self.max_notes:
            return 0
        pitches = self.pitches & ~at.sounding
        return pitches & _above(at.last) if at.phase in (Phase.ON, Phase.VELOCITY) else pitches

    def _releases(self, at: State) -> int:
        """Return the pitches that may be released, as bits."""
        if at.phase in (Phase.ON, Phase.VELOCITY):
            return 0
        if self._left(at) == 0:  # all must be released now, in order
            return at.sounding & -at.sounding
        return at.sounding & _above(at.last)

    def _longest_shift(self, at: State) -> int:
        """Return the longest shift that is allowed in ticks, 0 if none is."""
        if at.phase in (Phase.SHORT, Phase.VELOCITY):
            return 0
        left = self._left(at)
        if left is None:
            return MAX_SHIFT
        # at the end something must sound, so that the last note ends there
        return min(left if at.sounding else max(left - 1, 0), MAX_SHIFT)

    def complete(self, state: int) -> Sequence[Step]:
        """Return the ending that releases the notes that sound, after half a second if they cannot be released now.

        With a fixed duration, they are held until its end, and if there are none, a note is struck.
        """
        return tuple(self._ending(State.unpack(state)))

    def _ending(self, at: State) -> Iterator[int]:
        while not self._may_end(at):
            step = self._next_of_ending(at)
            yield step
            at = self._after(at, step)
        yield END

    def _next_of_ending(self, at: State) -> int:
        strikes, releases, shift = self._strikes(at), self._releases(at), self._longest_shift(at)
        left = self._left(at)
        if at.phase is Phase.VELOCITY or (not at.sounding and left != 0):
            return NOTE_ON + _middle(strikes) if at.bin >= 0 else VELOCITY + BINS // 2
        if left and shift:
            return SHIFT + shift - 1
        if left is None and not self._can_release_all(at):
            return SHIFT + RING - 1
        return NOTE_OFF + (releases & -releases).bit_length() - 1

    def _can_release_all(self, at: State) -> bool:
        return self._releases(at) == at.sounding


def _above(pitch: int) -> int:
    """Return the pitches above `pitch`, as bits."""
    return FULL & ~((2 << pitch) - 1) if pitch >= 0 else FULL


def _middle(pitches: int) -> int:
    """Return the middle one of `pitches`, given as bits."""
    numbers = [pitch for pitch in range(128) if pitches >> pitch & 1]
    return numbers[len(numbers) // 2]
