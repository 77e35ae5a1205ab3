"""Wave tables of the small synthesizer: a plucked string, a soft organ, and drums.

Each is made once for a pitch, at full loudness, and shared by all notes of that pitch.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

SAMPLE_RATE = 44_100
_HIGHEST = 0.45 * SAMPLE_RATE
"""Partials above this frequency in Hz are left out."""
_PLUCKED_PARTIALS, _PLUCK_POSITION, _MAX_RING = 14, 0.18, 6.0
_DRAWBARS = {1: 1.0, 2: 0.5, 3: 0.28, 4: 0.2, 6: 0.08, 8: 0.06}
"""Amplitudes of the organ's partials."""
_PLUCKED_PROGRAMS = (range(16), range(24, 40), range(45, 48), range(104, 109), range(112, 120))
"""General MIDI programs that die away: pianos, bells, guitars, basses, harp, banjo, drums."""


class Timbre(NamedTuple):
    """A wave of one pitch. One that `loops` can be repeated without a seam; a `one_shot` ignores the note's end.

    `attack` and `release` are in samples.
    """

    wave: Samples
    loops: bool
    one_shot: bool
    attack: int
    release: int


def timbre(pitch: int, program: int, *, percussion: bool) -> Timbre:
    """Return the timbre for a pitch (MIDI number) of a General MIDI program, or for a sound of percussion."""
    if percussion:
        return Timbre(_drum(pitch), False, True, 1, 1)
    if any(program in programs for programs in _PLUCKED_PROGRAMS):
        return Timbre(_plucked(pitch), False, False, _samples(0.002), _samples(0.08))
    return Timbre(_organ(pitch), True, False, _samples(0.02), _samples(0.12))


def _samples(seconds: float) -> int:
    return max(round(seconds * SAMPLE_RATE), 1)


def _frequency(pitch: int) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))


@lru_cache(256)
def _plucked(pitch: int) -> Samples:
    """Return a string that rings until it is 60 dB softer; higher partials die away sooner."""
    import numpy as np

    base = _frequency(pitch)
    slowest = 0.8 * (base / 220) ** 0.5
    wave = np.zeros(_samples(min(6.9 / slowest, _MAX_RING)), np.float32)
    for partial in range(1, _PLUCKED_PARTIALS + 1):
        if partial * base > _HIGHEST:
            break
        decay = slowest * (1 + 0.4 * (partial - 1))
        time = np.arange(min(_samples(6.9 / decay), len(wave)), dtype=np.float32) / np.float32(SAMPLE_RATE)
        loudness = abs(np.sin(partial * np.pi * _PLUCK_POSITION)) / partial
        wave[: len(time)] += loudness * np.exp(-decay * time) * np.sin(2 * np.pi * partial * base * time)
    fade = min(_samples(0.05), len(wave))
    wave[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return wave


@lru_cache(256)
def _organ(pitch: int) -> Samples:
    """Return about a second of a steady tone, a whole number of periods long."""
    import numpy as np

    periods = round(_frequency(pitch))
    phase = 2 * np.pi * np.arange(_samples(periods / _frequency(pitch))) * periods
    phase /= len(phase)
    audible = [(partial, level) for partial, level in _DRAWBARS.items() if partial * periods < _HIGHEST]
    tone: Samples = sum(level * np.sin(partial * phase) for partial, level in audible).astype(np.float32) * 0.5
    return tone


class _Drum(NamedTuple):
    """A falling tone from `high` to `low` Hz and noise; each decays by a factor e in its time in seconds."""

    high: float
    low: float
    tone: float
    tone_decay: float
    noise: float
    noise_decay: float
    bright: bool = False


_KICK = _Drum(150, 45, 1.4, 0.12, 0.1, 0.01)
_SNARE = _Drum(220, 170, 0.5, 0.06, 0.7, 0.07)
_CLAP = _Drum(0, 0, 0, 0.01, 0.9, 0.06)
_CLICK = _Drum(1800, 1500, 0.5, 0.02, 0.2, 0.01)
_CLOSED = _Drum(0, 0, 0, 0.01, 0.5, 0.03, bright=True)
_OPEN = _Drum(0, 0, 0, 0.01, 0.5, 0.2, bright=True)
_CYMBAL = _Drum(0, 0, 0, 0.01, 0.5, 0.6, bright=True)
_DRUMS = {35: _KICK, 36: _KICK, 37: _CLICK, 38: _SNARE, 39: _CLAP, 40: _SNARE, 42: _CLOSED, 44: _CLOSED, 46: _OPEN}
_DRUMS |= dict.fromkeys((49, 51, 52, 53, 55, 57, 59), _CYMBAL) | dict.fromkeys((54, 69, 70, 80), _CLOSED)
_DRUMS |= {
    tom: _Drum(low * 1.5, low, 1.0, 0.15, 0.1, 0.03)
    for tom, low in zip((41, 43, 45, 47, 48, 50), (80, 95, 110, 130, 150, 175), strict=True)
}


@lru_cache(128)
def _drum(sound: int) -> Samples:
    """Return a sound of General MIDI percussion; those that are not listed are clicks."""
    import numpy as np

    drum = _DRUMS.get(sound, _CLICK)
    time = np.arange(_samples(7 * max(drum.tone_decay, drum.noise_decay))) / SAMPLE_RATE
    frequency = drum.low + (drum.high - drum.low) * np.exp(-time / max(drum.tone_decay / 3, 1e-3))
    tone = np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE) * np.exp(-time / drum.tone_decay)
    noise = np.random.default_rng(sound).uniform(-1, 1, len(time) + 1)
    noise = np.diff(noise) if drum.bright else noise[1:]
    wave = drum.tone * tone + drum.noise * noise * np.exp(-time / drum.noise_decay)
    return wave.astype(np.float32)
