"""MIDI files in seconds."""

import io

import mido
import pytest
from mido import Message, MetaMessage

from composer.api import ReadError
from composer.audio.timeline import Timeline


def midi(*messages, division=100, kind=1):
    file = mido.MidiFile(type=kind, ticks_per_beat=division)
    file.tracks.append(mido.MidiTrack(messages))
    stream = io.BytesIO()
    file.save(file=stream)
    return stream.getvalue()


def test_times_follow_the_tempo():
    data = midi(
        Message("note_on", note=60, time=100),
        MetaMessage("set_tempo", tempo=1_000_000, time=0),
        Message("note_on", note=60, velocity=0, time=150),
    )
    timeline = Timeline.of(data, "a.mid")
    assert [each.seconds for each in timeline.messages] == [0.5, 2.0]
    assert timeline.duration == 2.0


def test_all_events_but_meta_events_are_kept():
    sent = [
        Message("sysex", data=(126, 127, 9, 1)),
        Message("program_change", program=40),
        Message("pitchwheel", pitch=100),
        Message("control_change", control=1, value=3),
    ]
    timeline = Timeline.of(midi(MetaMessage("text", text="hello"), *sent), "a.mid")
    assert [each.message for each in timeline.messages] == sent


def test_the_pedal_and_the_volume_of_a_channel():
    data = midi(
        Message("control_change", control=7, value=127),
        Message("control_change", control=64, value=100),
        Message("note_on", note=60, velocity=90),
        Message("note_off", note=60, time=100),
        Message("control_change", control=64, value=0, time=100),
        Message("note_on", note=62),
        Message("note_on", note=62, time=100),
        Message("note_on", note=35, channel=9),
        Message("control_change", control=123, value=0, time=100),
    )
    notes = Timeline.of(data, "a.mid").notes()
    assert [(each.pitch, each.start, each.end, each.percussion) for each in notes] == [
        (60, 0.0, 1.0, False),
        (62, 1.0, 1.5, False),
        (35, 1.5, 2.0, True),
        (62, 1.5, 2.0, False),
    ]
    assert notes[0].gain == 1.0
    assert notes[2].gain == pytest.approx(100 / 127)


@pytest.mark.parametrize("data", [b"", b"MThd", midi(division=-7680), midi(kind=2)[:30]])
def test_what_mido_cannot_follow(data):
    with pytest.raises(ReadError, match=r"cannot play bad\.mid"):
        Timeline.of(data, "bad.mid")
