"""What `composer convert` refuses, and how it names it."""

from fractions import Fraction

import pytest

from composer import formats
from composer.api import Note, Part, Score


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ("no output format", "--to abc, midi, musicxml, tokens or wav")),
        (("--to", "mp3"), ("unknown format 'mp3'", "choose from abc, midi, musicxml, wav, tokens\n")),
        (("--to", "tex"), ("unknown format 'tex'", "did you mean `tokens`?")),
        (("--to", "text"), ("music cannot be written as `text`", "--to abc, midi, musicxml, tokens or wav")),
        (
            ("--from", "foo", "--to", "abc"),
            ("unknown format 'foo'", "choose from abc, midi, musicxml, kern, mei, tokens\n"),
        ),
        (("-o", "tune.foo"), ("unknown suffix '.foo'", "--to abc, midi, musicxml, tokens or wav")),
        (("-o", "tune.abc", "--to", "midi"), ("--to midi contradicts --output tune.abc", "--output tune.mid")),
        (("--to", "midi"), ("`midi` files hold one piece each", "--output tunes/%03d.mid")),
        (("-o", "new.mid"), ("`midi` files hold one piece each", "--output new-%03d.mid")),
    ],
)
def test_invalid_requests(composer, tunes, arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    composer("convert", tunes, *arguments).failed(*words, code=2)
    assert not list(tmp_path.glob("*.*"))


def test_no_binary_on_a_terminal(composer, tunes):
    result = composer("convert", tunes, "--to", "midi", terminal=True, NO_COLOR="1")
    result.failed("MIDI is binary, and stdout is a terminal", "--output tune.mid", code=2)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "stdin is empty"),
        (b"hello", "no music in stdin"),
        (b"MThd\0\0", "stdin"),
        (b"X:1\nK:C\n", "cannot convert stdin: tune 1: no notes (line 1)"),
    ],
)
def test_unreadable_input(composer, data, words):
    composer("convert", "-", "--to", "abc", stdin=data).failed(words)


def test_input_of_another_format(composer, tunes):
    composer("convert", tunes, "--from", "midi", "--to", "abc").failed("is not a MIDI file")
    composer("convert", tunes, "--from", "text", "--to", "abc").failed("holds plain text, not music")


def test_the_hint_checks_the_file(composer, tmp_path):
    (tmp_path / "bad.abc").write_text("X:1\nK:C\n")
    hint = f"composer check {tmp_path}/bad.abc"
    composer("convert", tmp_path / "bad.abc", "--to", "midi", "-o", tmp_path / "a.mid").failed(hint)


def test_no_files(composer, tmp_path):
    composer("convert", tmp_path, "--to", "abc").failed("no music files in", ".abc")
    composer("convert", "--to", "abc").failed("missing argument FILE", code=2)


def test_music_that_a_format_cannot_hold(composer):
    notes = tuple(Note(Fraction(0), 40 + at, Fraction(at, 4)) for at in range(1, 31))
    data = formats.write("midi", Score((Part(notes),)))
    composer("convert", "-", "--to", "abc", stdin=data).failed("cannot convert stdin: the score needs more than 12")


def test_the_rest_is_converted(composer, tmp_path):
    for name, data in (("bad.mid", b"MThd"), ("good.abc", b"X:1\nK:C\nCDEF|\n"), ("silent.abc", b"X:1\nK:C\n")):
        (tmp_path / name).write_bytes(data)
    result = composer("convert", tmp_path, "--to", "musicxml", "-o", tmp_path / "new")
    assert result.code == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["good.musicxml"]
    assert "warning: cannot convert" in result.err
    assert (
        f"error: 2 of 3 pieces could not be converted\nhint: find the problems: composer check {tmp_path}" in result.err
    )
