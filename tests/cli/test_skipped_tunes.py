"""Tunes that cannot be read are named with their place by each command that skips them."""

import pytest

TUNES = """\
X:1
T:Long
M:4/4
L:1/8
K:C
CDEF GABc|
C99999999|

X:2
T:Rests
M:4/4
L:1/8
K:C
CDEF GABc|Z1000|
"""
GOOD = "\nX:3\nT:Good\nM:4/4\nL:1/8\nK:C\nCDEF GABc|c8|\n"
NAMED = (
    "tunes.abc: tune 1: `C99999999` is longer than 64 whole notes (line 7, column 1)",
    "tunes.abc: tune 2: the rest `Z1000` is longer than 999 bars (line 14, column 11)",
)
COMMANDS = (
    ("show", "tunes.abc"),
    ("show", "tunes.abc", "--tune", "1"),
    ("play", "tunes.abc", "--output", "out.wav"),
    ("convert", "tunes.abc", "--output", "out/", "--to", "midi"),
    ("harmonize", "tunes.abc", "--style", "chords"),
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_skipped_tune_is_named(composer, folder, command):
    (folder / "tunes.abc").write_text(TUNES + GOOD)
    err = composer(*command).err
    assert [err.count(each) for each in NAMED] == [1, 1]
    assert "composer check tunes.abc" in err


def test_tunes_after_the_last_good_one_are_named_too(composer, folder):
    (folder / "tunes.abc").write_text(GOOD.lstrip() + "\n" + TUNES)
    for command in (COMMANDS[0], *COMMANDS[2:]):
        assert "tunes.abc: tune 2: the rest `Z1000`" in composer(*command).err


@pytest.mark.parametrize("command", [each for each in COMMANDS if each[0] != "convert"], ids=" ".join)
def test_a_file_of_such_tunes_alone_is_an_error(composer, folder, command):
    (folder / "tunes.abc").write_text(TUNES)
    result = composer(*command)
    result.failed("no music in tunes.abc: `C99999999` is longer than 64 whole notes (line 7, column 1)")
    assert "warning" not in result.err


def test_surprisal_and_units_name_them_too(composer, folder):
    (folder / "tunes.abc").write_text(TUNES + GOOD)
    for option in ("--surprise", "--units"):
        result = composer("show", "tunes.abc", option)
        assert result.code == 0, result.err
        assert result.err.count("warning: skipped tunes.abc: tune 1: impossible note length (line 7, column 1)") == 1


def test_chords_leave_them_as_they_are(composer, folder):
    (folder / "tunes.abc").write_text(TUNES + GOOD)
    result = composer("harmonize", "tunes.abc", "--style", "chords")
    assert result.out.startswith(TUNES)
    assert '"C"CDEF GABc|' in result.out
    assert composer("harmonize", "tunes.abc", "--style", "chords", "-o", "out.musicxml").code == 0
    assert "Good" in (folder / "out.musicxml").read_text()


def test_a_prompt_names_those_before_the_first(composer, folder):
    (folder / "tunes.abc").write_text(TUNES + GOOD)
    result = composer("harmonize", "tunes.abc", "--particles", "2", "--voices", "2", "--seed", "1", "--format", "abc")
    assert f"skipped {NAMED[0]}; for details: composer check tunes.abc" in result.err


def test_many_are_named_up_to_a_limit(composer, folder):
    (folder / "tunes.abc").write_text("".join(f"X:{n}\nK:C\nC99999999|\n\n" for n in range(1, 31)) + GOOD)
    err = composer("show", "tunes.abc").err
    assert err.count("warning: skipped tunes.abc") == 10
    assert "warning: skipped 20 more pieces" in err
