"""How far many pieces have come, as a bar and a line that a terminal draws anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from composer.cli.console import Console
from composer.cli.train.status import duration

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["GenProgress", "LiveBar"]

BAR_COLUMNS = 24
"""Columns of the bar."""


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
        """How much is done, from 0 to 1."""
        return min(1.0, (self.before() + self.done) / self.pieces)

    def line(self, now: float) -> str:
        """In words."""
        parts = [f"{self.before() + self.done:,} of {self.pieces:,} pieces"]
        elapsed = now - self.began
        if self.steps and elapsed > 0:
            parts.append(f"{self.steps / elapsed:,.0f} {self.step_name}s a second")
        if self.done:
            left = self.pieces - self.before() - self.done
            parts.append(f"{duration(elapsed / self.done * left)} left")
        return "  ".join(parts)


class LiveBar:
    """What is drawn on stderr while many pieces are composed; it leaves nothing behind."""

    def __init__(self, console: Console, progress: GenProgress) -> None:
        from rich.live import Live

        self.progress = progress
        self._rich = console.rich_console(console.stderr)
        self._live = Live(
            get_renderable=self.render,
            console=self._rich,
            refresh_per_second=4,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self.progress.began = time.monotonic()
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def add_steps(self, steps: int) -> None:
        self.progress.steps += steps

    def finish_piece(self) -> None:
        self.progress.done += 1

    def warn(self, text: str) -> None:
        self._rich.print(f"warning: {text}", markup=False)

    def render(self) -> RenderableType:
        """The line now."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        row = Table.grid(padding=(0, 2))
        words = Text(self.progress.line(time.monotonic()), no_wrap=True, overflow="ellipsis")
        row.add_row(ProgressBar(total=1.0, completed=self.progress.share, width=BAR_COLUMNS), words)
        return row
