"""`composer jam`, with virtual ports."""

import os
import shutil
import termios
from contextlib import suppress

import pytest
from mido import Message
from virtual_midi import KEYS, NAME, Input, Output, install, install_input, sounding

from composer.cli.app import main


@pytest.fixture(autouse=True)
def no_programs(tmp_path, monkeypatch):
    """There is no program that plays sound, unless a test installs one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def port(monkeypatch):
    port = Output()
    install(monkeypatch, port)
    return port


def pitches(port):
    return [each.note for each in port.messages if each.type == "note_on"]


def test_without_a_terminal(composer, port):
    done = composer("jam", "grid", "--seconds", 0.1)
    assert (done.code, done.out) == (0, "")
    assert done.err == f"playing with {NAME}; Ctrl-C stops\n"
    assert sounding(port.messages) == set()
    assert port.closed


def test_keys_on_a_terminal(terminal, port, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    user, console, program = terminal
    before = termios.tcgetattr(program)
    os.write(user, b"\033[A+ rr \033[Cq")
    assert main(["jam", "grid", "--port", NAME], console) == 0
    assert termios.tcgetattr(program) == before
    assert port.closed
    assert not any(tmp_path.glob("*.mid")), "nothing was played"


def test_keys_of_a_quiet_jam(terminal, port):
    user, console, _ = terminal
    os.write(user, b"q")
    assert main(["jam", "grid", "-q", "--port", NAME], console) == 0
    os.set_blocking(user, False)
    with suppress(BlockingIOError):
        assert b"\033" not in os.read(user, 10_000), "no piano roll is drawn"


def test_controls_hold(composer, port):
    port.vanishes = 20  # so that the test need not wait
    done = composer("jam", "grid", "--seed", 2, "--tempo", 1000, "--seconds", 60, "--key", "G")
    assert "failed: device not configured" in done.err
    assert len(pitches(port)) > 5
    assert {each % 12 for each in pitches(port)} <= {7, 9, 11, 0, 2, 4, 6}


def test_a_keyboard_is_answered(composer, port, monkeypatch):
    keys = Input()
    install_input(monkeypatch, keys)
    keys.played = [Message(kind, note=note) for note in (60, 64, 67) for kind in ("note_on", "note_off")]
    port.vanishes = 1
    done = composer("jam", "grid", "--in", "keys", "--tempo", 400, "--seconds", 60)
    assert "listening to keys, answering with" in done.err
    assert "answering 3 notes" in done.err
    assert len(pitches(port)) == 1


@pytest.mark.parametrize("vanishes", [0, 3])
def test_a_port_that_vanishes(composer, port, vanishes):
    port.vanishes = vanishes
    done = composer("jam", "grid", "--seed", 2, "--tempo", 400, "--seconds", 60)
    assert done.code == 1
    assert f"error: MIDI port '{NAME}' failed: device not configured" in done.err
    assert f"hint: ports: '{NAME}'" in done.err


def test_a_keyboard_that_vanishes(composer, port, monkeypatch):
    keys = Input()
    keys.vanishes = True
    install_input(monkeypatch, keys)
    done = composer("jam", "grid", "--in", "virtual", "--seconds", 60)
    assert done.code == 1
    assert "error: MIDI port 'virtual' failed: device not configured" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["abc", "--port", "nowhere"], ["no MIDI output port 'nowhere'", f"ports: '{NAME}'"]),
        (["grid", "--in", "nowhere"], ["no MIDI input port 'nowhere'", f"ports: '{KEYS}'"]),
        (["abc", "--key", "H"], ["unknown key 'H'"]),
    ],
)
def test_bad_input(composer, port, monkeypatch, arguments, words):
    install_input(monkeypatch, Input())
    done = composer("jam", *arguments)
    assert done.code in (1, 2)
    for word in words:
        assert word in done.err
    assert "Traceback" not in done.err
    assert not port.received


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["abc", "--density", "3"], ["`abc` has no option --density", "`composer jam grid`"]),
        (["text"], ["`text` is not music", "composer jam abc"]),
        (["abc", "--temp", "0.6..1.2"], ["no end to ramp --temp to", "--temp 0.6"]),
        (["grid", "--keep-bars", "2"], ["--keep-bars does not work in a jam", "leave out --keep-bars"]),
        (["grid", "--seconds", "0"], ["invalid value for --seconds"]),
        (["grid", "--port", "x", "--soundfont", "none"], ["--port and --soundfont cannot be used together"]),
    ],
)
def test_what_a_jam_cannot_do(composer, port, arguments, words):
    composer("jam", *arguments).failed(*words, code=2)


def test_without_ports(composer, monkeypatch):
    install(monkeypatch, None, [])
    composer("jam", "abc").failed("found nothing to play live with", "no MIDI port", "install fluidsynth")


def test_with_the_built_in_synthesizer(composer, no_programs, tmp_path):
    (no_programs / "aplay").write_text(
        f"#!/bin/sh\nexec {shutil.which('cat', path='/bin:/usr/bin')} > {tmp_path}/sound\n"
    )
    (no_programs / "aplay").chmod(0o755)
    done = composer("jam", "grid", "--seconds", 0.2)
    assert (done.code, done.err) == (0, "playing with aplay; Ctrl-C stops\n")
    assert (tmp_path / "sound").exists()


def test_a_density_that_the_model_cannot_follow(composer, port):
    done = composer("jam", "grid", "--density", 99, "--seconds", 60)
    assert done.code == 1
    assert "--density 99 is too high" in done.err
