"""MIDI ports of a real system, if python-rtmidi and one are there: ALSA's sequencer, JACK or CoreMIDI."""

import time

import mido
import pytest
from mido import Message
from virtual_midi import finish, sounding, twelve_notes

from composer.api import ComposerError
from composer.cli.jam.phrases import listening
from composer.playback.port_player import PortPlayer
from composer.playback.ports import open_output

rtmidi = pytest.importorskip("rtmidi")
SYSTEMS = ("LINUX_ALSA", "UNIX_JACK", "MACOSX_CORE")


@pytest.fixture
def virtual(monkeypatch):
    """Open a virtual port of a kind of rtmidi's, in a system in which mido then finds it."""
    opened = []

    def open_port(kind, name):
        for system in SYSTEMS:
            try:
                port = kind(getattr(rtmidi, f"API_{system}"), name="composer test")
                port.open_virtual_port(name)
            except (rtmidi.RtMidiError, rtmidi.SystemError):
                continue
            opened.append(port)
            backend = mido.Backend(f"mido.backends.rtmidi/{system}")
            for function in ("get_output_names", "get_input_names", "open_output", "open_input"):
                monkeypatch.setattr(mido, function, getattr(backend, function), raising=False)
            return port
        pytest.skip("no MIDI system")

    yield open_port
    for port in opened:
        port.close_port()


@pytest.fixture
def synthesizer(virtual):
    """A virtual output, with the messages that it has received so far."""
    port, received = virtual(rtmidi.MidiIn, "Synth"), []
    port.set_callback(lambda event, _: received.append(Message.from_bytes(event[0])))
    return port, received


def test_a_port_receives_what_the_file_says(synthesizer):
    _, received = synthesizer
    timeline = twelve_notes()
    with open_output("Synth") as port:
        player = PortPlayer(timeline, port, "Synth")
        player.start()
        finish(player)
        deadline = time.monotonic() + 5
        while len(received) < len(timeline.messages) and time.monotonic() < deadline:
            time.sleep(0.001)
    sent = [each.message.bytes() for each in timeline.messages]
    assert [message.bytes() for message in received][: len(sent)] == sent
    assert sounding(received) == set()


def test_a_port_vanishes(synthesizer, monkeypatch):
    port, _ = synthesizer
    monkeypatch.setattr("composer.playback.port_player.CHECK_SECONDS", 0.0)
    with open_output("Synth") as opened:
        player = PortPlayer(twelve_notes(), opened, "Synth")
        port.close_port()
        player.start()
        with pytest.raises(ComposerError, match="MIDI port 'Synth' failed: it is gone"):
            finish(player)
        player.stop()


def test_a_keyboard_is_heard(virtual):
    keyboard = virtual(rtmidi.MidiOut, "Keys")
    with listening("Keys", lambda: 1.5) as listener:
        keyboard.send_message(Message("note_on", note=60).bytes())
        heard, deadline = [], time.monotonic() + 5
        while not heard and time.monotonic() < deadline:
            heard += listener.heard()
    assert heard == [(1.5, Message("note_on", note=60))]
