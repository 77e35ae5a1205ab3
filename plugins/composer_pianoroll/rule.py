"""What every roll obeys: nothing goes on that was not struck, and nothing is struck and goes on in the same step."""

from __future__ import annotations

from collections.abc import Sequence

from composer.api import Constraint, FrameRule, Step
from composer_pianoroll.frames import Layout


class Holds(Constraint):
    """The automaton of a roll with onsets. A state is the set of pitches that sound, as bits from the lowest on."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._all = (1 << layout.width) - 1

    def start(self, primer: Sequence[Step]) -> int:
        """What sounds at the end of `primer`; anything may begin a roll."""
        state = 0
        for step in primer:
            state = self.step(state, step)
        return state

    def step(self, state: int, step: Step) -> int:
        """What sounds at the end of the frame `step`."""
        return self._walk(state, step)[1]

    def allowed(self, state: int) -> FrameRule:
        """In the first step of a frame, only what sounds may go on; what depends on the frame itself is mended."""
        silent = (self._all & ~state) << self.layout.width
        return FrameRule(off=silent, project=lambda frame: self._walk(state, frame)[0])

    def complete(self, state: int) -> Sequence[Step]:
        """A roll may end at any time."""
        return ()

    def _walk(self, state: int, frame: Step) -> tuple[tuple[int, ...], int]:
        """`frame` without the holds of what does not sound or is struck, and what sounds after it."""
        layout = self.layout
        bits = sum(1 << unit for unit in frame) if isinstance(frame, tuple) else 0
        units = 0
        for start in range(0, layout.size, layout.stride):
            struck = bits >> start & self._all
            held = bits >> start + layout.width & self._all & state & ~struck
            state = struck | held
            units |= (struck | held << layout.width) << start
        return tuple(unit for unit in range(layout.size) if units >> unit & 1), state
