"""Phrases that are played on a keyboard: notes between two rests, with times in seconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count, pairwise
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, NamedTuple

from composer.api import ComposerError, Meter, Note, Part, Score, Tempo
from composer.music.rounding import rounded

POLL_SECONDS = 0.002
"""How often the port is asked for messages."""
POLLS_PER_CHECK = 500
"""After so many times, it is looked for."""
HELD_SECONDS = 10.0
"""How long a key that is down keeps a phrase from ending: its release may be lost."""
ALL_NOTES_OFF = frozenset({120, *range(123, 128)})
"""Controllers that release all keys: all sound off, all notes off, and the changes of mode."""
MAX_NOTES = 1000
"""The notes of a phrase at most, the last ones: nobody need rest."""


class PlayedNote(NamedTuple):
    """A note on the keyboard, from `start` to `end` in seconds."""

    start: float
    end: float
    pitch: int
    velocity: int


@dataclass
class PhraseDetector:
    """Collects notes until none has sounded for `rest` seconds; `on_note` is called with each complete one."""

    rest: float
    on_note: Callable[[PlayedNote], object] = lambda note: None
    notes: deque[PlayedNote] = field(default_factory=lambda: deque(maxlen=MAX_NOTES))
    _down: dict[int, tuple[float, int]] = field(default_factory=dict)
    _last: float = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been played since the last phrase."""
        return not (self.notes or self._down)

    def hear(self, seconds: float, message: Any) -> None:
        """Follow a message that came at a time."""
        if message.type == "control_change" and message.control in ALL_NOTES_OFF and self._down:
            self._release(seconds)
            self._last = seconds
        if message.type not in {"note_on", "note_off"}:
            return
        if begun := self._down.pop(message.note, None):
            self._add(PlayedNote(begun[0], seconds, message.note, begun[1]))
        if message.type == "note_on" and message.velocity:
            self._down[message.note] = seconds, message.velocity
        self._last = seconds

    def phrase(self, now: float) -> list[PlayedNote]:
        """Return the notes of a phrase that has ended, by start, and begin the next; empty if there is none yet."""
        is_held = any(now - begin < HELD_SECONDS for begin, _ in self._down.values())
        if is_held or now - self._last < self.rest:
            return []
        self._release(now)
        notes = sorted(self.notes)
        self.notes.clear()
        return notes

    def held(self, now: float) -> list[PlayedNote]:
        """Return the notes of keys that are down, as if they were released now."""
        return [PlayedNote(begin, now, pitch, velocity) for pitch, (begin, velocity) in self._down.items()]

    def _add(self, note: PlayedNote) -> None:
        self.notes.append(note)
        self.on_note(note)

    def _release(self, seconds: float) -> None:
        """End all notes of keys that are down: when the last key was heard, or else at a time."""
        for pitch, (begin, velocity) in self._down.items():
            self._add(PlayedNote(begin, self._last if self._last > begin else seconds, pitch, velocity))
        self._down.clear()


def as_score(notes: Sequence[Note], meter: Meter, bpm: float) -> Score:
    """Return a phrase from its first note on, with times that can be notated.

    Gaps of a sixteenth and less between notes are closed.
    """
    start = notes[0].onset
    score = rounded(
        Score(
            (Part(tuple(note._replace(onset=note.onset - start) for note in notes)),),
            tempos=(Tempo(Fraction(0), bpm),),
            meters=(meter,),
        )
    )
    onsets = sorted({note.onset for note in score.notes})
    following = dict(pairwise(onsets))

    def joined(note: Note) -> Note:
        end = following.get(note.onset, note.end)
        return note._replace(duration=end - note.onset) if abs(end - note.end) <= Fraction(1, 4) else note

    return Score((Part(tuple(map(joined, score.notes))),), tempos=score.tempos, meters=(meter,))


class Listener:
    """Hears a MIDI port; each message comes with the time that `clock` tells."""

    def __init__(self, port: Any, name: str, clock: Callable[[], float]) -> None:
        self._port, self._name, self._clock = port, name, clock
        self._heard = SimpleQueue[tuple[float, Any]]()
        self._stopped = Event()
        self._error: ComposerError | None = None
        self._thread = Thread(target=self._run, name="composer-listener", daemon=True)
        self._thread.start()

    def heard(self) -> Iterator[tuple[float, Any]]:
        """Yield the messages since the last call, each with its time. Raises ComposerError if the port has failed."""
        while not self._heard.empty():
            yield self._heard.get()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        from composer.playback.ports import check_present, lost_port

        try:
            for turn in count(1):
                if self._stopped.wait(POLL_SECONDS):
                    return
                for message in self._port.iter_pending():
                    self._heard.put((self._clock(), message))
                if turn % POLLS_PER_CHECK == 0:
                    check_present(self._port, self._name, "input")
        except ComposerError as error:
            self._error = error
        except Exception as error:  # whatever the backend raises if the device is gone
            self._error = lost_port(self._name, error, "input")


@contextmanager
def listening(port_name: str, clock: Callable[[], float]) -> Iterator[Listener]:
    """Listen to the input port called `port_name` within the context. Raises ComposerError."""
    from composer.playback.ports import open_input

    with open_input(port_name) as port:
        listener = Listener(port, port_name, clock)
        try:
            yield listener
        finally:
            listener.stop()
