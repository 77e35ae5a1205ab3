"""Progress of generating: a bar or a line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from composer.cli.console import ECHO_COLUMNS, Console
from composer.cli.render.reading_progress import LineIntervals, ReadingProgress
from composer.cli.render.text import count_noun, time_left

if TYPE_CHECKING:
    from rich.console import RenderableType

BAR_COLUMNS = 24
FIRST_STATUS, STATUS_INTERVAL = 2.0, 0.2
"""Seconds without output until a terminal shows a line, and between its changes."""


def progress_display(
    console: Console, pieces: int, before: Callable[[], int], step_name: str, *, to_stdout: bool = True
) -> ProgressDisplay:
    """Return the display for a run of `pieces`, `before` of which exist already.

    A bar is drawn if stderr is a terminal and many pieces go elsewhere: `to_stdout` says whether they go to stdout.
    Lines would break pieces in two where both are written to one file (`gen abc > tune.abc 2>&1`), so there are none.
    """
    if console.quiet:
        return ProgressDisplay(console)
    progress = GenProgress(pieces, before, step_name)
    if not console.can_animate:
        is_mixed = to_stdout and console.streams_are_one
        return ProgressDisplay(console) if is_mixed else LineProgress(console, progress)
    if pieces > 1 and not (to_stdout and console.stdout_is_terminal):
        return LiveBar(console, progress)
    return StatusLine(console, progress)


class ProgressDisplay(AbstractContextManager["ProgressDisplay"]):
    """Shows warnings only."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def warn(self, text: str) -> None:
        """Show a warning."""
        self._console.warn(text)

    def __exit__(self, *reason: Any) -> None:
        pass

    def add_steps(self, steps: int) -> None:
        """Count steps of a piece."""

    def reject_attempt(self, steps: int) -> None:
        """Count an attempt at a piece, of so many steps, that was rejected and is generated again."""

    def finish_piece(self) -> None:
        """Count a finished piece."""

    def before_output(self) -> None:
        """Make room for a piece that is written."""

    def rendered(self, share: float) -> None:
        """Show which share of the sound of a piece has been rendered."""


@dataclass
class GenProgress:
    """How many of `pieces` are done, and how fast. Attempts are `rejected` if they copy too much."""

    pieces: int
    before: Callable[[], int]
    step_name: str
    done: int = 0
    steps: int = 0
    rejected: int = 0
    began: float = 0.0

    @property
    def share(self) -> float:
        """Return the share that is done, from 0 to 1."""
        return min(1.0, (self.before() + self.done) / self.pieces)

    def line(self, now: float, width: int | None = None) -> str:
        """Return the progress as a line of text, without the rate if it is longer than `width`; `now` is in seconds."""
        counted = f"{self.before() + self.done:,} of {self.pieces:,} pieces"
        begun = counted if self.pieces > 1 else f"generating: {self.steps:,} {self.step_name}s"
        begun += f", {count_noun(self.rejected, 'attempt')} rejected" if self.rejected else ""
        elapsed = now - self.began
        rate = f"{self.steps / elapsed:,.0f} {self.step_name}s/s" if self.steps and elapsed > 0 else ""
        left = time_left(elapsed, self.done, self.pieces - self.before() - self.done)
        line = "  ".join(filter(None, [begun, rate, left]))
        return line if width is None or len(line) <= width else "  ".join(filter(None, [begun, left]))


@dataclass
class LineProgress(ProgressDisplay):
    """Lines on stderr at LineIntervals."""

    console: Console
    progress: GenProgress
    clock: Callable[[], float] = time.monotonic
    intervals: LineIntervals = field(default_factory=LineIntervals)

    def __post_init__(self) -> None:
        self.rendering = ReadingProgress(self.console, self.clock)

    def __enter__(self) -> Self:
        self.progress.began = self.clock()
        return self

    def __exit__(self, *reason: Any) -> None:
        self.rendering.clear()

    def warn(self, text: str) -> None:
        self.console.warn(text)

    def add_steps(self, steps: int) -> None:
        self.progress.steps += steps
        now = self.clock()
        if self.intervals.is_due(now - self.progress.began):
            self.console.say(self.progress.line(now))

    def reject_attempt(self, steps: int) -> None:
        self.progress.rejected += 1
        self.add_steps(steps)

    def finish_piece(self) -> None:
        self.rendering.clear()
        self.progress.done += 1

    def rendered(self, share: float) -> None:
        self.rendering.update_rendered(share)


@dataclass
class StatusLine(LineProgress):
    """A line on a terminal that also shows the pieces, while none of them is written."""

    shown: bool = field(default=False, init=False)
    next_status: float = field(default=0.0, init=False)

    def __enter__(self) -> Self:
        super().__enter__()
        self.next_status = self.progress.began + FIRST_STATUS
        return self

    def __exit__(self, *reason: Any) -> None:
        self.before_output()
        super().__exit__(*reason)

    def warn(self, text: str) -> None:
        self.before_output()
        super().warn(text)

    def add_steps(self, steps: int) -> None:
        self.progress.steps += steps
        if (now := self.clock()) >= self.next_status:
            self.console.show_status(self.progress.line(now))
            self.shown, self.next_status = True, now + STATUS_INTERVAL

    def before_output(self) -> None:
        if self.shown:
            self.console.show_status("")
        self.shown, self.next_status = False, self.clock() + FIRST_STATUS


class LiveBar(ProgressDisplay):
    """A bar on stderr, erased at the end."""

    def __init__(self, console: Console, progress: GenProgress) -> None:
        from rich.live import Live

        self.progress = progress
        self._rich = console.rich_console(console.stderr)
        self._live = Live(
            get_renderable=self.render, console=self._rich, transient=True, redirect_stdout=False, redirect_stderr=False
        )

    def __enter__(self) -> Self:
        self.progress.began = time.monotonic()
        self._live.__enter__()
        return self

    def __exit__(self, *reason: Any) -> None:
        self._live.__exit__(*reason)

    def add_steps(self, steps: int) -> None:
        self.progress.steps += steps

    def reject_attempt(self, steps: int) -> None:
        self.progress.rejected += 1
        self.progress.steps += steps

    def finish_piece(self) -> None:
        self.progress.done += 1

    def warn(self, text: str) -> None:
        self._rich.print(f"warning: {text}")

    def render(self) -> RenderableType:
        """Return the bar and its line of text."""
        from rich.constrain import Constrain
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        row, width = Table.grid(padding=(0, 2)), self._rich.width - ECHO_COLUMNS
        line = self.progress.line(time.monotonic(), width - BAR_COLUMNS - 4)
        words = Text(line, no_wrap=True, overflow="ellipsis")
        row.add_row(ProgressBar(total=1.0, completed=self.progress.share, width=BAR_COLUMNS), words)
        return Constrain(row, width)
