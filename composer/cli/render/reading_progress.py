"""What the user hears of reading: a count while it goes on, and what was left out, and why."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from composer.cli.console import Console
from composer.cli.render.text import count_noun, duration
from composer.training.events import Prepared

MAX_REASONS = 12
"""How many reasons for leaving pieces out are told apart."""

MAX_UNREADABLE = 5
"""How many unreadable files are named."""


def report_pieces(console: Console, event: Prepared) -> None:
    """Say what was read; what was left out is counted by its reason, with the first places of each."""
    known = ", encoded before" if event.cached else ""
    console.say(f"{count_noun(sum(event.pieces.values()), 'piece')}{known}")
    if event.duplicates:
        are = "is a copy, and was" if event.duplicates == 1 else "are copies, and were"
        console.say(f"{event.duplicates:,} more {are} left out")
    report_left_out(console, event)
    for note in event.notes:
        console.warn(note)


class ReadSummary(Protocol):
    """What was not read: `rejected` and `places` by reason, `losses` by phrase, a line for each `unreadable` source."""

    @property
    def rejected(self) -> Mapping[str, int]: ...
    @property
    def places(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def losses(self) -> Mapping[str, int]: ...
    @property
    def unreadable(self) -> Sequence[str]: ...


def report_left_out(console: Console, event: ReadSummary) -> None:
    """Say what was not read, and why."""
    if event.rejected:
        rejected = sum(event.rejected.values())
        console.say(f"{rejected:,} more {'was' if rejected == 1 else 'were'} left out:")
    reasons = sorted(event.rejected.items(), key=lambda item: -item[1])
    for reason, count in reasons[:MAX_REASONS]:
        first = next(iter(event.places.get(reason, ())), "")
        console.say(f"{count:>6,}  {reason}{f', such as {first}' if first else ''}")
    if len(reasons) > MAX_REASONS:
        rest = reasons[MAX_REASONS:]
        console.say(f"{sum(count for _, count in rest):>6,}  for {count_noun(len(rest), 'other reason')}")
    for phrase, count in sorted(event.losses.items(), key=lambda item: -item[1]):
        console.say(f"{count:>6,}  {phrase}")
    for line in event.unreadable[:MAX_UNREADABLE]:
        console.warn(line)
    if len(event.unreadable) > MAX_UNREADABLE:
        console.warn(f"and {count_noun(len(event.unreadable) - MAX_UNREADABLE, 'more file')} cannot be read")


class ReadingProgress:
    """A line on a terminal that counts what has been read, and goes away when all is."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._began = 0.0
        self._shown = False

    def __enter__(self) -> ReadingProgress:
        return self

    def __exit__(self, *reason: object) -> None:
        if self._shown:
            self._console.stderr.write("\r\033[K")
            self._console.stderr.flush()

    def update(self, sources: int, pieces: int) -> None:
        """Count `sources` files and `pieces` so far."""
        self._show(f"reading: {count_noun(sources, 'file')}, {count_noun(pieces, 'piece')}")

    def update_measured(self, done: int, windows: int) -> None:
        """Say how much has been measured."""
        left = ""
        if done == 0:
            self._began = self._clock()
        else:
            left = f", {duration((self._clock() - self._began) / done * (windows - done))} left"
        self._show(f"measuring: {done / windows:.0%}{left}")

    def _show(self, text: str) -> None:
        if self._console.can_animate and not self._console.quiet:
            self._console.stderr.write(f"\r{text}\033[K")
            self._console.stderr.flush()
            self._shown = True
