"""Send messages to a MIDI port, each at its time: those of a timeline, or what is still being composed."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable
from itertools import count
from threading import Condition, Thread
from typing import Any

from composer.api import ComposerError
from composer.audio.timeline import SUSTAIN, TimedMessage, Timeline
from composer.playback.player import Clock
from composer.playback.ports import check_present, lost_port

CHECK_SECONDS = 1.0
"""How often the port is looked for."""
_ALL_NOTES_OFF = 123


class LivePlayer:
    """Plays messages through an open mido port; more can be added while it plays.

    A thread waits for the time of each message since the start, so that delays do not add up. Whatever sounds is ended
    when it is paused or stopped; the sustain pedal goes down again when it goes on.
    """

    def __init__(self, port: Any, port_name: str) -> None:
        self.name = port_name
        self._port, self._clock = port, Clock()
        self._waiting: list[tuple[float, int, int, Any]] = []
        """A heap of messages by time, the ends of notes first, then by age."""
        self._ages = count()
        self._changed, self._stopped = Condition(), False
        self._error: ComposerError | None = None
        self._checked = time.monotonic()
        self._down: set[tuple[int, int]] = set()
        self._pedals: dict[int, int] = {}
        self._thread = Thread(target=self._run, name="composer-port", daemon=True)

    @property
    def position(self) -> float:
        """Seconds since the start, without pauses."""
        return self._clock.seconds

    @property
    def has_started(self) -> bool:
        """Whether the clock runs; the port is open before."""
        return self._thread.is_alive() or self.is_finished

    @property
    def is_finished(self) -> bool:
        """Whether all messages have been sent, or the port has failed."""
        with self._changed:
            return not self._waiting or self._error is not None

    @property
    def is_paused(self) -> bool:
        return self._clock.is_paused

    def check(self) -> None:
        """Raise ComposerError if the port has failed, or is gone."""
        if self._error is not None:
            raise self._error
        if time.monotonic() - self._checked > CHECK_SECONDS:
            self._checked = time.monotonic()
            check_present(self._port, self.name)

    def add(self, messages: Iterable[TimedMessage], *, ends_first: bool = True) -> None:
        """Play `messages` too, late ones at once; with `ends_first`, notes end before others start at the same time."""
        with self._changed:
            for seconds, message in messages:
                order = int(ends_first and message.type == "note_on")
                heapq.heappush(self._waiting, (seconds, order, next(self._ages), message))
            self._changed.notify_all()

    def clear(self) -> None:
        """Fall silent, and forget what is to come."""
        with self._changed:
            self._waiting.clear()
            self._silence()

    def start(self) -> None:
        self._clock.start()
        self._thread.start()

    def pause(self) -> None:
        with self._changed:
            self._clock.pause()
            self._silence()

    def resume(self) -> None:
        import mido

        with self._changed:
            for channel, value in self._pedals.items():
                self._send(mido.Message("control_change", channel=channel, control=SUSTAIN, value=value))
            self._clock.resume()
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        self._silence()

    def _run(self) -> None:
        with self._changed:
            while not self._stopped and self._error is None:
                if self.is_paused or not self._waiting:
                    self._changed.wait()
                elif (left := self._waiting[0][0] - self._clock.seconds) > 0:
                    self._changed.wait(left)
                else:
                    message = heapq.heappop(self._waiting)[-1]
                    self._remember(message)
                    self._send(message)

    def _remember(self, message: Any) -> None:
        """Keep track of the keys and pedals that are down."""
        if message.type in {"note_on", "note_off"}:
            key = (message.channel, message.note)
            if message.type == "note_on" and message.velocity:
                self._down.add(key)
            else:
                self._down.discard(key)
        elif message.type == "control_change" and message.control == SUSTAIN:
            self._pedals[message.channel] = message.value

    def _silence(self) -> None:
        """End all notes: those that sound by themselves, since not every device heeds the general message."""
        import mido

        channels = {channel for channel, _ in self._down} | set(self._pedals)
        for channel, note in sorted(self._down):
            self._send(mido.Message("note_off", channel=channel, note=note))
        for channel in sorted(channels):
            for control in (SUSTAIN, _ALL_NOTES_OFF):
                self._send(mido.Message("control_change", channel=channel, control=control, value=0))
        self._down.clear()

    def _send(self, message: Any) -> None:
        if self._error is not None:
            return
        try:
            self._port.send(message)
        except ComposerError as error:
            self._error = error
        except Exception as error:  # whatever the backend raises if the device is gone
            self._error = lost_port(self.name, error)


class PortPlayer(LivePlayer):
    """Plays a timeline through an open mido port, its messages in the order that they have there."""

    def __init__(self, timeline: Timeline, port: Any, port_name: str) -> None:
        super().__init__(port, port_name)
        self._timeline = timeline
        self.add(timeline.messages, ends_first=False)

    @property
    def position(self) -> float:
        return min(super().position, self._timeline.duration)
