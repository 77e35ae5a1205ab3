"""What plays one piece, and the clock that it goes by."""

from __future__ import annotations

import time
from typing import Protocol


class Player(Protocol):
    """Plays one piece. `name` says by what, for messages."""

    name: str

    @property
    def position(self) -> float:
        """Seconds of the piece that have been played."""

    @property
    def has_started(self) -> bool:
        """Whether it is known to play, or is finished; a program may fail soon after `start`."""

    @property
    def is_finished(self) -> bool:
        """Whether the piece is over, or cannot go on."""

    @property
    def is_paused(self) -> bool:
        """Whether it waits for `resume`."""

    def check(self) -> None:
        """Raise ComposerError if it cannot go on."""

    def start(self) -> None:
        """Begin to play. Raises ComposerError."""

    def pause(self) -> None:
        """Fall silent, until `resume`."""

    def resume(self) -> None:
        """Go on where `pause` was called."""

    def stop(self) -> None:
        """Fall silent for good, and let go of the port or program."""


class Clock:
    """Seconds since `start`, without the time between `pause` and `resume`."""

    def __init__(self) -> None:
        self._origin: float | None = None
        self._paused_at: float | None = None

    @property
    def is_paused(self) -> bool:
        return self._paused_at is not None

    @property
    def seconds(self) -> float:
        """The time; 0 before the start."""
        if self._origin is None:
            return 0.0
        now = time.perf_counter() if self._paused_at is None else self._paused_at
        return now - self._origin

    def start(self) -> None:
        self._origin = time.perf_counter()

    def pause(self) -> None:
        if self._paused_at is None:
            self._paused_at = time.perf_counter()

    def resume(self) -> None:
        if self._origin is not None and self._paused_at is not None:
            self._origin += time.perf_counter() - self._paused_at
        self._paused_at = None
