"""What plays messages as they come."""

import importlib
import shutil
import sys
import time

import mido
import pytest
from mido import Message
from virtual_midi import NAME, Output, install

from composer.api import ComposerError
from composer.playback.instruments import open_instrument

NOTE = [Message("note_on", channel=2, note=60, velocity=70), Message("note_off", channel=2, note=60)]


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Install programs by what they do with their input, in the language of the shell."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.chdir(tmp_path)
    cat = shutil.which("cat", path="/bin:/usr/bin")

    def add(name, line):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{line.replace('CAT', f'exec {cat}')}\n")
        path.chmod(0o755)

    return add


def wait_for(condition):
    while not condition():
        time.sleep(0.001)


@pytest.fixture
def soundfont(tmp_path, monkeypatch):
    path = tmp_path / "grand.sf2"
    path.write_bytes(b"RIFF\0\0\0\0sfbk")
    return str(path)


def test_fluidsynth_gets_commands(programs, soundfont, tmp_path):
    programs("fluidsynth", 'echo "$@" > arguments; CAT > commands')
    commands = tmp_path / "commands"
    with open_instrument(soundfont) as (instrument, name):
        assert name == "fluidsynth"
        for message in [Message("program_change", channel=2, program=40), *NOTE, Message("pitchwheel", pitch=3)]:
            instrument.send(message)
        instrument.send(Message("control_change", channel=2, control=123, value=0))
        wait_for(lambda: commands.exists() and commands.read_text().count("\n") == 4)
    assert commands.read_text().splitlines() == ["prog 2 40", "noteon 2 60 70", "noteoff 2 60", "cc 2 123 0"]
    assert (tmp_path / "arguments").read_text() == f"-nq {soundfont}\n"


def test_our_synthesizer_plays_through_an_audio_player(programs, tmp_path):
    programs("aplay", "CAT > sound")
    sound = tmp_path / "sound"
    with open_instrument() as (instrument, name):
        assert name == "aplay"
        instrument.send(NOTE[0])
        wait_for(lambda: sound.exists() and any(sound.read_bytes()))


@pytest.mark.parametrize("player", [True, False])
def test_fluidsynth_without_an_audio_driver(programs, soundfont, monkeypatch, player):
    monkeypatch.setenv("COMPOSER_SOUNDFONT", soundfont)
    install(monkeypatch, None, [])
    programs("fluidsynth", "echo 'no audio driver' >&2; exit 1")
    if player:
        programs("aplay", "CAT > sound")
        with open_instrument() as (_, name):
            assert name == "aplay"
    else:
        with pytest.raises(ComposerError, match="fluidsynth cannot play: no audio driver"):
            open_instrument().__enter__()
    with open_instrument(soundfont) as (_, name):
        assert name == "fluidsynth", "it was asked for"


def test_a_program_that_cannot_play(programs):
    programs("aplay", "echo 'device busy. Giving up.' >&2; exit 1")

    def play():
        while True:
            instrument.send(NOTE[0])

    fault = r"aplay cannot play: device busy\. Giving up$"
    with open_instrument() as (instrument, _), pytest.raises(ComposerError, match=fault) as caught:
        play()
    assert caught.value.hint.startswith("free the audio device")


def test_a_port_comes_first_if_it_is_named_and_last_if_not(programs, monkeypatch):
    port = Output()
    install(monkeypatch, port)
    with open_instrument() as (instrument, name):
        assert (instrument, name) == (port, NAME)
    programs("aplay", "CAT > sound")
    with open_instrument() as (_, name):
        assert name == "aplay"
    with open_instrument(port="virtual") as (instrument, name):
        assert (instrument, name) == (port, "virtual")


def test_with_nothing_to_play_with(programs, monkeypatch):
    install(monkeypatch, None, [])
    with pytest.raises(ComposerError, match="found nothing to play live with: no MIDI port") as caught:
        open_instrument().__enter__()
    assert "install fluidsynth" in caught.value.hint
    monkeypatch.setitem(sys.modules, "rtmidi", None)
    monkeypatch.setattr(mido, "get_output_names", lambda: importlib.import_module("rtmidi"))
    with pytest.raises(ComposerError, match="MIDI ports need python-rtmidi") as caught:
        open_instrument().__enter__()
    assert "pip install 'composer-cli[live]'" in caught.value.hint
