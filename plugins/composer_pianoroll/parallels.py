"""Parallel fifths and octaves between the outer voices: measure them in the training data, and keep them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from composer.api import Constraint, FrameRule, OptionError
from composer.music.parallel_motion import Voices, both_move, is_parallel
from composer.toolkit.representations.wrapped_constraint import WrappedConstraint
from composer_pianoroll.frames import Layout
from composer_pianoroll.voice_leading import FAULT

AVOIDED_BELOW = 0.02
"""Share of the moves of both outer voices. It is 0.005 in Bach's chorales, and 0.08 if a model of them is sampled."""
MAX_FRAMES = 200_000
"""Frames of the training data that are measured."""
PARALLELS_RULES = 2
"""The first version of the representation's rules that keeps parallels out."""
AVOID, ALLOW = CHOICES = ("avoid", "allow")

_PITCH_BITS = 8


def check_choice(text: str) -> None:
    """Raise OptionError if `text` is neither `avoid` nor `allow`."""
    if text not in CHOICES:
        raise OptionError(f"invalid value for --parallels: '{text}'", "use --parallels avoid, or --parallels allow")


def default_choice(share: float | None) -> str:
    """Return whether parallels are avoided if this is their share in the training data, None if it is unknown."""
    return AVOID if share is not None and share < AVOIDED_BELOW else ALLOW


def as_share(value: object, name: str = "parallels") -> float | None:
    """Return a share that was read from a file; None if it is unknown. Raises ValueError for anything else."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1):
        return value
    raise ValueError(f"the share of {name} is {value!r}, not a number from 0 to 1")


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


class ParallelsGuard(WrappedConstraint):
    """The rolls of `inner`, of which parallel fifths and octaves between the outer voices are not favored.

    The own part of a state is the outer voices of the last step, each plus one, 0 for none.
    """

    own_bits = 2 * _PITCH_BITS

    def __init__(self, inner: Constraint, layout: Layout) -> None:
        super().__init__(inner)
        self.layout = layout

    def start(self, primer: Sequence[tuple[int, ...]]) -> int:
        return self._state(self.inner.start(primer), primer[-1] if primer else ())

    def step(self, state: int, step: tuple[int, ...]) -> int:
        return self._state(self.inner.step(state >> self.own_bits, step), step)

    def allowed(self, state: int) -> FrameRule:
        rule = super().allowed(state)
        assert isinstance(rule, FrameRule)
        return rule

    def log_weight(self, state: int, step: tuple[int, ...]) -> float:
        low, high = state & (1 << _PITCH_BITS) - 1, state >> _PITCH_BITS & (1 << _PITCH_BITS) - 1
        before: Voices | None = (low - 1, high - 1) if high else None
        weight = super().log_weight(state, step)
        for now in outer_voices(self.layout, step):
            if before is not None and now is not None:
                weight += FAULT * is_parallel(before, now)
            before = now
        return weight

    def _state(self, inner: int, frame: Sequence[int]) -> int:
        *_, last = outer_voices(self.layout, frame)
        low, high = (last[0] + 1, last[1] + 1) if last is not None else (0, 0)
        return (inner << _PITCH_BITS | high) << _PITCH_BITS | low
