"""The built-in synthesizer."""

import numpy as np
import pytest

from composer.audio import synthesizer
from composer.audio.synthesizer import synthesize
from composer.audio.timbres import SAMPLE_RATE
from composer.audio.timeline import SoundingNote

PIANO, ORGAN = 0, 19


def note(start, end, pitch=69, *, velocity=100, program=PIANO, percussion=False, gain=1.0):
    return SoundingNote(start, end, pitch, velocity, program, percussion, gain)


def samples(*notes):
    return np.concatenate(list(synthesize(notes, max(each.end for each in notes)))).astype(float)


def loudness(sound, start, end):
    return np.abs(sound[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]).mean()


@pytest.mark.parametrize("program", [PIANO, ORGAN])
@pytest.mark.parametrize("pitch", [45, 69, 93])
def test_pitch(program, pitch):
    sound = samples(note(0, 2, pitch, program=program))[: 2 * SAMPLE_RATE]
    loudest = np.abs(np.fft.rfft(sound)).argmax() / 2
    expected = 440 * 2 ** ((pitch - 69) / 12)
    assert loudest / expected == pytest.approx(round(loudest / expected), rel=0.01)


def test_a_string_dies_away_and_an_organ_does_not():
    string, organ = samples(note(0, 4)), samples(note(0, 4, program=ORGAN))
    assert loudness(string, 3, 3.5) < 0.2 * loudness(string, 0.2, 0.7)
    assert loudness(organ, 3, 3.5) == pytest.approx(loudness(organ, 0.2, 0.7), rel=0.1)


@pytest.mark.parametrize("program", [PIANO, ORGAN])
def test_a_note_starts_and_ends(program):
    sound = samples(note(1, 2, program=program))
    assert not sound[:SAMPLE_RATE].any()
    assert loudness(sound, 1.1, 1.9) > 100
    assert not sound[round(2.2 * SAMPLE_RATE) :].any()


def test_blocks_have_no_seams(monkeypatch):
    notes = [note(0, 3, program=ORGAN), note(0.5, 2.5), note(1, 1, 38, percussion=True)]
    whole = samples(*notes)
    monkeypatch.setattr(synthesizer, "BLOCK", 1000)
    assert np.array_equal(samples(*notes), whole)


def test_velocity_and_volume():
    loud, soft, far = samples(note(0, 1)), samples(note(0, 1, velocity=50)), samples(note(0, 1, gain=0.5))
    assert loudness(soft, 0, 1) < 0.5 * loudness(loud, 0, 1)
    assert loudness(far, 0, 1) < 0.6 * loudness(loud, 0, 1)


@pytest.mark.parametrize("sound", [36, 38, 42, 49, 81, 0, 127])
def test_every_drum_sounds(sound):
    assert loudness(samples(note(0, 0.1, sound, percussion=True)), 0, 0.02) > 50


def test_many_notes_do_not_overflow(monkeypatch):
    monkeypatch.setattr(synthesizer, "MAX_VOICES", 20)
    sound = samples(*(note(0, 1, pitch, program=ORGAN) for pitch in range(128)))
    assert 20_000 < np.abs(sound).max() <= 32_000
