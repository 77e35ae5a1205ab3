"""What a roll obeys while it is composed: held is only what was struck, and what else a player asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from composer.api import Constraint, FrameRule, Limit, OptionError, Step, Unsatisfiable
from composer_pianoroll.frames import Layout
from composer_pianoroll.pitches import pitches


@dataclass(frozen=True, slots=True)
class PianorollWishes:
    """What a player may ask for; 0 stands for any number."""

    range: str = field(default="", metadata={"help": "The lowest and highest pitch to strike, such as 48-84."})
    most_notes: int = field(default=0, metadata={"help": "The most notes that sound at a time."})
    most_onsets: int = field(default=0, metadata={"help": "The most notes that are struck at a time."})
    most_holds: int = field(default=0, metadata={"help": "The most notes that go on at a time."})

    def __post_init__(self) -> None:
        if self.range:
            pitches(self.range)
        for name in ("most_notes", "most_onsets", "most_holds"):
            if getattr(self, name) < 0:
                flag = f"--{name.replace('_', '-')}"
                raise OptionError(f"{flag} cannot be {getattr(self, name)}", "give a number of notes, or 0 for any")


class RollRule(Constraint):
    """The automaton of rolls. A state is the set of pitches that sound, as bits from the lowest pitch on.

    A note goes on only while it sounds, and is not struck and held in the same step. The limits hold in each step of a
    stacked frame. Raises Unsatisfiable where nothing that `layout` has units for fulfils `wishes`.
    """

    def __init__(self, layout: Layout, wishes: PianorollWishes | None = None) -> None:
        self.layout, wishes = layout, wishes or PianorollWishes()
        self._all = (1 << layout.width) - 1
        if not layout.onsets and (wishes.most_onsets or wishes.most_holds):
            raise Unsatisfiable(
                "this model does not tell notes that are struck from notes that go on", "ask for --most-notes"
            )
        silent = self._out_of_range(wishes.range) if wishes.range else 0
        struck, held = self._all, self._all << layout.width if layout.onsets else 0
        limits = ((struck, wishes.most_onsets), (held, wishes.most_holds), (struck | held, wishes.most_notes))
        starts = range(0, layout.size, layout.stride)
        self._limits = tuple(Limit(units << start, most) for start in starts for units, most in limits if most)
        self._off = sum(silent << start for start in starts)

    def start(self, primer: Sequence[Step]) -> int:
        """What sounds at the end of `primer`; anything may begin a roll."""
        state = 0
        for step in primer:
            state = self.step(state, step)
        return state

    def step(self, state: int, step: Step) -> int:
        """What sounds at the end of the frame `step`."""
        return self._walk(state, step)[1] if self.layout.onsets else 0

    def allowed(self, state: int) -> FrameRule:
        """In the first step of a frame, only what sounds may go on; what depends on the frame itself is mended."""
        if not self.layout.onsets:
            return FrameRule(self._off, limits=self._limits)
        silent = (self._all & ~state) << self.layout.width
        return FrameRule(self._off | silent, limits=self._limits, project=lambda frame: self._walk(state, frame)[0])

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

    def _out_of_range(self, text: str) -> int:
        """The pitches that are not to be struck, as bits."""
        low, high = pitches(text)
        lowest, highest = max(low, self.layout.lowest), min(high, self.layout.highest)
        if lowest > highest:
            raise Unsatisfiable(
                f"no pitch of {text} is among those that the model composes",
                f"they go from {self.layout.lowest} to {self.layout.highest}",
            )
        within = (1 << highest - lowest + 1) - 1 << lowest - self.layout.lowest
        return self._all & ~within
