"""The table of formats, and writing a score."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from composer.api import ComposerError, Note, OptionError, Part, Score
from composer.formats import FORMATS, WriteSettings, format_named, format_of, write

SCORE = Score((Part((Note(Fraction(0), 60, Fraction(1)), Note(Fraction(1), 64, Fraction(1)))),), title="Two Notes")


@pytest.mark.parametrize(
    ("path", "name"),
    [("a.abc", "abc"), ("b.MID", "midi"), ("b.midi", "midi"), ("c.musicxml", "musicxml"), ("c.xml", "musicxml")],
)
def test_format_by_suffix(path, name):
    assert format_of(Path(path)) is FORMATS[name]


def test_other_suffixes_have_no_format():
    assert format_of(Path("tune.mp3")) is None
    assert format_of(Path("midi")) is None


@pytest.mark.parametrize("name", ["kern", "mei"])
def test_formats_that_are_only_read_cannot_be_written(name):
    with pytest.raises(ComposerError, match=f"cannot be written as {name}"):
        write(name, SCORE)


def test_no_two_formats_share_a_suffix():
    suffixes = [suffix for known in FORMATS.values() for suffix in known.suffixes]
    assert len(suffixes) == len(set(suffixes))


def test_an_unknown_format_suggests_the_nearest():
    with pytest.raises(OptionError) as caught:
        format_named("mid")
    assert "'mid'" in caught.value.message
    assert "midi" in caught.value.hint


def test_formats_without_notes_cannot_be_written():
    with pytest.raises(ComposerError, match="cannot be written as tokens"):
        write("tokens", SCORE)


@pytest.mark.parametrize("name", ["midi", "musicxml"])
def test_bytes_are_reproducible(name):
    assert write(name, SCORE) == write(name, SCORE)


@pytest.mark.parametrize("name", ["midi", "musicxml"])
def test_a_title_in_the_settings_overrides_the_score(name):
    data = write(name, SCORE, WriteSettings(title="Another"))
    assert b"Another" in data
    assert b"Two Notes" not in data


@pytest.mark.parametrize(
    "wrong", [{"tempo": 0}, {"tempo": -1}, {"tempo": float("nan")}, {"instrument": 128}, {"velocity": 0}]
)
def test_settings_out_of_range(wrong):
    with pytest.raises(OptionError):
        WriteSettings(**wrong)


def test_importing_the_table_loads_no_library():
    program = (
        "import sys, composer.formats\n"
        "heavy = {'numpy', 'music21', 'symusic', 'mido', 'torch', 'rich'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
