"""WAV files, and the SoundFont that they are rendered with."""

import io
import stat
import wave
from fractions import Fraction

import pytest

from composer.api import ComposerError, Note, Part, ReadError, Score
from composer.audio import soundfonts
from composer.audio.wav import render_wav, usable_soundfont, wav_seconds
from composer.formats import WriteSettings, write
from composer.formats.midi.writer import write_midi

SCORE = Score((Part((Note(Fraction(0), 60, Fraction(2)),)),))
MIDI = write_midi(SCORE, WriteSettings())
SOUNDFONT = b"RIFF\0\0\0\0sfbkLIST"


@pytest.fixture
def font(tmp_path):
    path = tmp_path / "small.sf2"
    path.write_bytes(SOUNDFONT)
    return path


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Install a program by the lines of its script, as the only one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(name, *lines):
        path = folder / name
        path.write_text("#!/bin/sh\n" + "\n".join(lines) + "\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return install


def test_the_format_wav():
    data = write("wav", SCORE)
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 44_100)
    assert wav_seconds(data, "a.wav") == pytest.approx(2, abs=0.01)  # a second of music, and a tail
    assert write("wav", SCORE) == data


def test_fluidsynth_renders_with_a_soundfont(font, program):
    program("fluidsynth", 'while [ "$1" != -F ]; do shift; done', 'echo "$3" > "$2"')
    assert render_wav(MIDI, "a.mid", str(font)) == f"{font}\n".encode()


def test_fluidsynth_shows_progress(font, program, monkeypatch):
    monkeypatch.setattr("composer.audio.wav.POLL_SECONDS", 0.01)
    half = f"/usr/bin/env PATH=/bin:/usr/bin head -c {44_100 * 2 * 2 // 2} /dev/zero >> $2"
    program("fluidsynth", 'while [ "$1" != -F ]; do shift; done', half, "/bin/sleep 0.1", half)
    shares = []
    assert len(render_wav(MIDI, "a.mid", str(font), shares.append)) == 44_100 * 2 * 2
    assert 0.5 in shares
    assert shares == sorted(shares)


def test_fluidsynth_fails(font, program):
    program("fluidsynth", "echo bad font >&2", "exit 3")
    with pytest.raises(ComposerError, match=r"cannot render with .*small.sf2: bad font"):
        render_wav(MIDI, "a.mid", str(font))


def test_a_soundfont_needs_fluidsynth_only_if_it_was_asked_for(font, program, monkeypatch):
    monkeypatch.delenv("COMPOSER_SOUNDFONT")
    monkeypatch.setattr(soundfonts, "_FOLDERS", (str(font.parent),))
    assert usable_soundfont() is None
    with pytest.raises(ComposerError, match=r"small.sf2 needs FluidSynth"):
        usable_soundfont(str(font))
    program("fluidsynth")
    assert usable_soundfont() == font


def test_the_default_of_the_distribution_comes_first(font, monkeypatch):
    monkeypatch.delenv("COMPOSER_SOUNDFONT")
    monkeypatch.setattr(soundfonts, "_FOLDERS", ("~nobody-at-all", "/no/such", str(font.parent)))
    (font.parent / "default-GM.sf3").write_bytes(SOUNDFONT)
    (font.parent / "a.txt").touch()
    assert soundfonts.find_soundfont().name == "default-GM.sf3"
    monkeypatch.setenv("COMPOSER_SOUNDFONT", str(font))
    assert soundfonts.find_soundfont() == font
    assert soundfonts.find_soundfont("none") is None


@pytest.mark.parametrize("data", [None, b"", b"RIFF\0\0\0\0WAVE"])
def test_no_soundfont(tmp_path, data):
    path = tmp_path / "a.sf2"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ComposerError, match=r"a\.sf2.*(no such file|is not a SoundFont)"):
        usable_soundfont(str(path))


def test_progress_of_the_built_in_synthesizer():
    shares = []
    render_wav(MIDI, "a.mid", "none", shares.append)
    assert shares[0] == 0 < shares[-1] == 1 == max(shares)


def test_too_long():
    score = Score((Part((Note(Fraction(10_000), 60, Fraction(1)),)),))
    with pytest.raises(ComposerError, match="lasts 83 minutes; a WAV file can have 60"):
        write("wav", score)


@pytest.mark.parametrize("data", [b"RIFF\0\0\0\0WAVE", b"RIFF\4\0\0\0WAVEfmt "])
def test_damaged_wav_files(data):
    with pytest.raises(ReadError, match=r"cannot play a\.wav"):
        wav_seconds(data, "a.wav")


@pytest.mark.parametrize(("beats", "tempo"), [(7201, None), (3601, 60)])
def test_a_score_that_is_too_long_is_refused_before_it_is_written(monkeypatch, beats, tempo):
    monkeypatch.setattr("composer.formats.wav.writer.write_midi", None)
    score = Score((Part((Note(Fraction(0), 60, Fraction(beats)),)),))
    with pytest.raises(ComposerError, match="the piece lasts 60 minutes") as caught:
        write("wav", score, WriteSettings(tempo=tempo))
    assert caught.value.hint.endswith("composer play FILE --port NAME")
