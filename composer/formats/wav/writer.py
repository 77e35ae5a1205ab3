"""Write a Score as a WAV file."""

from __future__ import annotations

from fractions import Fraction

from composer.api import Score, Tempo
from composer.audio.wav import check_duration, render_wav
from composer.formats.midi.writer import write_midi
from composer.formats.settings import WriteSettings
from composer.music.tempo_map import TempoMap

SLOWEST = 4.0
"""BPM: MIDI files hold no tempo that is much slower."""


def write(score: Score, settings: WriteSettings) -> bytes:
    """Return the sound of `score`, which is that of the MIDI file. Raises ComposerError as `render_wav` does."""
    name = score.title or "the piece"
    check_duration(_seconds(score, settings), name)  # writing the MIDI file of a long piece takes seconds
    return render_wav(write_midi(score, settings), name, settings.soundfont, settings.progress or (lambda share: None))


def _seconds(score: Score, settings: WriteSettings) -> float:
    """Return the duration of `score`, at least if no tempo is slower than SLOWEST."""
    given = score.tempos if settings.tempo is None else (Tempo(Fraction(0), settings.tempo),)
    tempos = tuple(each._replace(bpm=max(each.bpm, SLOWEST)) for each in given if each.bpm > 0)
    return float(TempoMap(tempos).seconds(score.duration))
