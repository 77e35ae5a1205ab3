"""Write a Score as a WAV file."""

from __future__ import annotations

from composer.api import Score
from composer.audio.wav import render_wav
from composer.formats.midi.writer import write_midi
from composer.formats.settings import WriteSettings


def write(score: Score, settings: WriteSettings) -> bytes:
    """Return the sound of `score`, which is that of the MIDI file. Raises ComposerError as `render_wav` does."""
    return render_wav(write_midi(score, settings), score.title or "the piece", settings.soundfont)
