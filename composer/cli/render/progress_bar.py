"""Progress of generating many pieces: a bar on a terminal, else nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from composer.cli.console import Console
from composer.cli.render.text import duration

if TYPE_CHECKING:
    from rich.console import RenderableType

BAR_COLUMNS = 24


def progress_display(console: Console, pieces: int, before: Callable[[], int], step_name: str) -> ProgressDisplay:
    """Return the display for a run of `pieces`, `before` of which exist already.

    A bar is drawn if stderr is a terminal and the pieces go elsewhere.
    """
    if pieces > 1 and console.can_animate and not console.quiet and not console.stdout_is_terminal:
        return LiveBar(console, GenProgress(pieces, before, step_name))
    return ProgressDisplay(console)


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

    def finish_piece(self) -> None:
        """Count a finished piece."""


@dataclass
class GenProgress:
    """How many of `pieces` are done, and how fast."""

    pieces: int
    before: Callable[[], int]
    step_name: str
    done: int = 0
    steps: int = 0
    began: float = 0.0

    @property
    def share(self) -> float:
        """Return the share that is done, from 0 to 1."""
        return min(1.0, (self.before() + self.done) / self.pieces)

    def line(self, now: float) -> str:
        """Return the progress as a line of text; `now` is in seconds, as `began` is."""
        parts = [f"{self.before() + self.done:,} of {self.pieces:,} pieces"]
        elapsed = now - self.began
        if self.steps and elapsed > 0:
            parts.append(f"{self.steps / elapsed:,.0f} {self.step_name}s/s")
        if self.done:
            left = self.pieces - self.before() - self.done
            parts.append(f"{duration(elapsed / self.done * left)} left")
        return "  ".join(parts)


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

    def finish_piece(self) -> None:
        self.progress.done += 1

    def warn(self, text: str) -> None:
        self._rich.print(f"warning: {text}")

    def render(self) -> RenderableType:
        """Return the bar and its line of text."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        row = Table.grid(padding=(0, 2))
        words = Text(self.progress.line(time.monotonic()), no_wrap=True, overflow="ellipsis")
        row.add_row(ProgressBar(total=1.0, completed=self.progress.share, width=BAR_COLUMNS), words)
        return row
