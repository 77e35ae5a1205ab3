"""Parallel fifths and octaves between the outer voices: measure them in the training data, and keep them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from composer.api import Constraint
from composer.music.parallel_motion import Voices, both_move, is_parallel
from composer.toolkit.representations.wrapped_constraint import FrameGuard
from composer_pianoroll.frames import Layout
from composer_pianoroll.rules import Rules
from composer_pianoroll.shares import log_weight
from composer_pianoroll.voice_leading import FAULT

AVOIDED_BELOW = 0.02
"""Share of the moves of both outer voices below which they were avoided, and otherwise allowed, by earlier rules."""
RARE_PARALLELS = 0.12
"""Share below which they are rare. With the weights that follow from it, a model has about as many as its data: 80
pieces of one of Palestrina's masses have 0.031, the masses 0.028. It is 0.1 without weights, and 0.02 with those that
follow from a share of 0.15."""
MAX_FRAMES = 200_000
"""Frames of the training data that are measured."""
AVOID, ALLOW = CHOICES = ("avoid", "allow")

_PITCH_BITS = 8


def parallels_weight(choice: str, rules: int, share: float | None) -> float:
    """Return the logarithm of the weight of parallels by the `choice` of --parallels, empty for the default.

    `share` is that of the training data, None if it is unknown: the fewer it has, the lower is the weight. Pieces by
    earlier `rules` avoid them if it has very few, and else allow them. 0 if they are not weighted.
    """
    if rules < Rules.PARALLELS or choice == ALLOW:
        return 0.0
    if choice == AVOID:
        return FAULT
    if share is None:
        return 0.0
    if rules < Rules.PARALLELS_AS_IN_DATA:
        return FAULT if share < AVOIDED_BELOW else 0.0
    return log_weight(share, RARE_PARALLELS)


def share_of_parallels(layout: Layout, pieces: Iterable[Iterable[tuple[int, ...]]]) -> float | None:
    """Return the share of parallels among the moves of both outer voices, in pieces of frames; None without moves."""
    moves = parallel = frames = 0
    for piece in pieces:  # also those that are not measured, since the caller counts them
        before: Voices | None = None
        for frame in piece if frames < MAX_FRAMES else ():
            frames += 1
            for now in outer_voices(layout, frame):
                if before is not None and now is not None and both_move(before, now):
                    moves += 1
                    parallel += is_parallel(before, now)
                before = now
    return round(parallel / moves, 4) if moves else None


def outer_voices(layout: Layout, frame: Sequence[int]) -> Iterator[Voices | None]:
    """Yield the outer voices of each step of a frame, None if fewer than two notes sound."""
    width, stride = layout.pitch_count, layout.units_per_step
    for first in range(0, layout.size, stride):
        pitches = [(unit - first) % width for unit in frame if first <= unit < first + stride]
        low, high = (min(pitches), max(pitches)) if pitches else (0, 0)
        yield (low, high) if low < high else None


class ParallelsGuard(FrameGuard):
    """The rolls of `inner`, of which parallel fifths and octaves between the outer voices are not favored.

    They are heard from step to step and, with other notes in between, from beat to beat. A beat has `beat` steps; 0
    leaves out the latter. Beats count from frame 0: after a pickup of a fraction of a beat, they are off the beat.
    `weight` is the logarithm of the weight of each.

    The own part of a state is the outer voices of the last step and of the last beat, each plus one and 0 for none,
    below the number of steps since the latter.
    """

    own_bits = 6 * _PITCH_BITS

    def __init__(self, inner: Constraint, layout: Layout, beat: int = 0, weight: float = FAULT) -> None:
        super().__init__(inner)
        self.layout, self.beat, self.weight = layout, beat, weight

    def own_step(self, own: int, step: tuple[int, ...]) -> int:
        return self._follow(own, step)[1]

    def log_weight(self, state: int, step: tuple[int, ...]) -> float:
        return super().log_weight(state, step) + self.weight * self._follow(self.parts(state)[1], step)[0]

    def _follow(self, own: int, frame: Sequence[int]) -> tuple[int, int]:
        """Return in how many steps of `frame` there are parallels, and the own part after it."""
        last, on_beat = _unpacked(own), _unpacked(own >> 2 * _PITCH_BITS)
        count, found = own >> 4 * _PITCH_BITS, 0
        for now in outer_voices(self.layout, frame):
            before = (last, on_beat) if self.beat and count == 0 else (last,)
            found += now is not None and any(each is not None and is_parallel(each, now) for each in before)
            last, on_beat = now, now if count == 0 else on_beat
            count = (count + 1) % self.beat if self.beat else 0
        return found, (count << 2 * _PITCH_BITS | _packed(on_beat)) << 2 * _PITCH_BITS | _packed(last)


def _packed(voices: Voices | None) -> int:
    return voices[0] + 1 | voices[1] + 1 << _PITCH_BITS if voices is not None else 0


def _unpacked(bits: int) -> Voices | None:
    low, high = bits & (1 << _PITCH_BITS) - 1, bits >> _PITCH_BITS & (1 << _PITCH_BITS) - 1
    return (low - 1, high - 1) if high else None
