"""A small synthesizer for machines without a SoundFont: notes to samples, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from composer.audio.timbres import SAMPLE_RATE, Timbre, timbre

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from composer.audio.timeline import SoundingNote

BLOCK = 2**16
MAX_VOICES = 128
"""How many notes may sound at once; the oldest give way to new ones, which bounds time and memory."""
_LOUDNESS = 0.3
_TAIL = 1.0
"""Seconds after the last note ends."""


class Voice(NamedTuple):
    """A note that sounds: its `timbre`, its loudness, and where it starts and is let go, in samples."""

    timbre: Timbre
    gain: float
    start: int
    end: int

    @property
    def stop(self) -> int:
        """The sample from which on it is silent."""
        length = len(self.timbre.wave)
        if self.timbre.one_shot:
            return self.start + length
        released = self.end + self.timbre.release
        return released if self.timbre.loops else min(self.start + length, released)


def synthesize(notes: Sequence[SoundingNote], duration: float) -> Iterator[NDArray[np.int16]]:
    """Yield blocks of samples, one channel at SAMPLE_RATE, for `notes` by start in `duration` seconds and a tail."""
    import numpy as np

    total = round((duration + _TAIL) * SAMPLE_RATE)
    voices, following = list[Voice](), iter(notes)
    upcoming = next(following, None)
    for first in range(0, total, BLOCK):
        length = min(BLOCK, total - first)
        mixed = np.zeros(length, np.float32)
        while upcoming is not None and upcoming.start * SAMPLE_RATE < first + length:
            voices.append(_voice(upcoming))
            upcoming = next(following, None)
            if len(voices) > MAX_VOICES:
                add_voice(mixed, first, voices.pop(0))
        for voice in voices:
            add_voice(mixed, first, voice)
        voices = [voice for voice in voices if voice.stop > first + length]
        yield as_samples(mixed)


def as_samples(mixed: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return a mix as samples; what is too loud is limited softly."""
    import numpy as np

    return (np.tanh(mixed) * 32_000).astype(np.int16)


def _voice(note: SoundingNote) -> Voice:
    sound = timbre(note.pitch, note.program, percussion=note.percussion)
    gain = loudness(note.velocity) * note.gain
    start = round(note.start * SAMPLE_RATE)
    return Voice(sound, gain, start, max(round(note.end * SAMPLE_RATE), start + sound.attack))


def loudness(velocity: int) -> float:
    """Return the amplitude of a note of this velocity."""
    return _LOUDNESS * float((velocity / 127) ** 1.5)


def add_voice(mixed: NDArray[np.float32], first: int, voice: Voice) -> None:
    """Add what `voice` sounds like to a block that starts at sample `first`."""
    import numpy as np

    sound = voice.timbre
    begin, stop = max(voice.start, first), min(voice.stop, first + len(mixed))
    if begin >= stop:
        return
    at, until = begin - voice.start, stop - voice.start
    wave = np.take(sound.wave, np.arange(at, until), mode="wrap") if sound.loops else sound.wave[at:until].copy()
    if at < sound.attack:
        rising = min(sound.attack, until)
        wave[: rising - at] *= np.arange(at, rising, dtype=np.float32) / sound.attack
    released = voice.end - voice.start
    if not sound.one_shot and until > released:
        falling = max(released, at)
        left = 1 - (np.arange(falling, until, dtype=np.float32) - released) / sound.release
        wave[falling - at :] *= np.maximum(left, 0) ** 2
    mixed[begin - first : stop - first] += voice.gain * wave
