"""Progress of reading, evaluating and rendering, and a report of what was skipped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from composer.check.loss_phrases import in_number
from composer.cli.console import Console
from composer.cli.render.guesses import GuessPlace, place_of, warn_of_guesses
from composer.cli.render.text import count_noun, time_left
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


FIRST_LINE = 2.0
"""Seconds until a line of progress is printed if stderr is not a terminal."""


@dataclass
class LineIntervals:
    """When lines are printed that are not replaced: after FIRST_LINE seconds, and after each doubling of that time."""

    next_line: float = field(default_factory=lambda: FIRST_LINE)

    def is_due(self, elapsed: float) -> bool:
        """Return whether a line is to be printed after so many seconds; the next one comes after twice as many."""
        if elapsed < self.next_line:
            return False
        self.next_line = 2 * elapsed
        return True


class ReadSummary(Protocol):
    """What was skipped: `rejected` by reason, `losses` by phrase, `places` of both, a line for each `unreadable`."""

    @property
    def rejected(self) -> Mapping[str, int]: ...
    @property
    def places(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def losses(self) -> Mapping[str, int]: ...
    @property
    def unreadable(self) -> Sequence[str]: ...


def report_skipped(console: Console, summary: ReadSummary, guessed: Mapping[str, GuessPlace] | None = None) -> None:
    """Print what was skipped, and why, even if the console is quiet.

    `guessed` is where the first guesses are, if it is known better than from the places of the summary.
    """
    if summary.rejected:
        console.warn(f"skipped {count_noun(sum(summary.rejected.values()), 'piece')}:")
    reasons = sorted(summary.rejected.items(), key=lambda item: -item[1])
    for reason, count in reasons[:MAX_REASONS]:
        first = next(iter(summary.places.get(reason, ())), "")
        console.print_prose(f"{count:>6,}  {reason}{f', such as {first}' if first else ''}")
    if len(reasons) > MAX_REASONS:
        rest = reasons[MAX_REASONS:]
        console.print_prose(f"{sum(count for _, count in rest):>6,}  for {count_noun(len(rest), 'other reason')}")
    if guessed is None:
        guessed = {phrase: place_of(found[0]) for phrase, found in summary.places.items() if found}
    losses = warn_of_guesses(console, summary.losses, guessed)
    for phrase, count in sorted(losses.items(), key=lambda item: -item[1]):
        console.say(f"{count:>6,}  {in_number(count, phrase)}")
    for line in summary.unreadable[:MAX_UNREADABLE]:
        console.warn(line)
    if len(summary.unreadable) > MAX_UNREADABLE:
        console.warn(f"and {count_noun(len(summary.unreadable) - MAX_UNREADABLE, 'more unreadable file')}")


class ReadingProgress(AbstractContextManager["ReadingProgress"]):
    """A line on a terminal that counts what has been read, and is erased at the end.

    Elsewhere, lines are printed at LineIntervals.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._clock = console, clock
        self._start: float | None = None
        self._shown, self._intervals = False, LineIntervals()
        self._what, self._first = "", 0.0

    def __exit__(self, *reason: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Erase the line, before something else is printed."""
        if self._shown:
            self._console.show_status("")
            self._shown = False

    def update(self, sources: int, pieces: int) -> None:
        """Show how many files and pieces have been read."""
        self._count("reading", sources, pieces)

    def update_converted(self, sources: int, pieces: int) -> None:
        """Show how many files and pieces have been converted."""
        self._count("converting", sources, pieces)

    def update_checked(self, sources: int, pieces: int) -> None:
        """Show how many files and pieces have been checked."""
        self._count("checking", sources, pieces)

    def update_measured(self, done: float, total: int) -> None:
        """Show which share of the batches has been measured, and the time left; `done` may be a fraction."""
        self.update_share("evaluating", done, total)

    def update_rendered(self, share: float) -> None:
        """Show which share of a WAV file has been rendered."""
        self.update_share("rendering", share, 1)

    def update_share(self, what: str, done: float, total: int) -> None:
        """Show `what` is done, which share of it, and the time left; `done` may be a fraction."""
        now = self._clock()
        if what != self._what or done == 0:
            self._what, self._start, self._first, self._intervals = what, now, done, LineIntervals()
        elapsed = now - (self._start or 0.0)
        left = time_left(elapsed, done - self._first, total - done)
        self._show(f"{what}: {done / total:.0%}{f', {left}' if left else ''}", elapsed, is_last=done >= total)

    def _count(self, what: str, sources: int, pieces: int) -> None:
        """Show how many files and pieces have been done."""
        now = self._clock()
        if self._start is None:
            self._start = now
        self._show(f"{what}: {count_noun(sources, 'file')}, {count_noun(pieces, 'piece')}", now - self._start)

    def _show(self, text: str, elapsed: float, *, is_last: bool = False) -> None:
        if self._console.can_animate:
            if not self._console.quiet:
                self._console.show_status(text)
                self._shown = True
        elif not is_last and self._intervals.is_due(elapsed):
            self._console.say(text)
