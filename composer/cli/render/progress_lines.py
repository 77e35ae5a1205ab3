"""Who is told how composing goes on: nobody, or a bar where a terminal can draw one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self

from composer.cli.console import Console

__all__ = ["ProgressDisplay", "progress_display"]


class ProgressDisplay(Protocol):
    """Somebody who is told how composing goes on, and may show warnings meanwhile."""

    def __enter__(self) -> ProgressDisplay: ...

    def __exit__(self, *reason: Any) -> None: ...

    def add_steps(self, steps: int) -> None:
        """Know that so many steps were composed."""
        ...

    def finish_piece(self) -> None:
        """Know that a piece is over."""
        ...

    def warn(self, text: str) -> None:
        """Show a warning."""
        ...


def progress_display(console: Console, pieces: int, before: Callable[[], int], step_name: str) -> ProgressDisplay:
    """Who is told of a run of so many `pieces`, `before` of which an earlier run had left.

    A bar is drawn where stderr is a terminal that the pieces themselves do not go to.
    """
    if pieces > 1 and console.can_animate and not console.quiet and not console.stdout_is_terminal:
        from composer.cli.render.progress_bar import GenProgress, LiveBar

        return LiveBar(console, GenProgress(pieces, before, step_name))
    return NoProgress(console)


class NoProgress:
    """Nobody; warnings are shown as ever."""

    def __init__(self, console: Console) -> None:
        self.warn = console.warn

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        pass

    def add_steps(self, steps: int) -> None:
        pass

    def finish_piece(self) -> None:
        pass
