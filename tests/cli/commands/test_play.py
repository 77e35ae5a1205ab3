"""`composer play` and `gen --play`."""

import errno
import io
import os
import shutil

import pytest
from virtual_midi import NAME, Output, install, sounding

from composer.cli.app import main
from composer.cli.console import Console

SHORT = "X:1\nT:Short\nM:4/4\nL:1/8\nQ:1/4=1000\nK:C\nCEGc|]\n"


@pytest.fixture
def tune(tmp_path):
    path = tmp_path / "short.abc"
    path.write_text(SHORT)
    return path


@pytest.fixture
def port(monkeypatch):
    port = Output()
    install(monkeypatch, port)
    return port


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Install programs by their scripts; there are no others, except those that the scripts need."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    copy = shutil.which("cp", path="/bin:/usr/bin")

    def add(name, *lines):
        path = folder / name
        path.write_text("\n".join(["#!/bin/sh", *lines, ""]).replace("COPY", f"{copy}"))
        path.chmod(0o755)

    return add


def test_through_a_port(composer, tune, port):
    done = composer("play", tune, "--port", "virtual")
    assert (done.code, done.out) == (0, "")
    assert done.err == f"playing {tune}: Short (0:00) with virtual\n"
    assert [each.note for each in port.messages if each.type == "note_on"] == [60, 64, 67, 72]
    assert sounding(port.messages) == set()
    assert port.closed


def test_a_midi_file_is_played_as_it_is(composer, tune, port, tmp_path):
    import mido

    path = tmp_path / "a.mid"
    assert composer("convert", tune, "-o", path).code == 0
    file = mido.MidiFile(path)
    file.tracks[1][1:1] = [mido.Message("pitchwheel", pitch=33), mido.Message("sysex", data=(1, 2))]
    file.save(path)
    assert composer("play", path, "--port", NAME, "-q").err == ""
    assert {"pitchwheel", "sysex"} <= {each.type for each in port.messages}


def test_one_tune_of_many(composer, tunes, port):
    composer("play", tunes, "--tune", 9, "--port", NAME).failed("there is no piece 9", "--tune 4")
    assert port.received == []


def test_a_file_that_cannot_be_read_does_not_stop_the_others(composer, tune, port, tmp_path):
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    done = composer("play", tmp_path / "bad.mid", tune, "--port", NAME)
    assert done.code == 1
    assert "bad.mid" in done.err
    assert port.received


def test_the_audio_player_gets_what_we_render(composer, tune, programs, tmp_path):
    programs("aplay", f'COPY "$2" {tmp_path}/played.wav')
    assert composer("play", tune).err == f"playing {tune}: Short (0:00) with aplay\n"
    assert (tmp_path / "played.wav").read_bytes()[:4] == b"RIFF"


def test_a_midi_player_gets_midi(composer, tune, programs, tmp_path):
    programs("timidity", f'COPY "$2" {tmp_path}/played.mid')
    programs("aplay", "exit 1")
    assert composer("play", "-", stdin=tune.read_bytes()).code == 0
    assert (tmp_path / "played.mid").read_bytes()[:4] == b"MThd"


def test_the_next_program_plays_if_one_fails(composer, tune, programs):
    programs("timidity", "echo no device >&2", "exit 1")
    programs("aplay")
    done = composer("play", tune, tune)
    assert (done.code, done.err) == (0, f"playing {tune}: Short (0:00) with aplay\n" * 2)


def test_busy_audio(composer, tune, programs):
    programs("aplay", "echo Device or resource busy >&2", "exit 1")
    done = composer("play", tune)
    assert done.code == 1
    assert done.err.startswith(
        "error: aplay cannot play: Device or resource busy\nhint: free the audio device, play through"
    )
    assert "--port NAME, or write a file: composer play FILE -o tune.wav" in done.err


def test_nothing_to_play_with(composer, tune, programs):
    composer("play", tune).failed("found no program that plays sound", "install fluidsynth", "--port", "-o tune.wav")
    programs("timidity")
    composer("play", tune, "--soundfont", "none").failed("found no program that plays sound", "leave out --soundfont")


def test_write_a_wav_file(composer, tune, tmp_path, port):
    wav = tmp_path / "a.wav"
    assert composer("play", tune, "-o", wav).err == f"wrote {wav}\n"
    composer("play", tune, "-o", wav).failed("already exists", "--force")
    assert composer("play", tune, "-o", "-").data == wav.read_bytes()
    assert composer("convert", tune, "--to", "wav").data == wav.read_bytes()
    composer("play", wav, "--port", NAME).failed("is a WAV file, which a MIDI port cannot play")


def test_guesses_are_named_before_the_music(composer, tune, tmp_path):
    tune.write_text(SHORT.replace("CEGc", "CEG1/0c"))
    lines = composer("play", tune, "-o", tmp_path / "a.wav", "-q").err.splitlines()
    assert lines == [
        f"warning: 1 impossible note length changed, in {tune}: line 7, column 3; for details: composer check {tune}"
    ]


def test_bars_that_do_not_fit_are_said_unless_there_is_no_piano_roll(composer, tune, tmp_path, port):
    tune.write_text(SHORT.replace("CEGc|]", "C8|C6|C8|]"))
    said = f"{tune}: 1 bar line moved, since bars do not fill the meter\n"
    assert said in composer("play", tune, "--port", NAME).err
    assert said not in composer("play", tune, "-o", tmp_path / "a.wav").err


def test_a_wav_file_holds_one_piece(composer, tunes, tmp_path):
    composer("play", tunes, "-o", tmp_path / "a.wav").failed("a WAV file holds one piece", "--tune 1")
    assert composer("play", tunes, "--tune", 2, "-o", tmp_path / "a.wav").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "a.mp3"], ["cannot write a.mp3", "--output a.wav"]),
        (["-o", "-", "--port", "x"], ["--output and --port cannot be used together"]),
        (["--soundfont", "a.sf2", "--port", "x"], ["--port and --soundfont cannot be used together"]),
        (["--tune", "0"], ["--tune"]),
    ],
)
def test_options_that_cannot_be(composer, tune, arguments, words):
    composer("play", tune, *arguments).failed(*words, code=2)


def test_generate_and_play(composer, checkpoint, port, tmp_path):
    path = tmp_path / "new.abc"
    options = ("gen", "abc", "-c", checkpoint, "--seed", 1, "--length", 30, "--tempo", 1000, "--candidates", 1)
    done = composer(*options, "--play", "--port", NAME, "-o", path)
    assert done.code == 0, done.err
    played = [each.note for each in port.messages if each.type == "note_on"]
    port.received.clear()
    assert composer("play", path, "--port", NAME).code == 0
    assert [each.note for each in port.messages if each.type == "note_on"] == played != []
    assert composer(*options, "--play", "--port", NAME).data == path.read_bytes()
    assert composer(*options, "-o", tmp_path / "new.wav").code == 0


def test_binary_is_played_and_not_drawn(composer, checkpoint, port):
    options = ("gen", "abc", "-c", checkpoint, "--seed", 1, "--length", 60, "--tempo", 1000, "--candidates", 1)
    done = composer(*options, "--format", "midi", "--play", "--port", NAME, "-q", terminal=True)
    assert (done.code, done.out) == (0, "")
    assert port.received


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gen", "abc", "--port", "x"], ["--port needs --play"]),
        (["gen", "abc", "--soundfont", "x"], ["--soundfont has no effect on `abc`"]),
        (["gen", "text", "--format", "wav"], ["`text` cannot be written as `wav`"]),
    ],
)
def test_options_of_gen(composer, arguments, words):
    composer(*arguments).failed(*words, code=2)


def test_gen_says_how_to_listen(composer, checkpoint, tmp_path):
    options = ("gen", "abc", "-c", checkpoint, "--length", 60, "--candidates", 1)
    path = tmp_path / "new tune.abc"
    assert composer(*options, "-o", path, terminal=True).err.endswith(f"listen: composer play '{path}'\n")
    assert "--play\n" in composer(*options, terminal=True).err
    assert "listen:" not in composer(*options, "-o", tmp_path / "b.abc").err


class FullDisk(io.RawIOBase):
    def writable(self):
        return True

    def write(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_wav_to_stdout(tune, stream, composer):
    full, errors = io.TextIOWrapper(FullDisk(), encoding="utf-8", write_through=True), stream()
    assert main(["play", str(tune), "-o", "-"], Console(stream(), full, errors, {})) == 1
    assert errors.data.decode().startswith(f"error: cannot write to stdout: {os.strerror(errno.ENOSPC)}\n")
    composer("play", tune, "-o", "-", terminal=True, NO_COLOR="1").failed("WAV is binary", code=2)
