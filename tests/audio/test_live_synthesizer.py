"""The small synthesizer, played live."""

import numpy as np
from mido import Message

from composer.audio.live_synthesizer import LiveSynthesizer
from composer.audio.synthesizer import BLOCK, synthesize
from composer.audio.timbres import SAMPLE_RATE
from composer.audio.timeline import SoundingNote

SMALL = BLOCK // 32


def test_it_sounds_as_the_same_notes_in_a_file():
    end = 8 * SMALL / SAMPLE_RATE
    for program, channel in ((0, 0), (19, 1), (0, 9)):
        note = SoundingNote(0.0, end, 60, 90, program, channel == 9, 1.0)
        expected = np.concatenate(list(synthesize([note], end)))
        live = LiveSynthesizer()
        live.send(Message("program_change", channel=channel, program=program))
        live.send(Message("note_on", channel=channel, note=60, velocity=90))
        blocks = [live.render(SMALL) for _ in range(8)]
        live.send(Message("note_off", channel=channel, note=60))
        blocks += [live.render(SMALL) for _ in range(16)]
        found = np.concatenate(blocks)
        assert found.any()
        assert np.abs(found.astype(int) - expected[: len(found)]).max() <= 1


def test_all_notes_off_silences_a_channel():
    live = LiveSynthesizer()
    for channel in (0, 1):
        live.send(Message("note_on", channel=channel, note=60))
    live.render(SMALL)
    live.send(Message("control_change", channel=0, control=123))
    live.send(Message("control_change", channel=1, control=64, value=0))
    live.render(SAMPLE_RATE // 4)
    assert live.render(SMALL).any(), "the other channel sounds on"
    live.send(Message("control_change", channel=1, control=123))
    live.render(SAMPLE_RATE // 4)
    assert not live.render(SMALL).any()


def test_notes_that_are_never_let_go_do_not_pile_up():
    live = LiveSynthesizer()
    for at in range(400):
        live.send(Message("note_on", channel=at % 9, note=60 + at // 9 % 20))
    live.render(SMALL)
    assert len(live._held) <= 128
    assert len(live._released) <= 128
