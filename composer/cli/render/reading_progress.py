"""Progress of reading and evaluating on a terminal, and a report of what was skipped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from composer.check.loss_phrases import in_number
from composer.cli.console import Console
from composer.cli.render.text import count_noun, duration
from composer.training.events import Prepared

MAX_REASONS = 12

MAX_UNREADABLE = 5
"""Number of unreadable files that are named."""


def report_pieces(console: Console, event: Prepared) -> None:
    """Print how many pieces were read, and what was skipped and why, with an example of each."""
    total, train = sum(event.pieces.values()), event.pieces["train"]
    parts = f": {train:,} for training, {total - train:,} held out" if total > train else ""
    skipped = f"; skipped {count_noun(event.duplicates, 'duplicate')}" if event.duplicates else ""
    console.say(f"{count_noun(total, 'piece')}{parts}{skipped}{' (from the cache)' if event.cached else ''}")
    report_skipped(console, event)
    for note in event.notes:
        console.warn(note)


FIRST_LINE = 10.0
"""Seconds until an evaluation prints a line of progress if stderr is not a terminal."""


class ReadSummary(Protocol):
    """What was skipped: `rejected` and `places` by reason, `losses` by phrase, a line for each `unreadable` source."""

    @property
    def rejected(self) -> Mapping[str, int]: ...
    @property
    def places(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def losses(self) -> Mapping[str, int]: ...
    @property
    def unreadable(self) -> Sequence[str]: ...


def report_skipped(console: Console, summary: ReadSummary) -> None:
    """Print what was skipped, and why."""
    if summary.rejected:
        console.say(f"skipped {count_noun(sum(summary.rejected.values()), 'piece')}:")
    reasons = sorted(summary.rejected.items(), key=lambda item: -item[1])
    for reason, count in reasons[:MAX_REASONS]:
        first = next(iter(summary.places.get(reason, ())), "")
        console.say(f"{count:>6,}  {reason}{f', such as {first}' if first else ''}")
    if len(reasons) > MAX_REASONS:
        rest = reasons[MAX_REASONS:]
        console.say(f"{sum(count for _, count in rest):>6,}  for {count_noun(len(rest), 'other reason')}")
    for phrase, count in sorted(summary.losses.items(), key=lambda item: -item[1]):
        console.say(f"{count:>6,}  {in_number(count, phrase)}")
    for line in summary.unreadable[:MAX_UNREADABLE]:
        console.warn(line)
    if len(summary.unreadable) > MAX_UNREADABLE:
        console.warn(f"and {count_noun(len(summary.unreadable) - MAX_UNREADABLE, 'more unreadable file')}")


class ReadingProgress(AbstractContextManager["ReadingProgress"]):
    """A line on a terminal that counts what has been read, and is erased at the end.

    Elsewhere, an evaluation prints a line after FIRST_LINE seconds, and after each doubling of that time.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._clock = console, clock
        self._start, self._shown, self._next_line = 0.0, False, FIRST_LINE
        self._what, self._first = "", 0.0

    def __exit__(self, *reason: object) -> None:
        if self._shown:
            self._console.show_status("")

    def update(self, sources: int, pieces: int) -> None:
        """Show how many files and pieces have been read."""
        self._show(f"reading: {count_noun(sources, 'file')}, {count_noun(pieces, 'piece')}")

    def update_converted(self, sources: int, pieces: int) -> None:
        """Show how many files and pieces have been converted."""
        self._show(f"converting: {count_noun(sources, 'file')}, {count_noun(pieces, 'piece')}")

    def update_measured(self, done: float, total: int) -> None:
        """Show which share of the batches has been measured, and the time left; `done` may be a fraction."""
        self.update_share("evaluating", done, total)

    def update_share(self, what: str, done: float, total: int) -> None:
        """Show `what` is done, which share of it, and the time left; `done` may be a fraction."""
        left, elapsed = "", 0.0
        if what != self._what or done == 0:
            self._what, self._start, self._first, self._next_line = what, self._clock(), done, FIRST_LINE
        elif done > self._first:
            elapsed = self._clock() - self._start
            left = f", {duration(elapsed / (done - self._first) * (total - done))} left"
        text = f"{what}: {done / total:.0%}{left}"
        self._show(text)
        if elapsed >= self._next_line and done < total and not self._console.can_animate:
            self._next_line = 2 * elapsed
            self._console.say(text)

    def _show(self, text: str) -> None:
        if self._console.can_animate and not self._console.quiet:
            self._console.show_status(text)
            self._shown = True
