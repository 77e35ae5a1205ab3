"""The small synthesizer, played live: MIDI messages to samples, as they come."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from composer.audio.synthesizer import MAX_VOICES, Voice, add_voice, as_samples, loudness
from composer.audio.timbres import timbre
from composer.audio.timeline import DRUM_CHANNEL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FAR = 1 << 60
"""The end, in samples, of a note that is held."""
_FIRST_MODE = 120
"""Controllers from this number on silence a channel."""


class LiveSynthesizer:
    """Renders block after block; a message takes effect at the start of the next one."""

    def __init__(self) -> None:
        self._now, self._lock = 0, Lock()
        self._programs = [0] * 16
        self._held: dict[tuple[int, int], Voice] = {}
        """The notes that are held, by channel and pitch."""
        self._released: list[Voice] = []

    def send(self, message: Any) -> None:
        """Play a message; those that it does not know are ignored."""
        with self._lock:
            if message.type in {"note_on", "note_off"}:
                self._release((message.channel, message.note))
                if message.type == "note_on" and message.velocity:
                    self._strike(message)
            elif message.type == "program_change":
                self._programs[message.channel] = message.program
            elif message.type == "control_change" and message.control >= _FIRST_MODE:
                for key in [key for key in self._held if key[0] == message.channel]:
                    self._release(key)

    def render(self, length: int) -> NDArray[np.int16]:
        """Return the next `length` samples, one channel at SAMPLE_RATE."""
        import numpy as np

        with self._lock:
            mixed = np.zeros(length, np.float32)
            for voice in (*self._held.values(), *self._released):
                add_voice(mixed, self._now, voice)
            self._now += length
            self._released = [voice for voice in self._released if voice.stop > self._now]
        return as_samples(mixed)

    def _strike(self, message: Any) -> None:
        percussion = message.channel == DRUM_CHANNEL
        sound = timbre(message.note, self._programs[message.channel], percussion=percussion)
        if len(self._held) >= MAX_VOICES:
            del self._held[next(iter(self._held))]
        self._held[message.channel, message.note] = Voice(sound, loudness(message.velocity), self._now, _FAR)

    def _release(self, key: tuple[int, int]) -> None:
        if voice := self._held.pop(key, None):
            self._released = [
                *self._released[1 - MAX_VOICES :],
                voice._replace(end=max(self._now, voice.start + voice.timbre.attack)),
            ]
