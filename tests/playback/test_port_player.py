"""Playing through a MIDI port."""

import time

import pytest
from mido import Message
from virtual_midi import NAME, Output, finish, install, sounding, twelve_notes

from composer.api import ComposerError
from composer.audio.timeline import TimedMessage, Timeline
from composer.playback.port_player import LivePlayer, PortPlayer
from composer.playback.ports import check_present, only_output, open_output


def wait_for(condition):
    while not condition():
        time.sleep(0.001)


def test_a_port_receives_what_the_file_says_in_time():
    timeline, port = twelve_notes(), Output()
    player = PortPlayer(timeline, port, NAME)
    before = time.perf_counter()
    player.start()
    finish(player)
    played = port.received[: len(timeline.messages)]
    assert [message for _, message in played] == [each.message for each in timeline.messages]
    for (seconds, _), each in zip(played, timeline.messages, strict=True):
        assert seconds - before >= each.seconds  # how late it is depends on the machine
    assert sounding(port.messages) == set()


def held_chord():
    messages = [
        Message("control_change", control=64, value=127),
        Message("note_on", note=60),
        Message("note_on", note=64, channel=1),
        Message("note_on", note=67, velocity=0),
    ]
    return Timeline([TimedMessage(0.0, each) for each in messages] + [TimedMessage(60.0, messages[-1])], 60.0)


def test_a_pause_silences_and_holds_the_time():
    port = Output()
    player = PortPlayer(held_chord(), port, NAME)
    player.start()
    wait_for(lambda: len(port.received) == 4)
    player.pause()
    assert player.is_paused
    assert sounding(port.messages) == set()
    at = player.position
    time.sleep(0.01)
    assert player.position == at < 60
    player.resume()
    assert port.messages[-1] == Message("control_change", control=64, value=127)
    player.stop()
    assert port.messages[-2:] == [
        Message("control_change", control=64, value=0),
        Message("control_change", control=123, value=0),
    ]


def test_a_port_vanishes():
    player = PortPlayer(held_chord(), Output(vanishes=2), NAME)
    player.start()
    with pytest.raises(ComposerError, match="MIDI port 'Virtual Synth 1' failed: device not configured"):
        finish(player)
    player.stop()


class Client:
    """What python-rtmidi knows of the ports that are there."""

    ports = [NAME]  # noqa: RUF012

    def get_ports(self):
        return self.ports


def test_a_port_whose_device_is_unplugged(monkeypatch):
    port = Output()
    port.name, port._rt = NAME, Client()
    check_present(port, "synth")
    port._rt.ports = []
    with pytest.raises(ComposerError, match="MIDI port 'synth' failed: it is gone"):
        check_present(port, "synth")
    monkeypatch.setattr("composer.playback.port_player.CHECK_SECONDS", 0.0)
    player = PortPlayer(held_chord(), port, NAME)
    player.start()
    with pytest.raises(ComposerError, match="it is gone"):
        finish(player)
    player.stop()


def test_messages_can_be_added_while_others_play():
    port = Output()
    player = LivePlayer(port, NAME)
    player.start()
    player.add([TimedMessage(60.0, Message("note_on", note=72)), TimedMessage(0.0, Message("note_on", note=60))])
    wait_for(lambda: port.received)
    player.add([TimedMessage(0.0, Message("note_on", note=60)), TimedMessage(0.0, Message("note_off", note=60))])
    wait_for(lambda: len(port.received) == 3)
    assert [each.type for each in port.messages] == ["note_on", "note_off", "note_on"]
    assert not player.is_finished
    player.clear()
    assert player.is_finished
    assert sounding(port.messages) == set()
    player.stop()


def test_a_part_of_the_name_is_enough(monkeypatch):
    port = Output()
    install(monkeypatch, port, ["Through", NAME, "Synth"])
    assert open_output("virtual") is port
    assert open_output("Synth") is port  # the exact name
    with pytest.raises(ComposerError, match="several MIDI output ports match 'syn'"):
        open_output("syn")
    with pytest.raises(ComposerError, match="no MIDI output port 'piano'") as caught:
        open_output("piano")
    assert caught.value.hint == f"ports: 'Through', '{NAME}', 'Synth'"


def test_the_only_port_needs_no_name(monkeypatch):
    install(monkeypatch, Output(), ["Midi Through Port-0", NAME])
    assert only_output() == NAME
    install(monkeypatch, Output(), ["Piano", NAME])
    with pytest.raises(ComposerError, match=f"several MIDI ports: 'Piano', '{NAME}'"):
        only_output()
    install(monkeypatch, Output(), [])
    with pytest.raises(ComposerError, match="no MIDI port"):
        only_output()


def test_without_rtmidi(monkeypatch):
    install(monkeypatch, None)
    error = ModuleNotFoundError("No module named 'rtmidi'")
    monkeypatch.setattr("mido.get_output_names", lambda: (_ for _ in ()).throw(error))
    with pytest.raises(ComposerError, match="need python-rtmidi") as caught:
        open_output("x")
    assert caught.value.hint == "pip install 'composer-cli[live]'"
