"""`composer eval`: empty files, skipped pieces, and --effort for exact likelihoods."""

import json
import re

import pytest

HIGH = "X:1\nM:4/4\nL:1/8\nK:C\nCDEF GABc|cBAG FEDC|\n"
LOW = "X:2\nM:4/4\nL:1/8\nK:C\nC,,,D,,,E,,,F,,, C,,,4|\n"
BOTH = "X:3\nM:4/4\nL:1/8\nK:C\nC,,,D,,,E,,,F,,, G4|\n"


@pytest.fixture
def high(composer, home, tmp_path):
    """Run `eval` on an ABC text, with a model of the pitches from 48 to 99."""
    tunes = tmp_path / "high.abc"
    tunes.write_text("\n".join([HIGH, LOW, BOTH]))
    tiny = ("--max-updates", "1", "--set", "hidden=4", "--quiet")
    done = composer("train", "pianoroll", tunes, "-O", "range=48-99", *tiny, "--name", "high")
    assert done.code == 0, done.err
    return lambda text, *flags: composer("eval", "pianoroll", _write(tmp_path, text), "--checkpoint", "high", *flags)


def _write(folder, text):
    (folder / "tunes.abc").write_text(text)
    return folder / "tunes.abc"


@pytest.mark.parametrize("params", [(), ("--generated", "2")], ids=["likelihood", "comparison"])
def test_pieces_and_notes_out_of_range_are_counted(high, params):
    done = high("\n".join([HIGH, LOW, BOTH]), "--json", *params)
    result = json.loads(done.out)
    result = result["corpus"] if params else result
    assert result["pieces"] == 2
    assert result["rejected"] == {"no notes in the range": 1}
    assert result["losses"] == {"notes out of range left out": 4}
    assert re.search(
        r" 1  no notes in the range, such as .*tunes\.abc: tune 2: \S+( to \S+)?; the range is .*\n", done.err
    )
    assert "4  notes out of range left out" in done.err
    high(LOW, *params).failed("1 skipped: no notes in the range")


@pytest.mark.parametrize("rep", ["abc", "grid", "pianoroll", "text"])
@pytest.mark.parametrize("params", [(), ("--generated", "2"), ("--part", "valid")], ids=["all", "generated", "part"])
def test_no_pieces(composer, tmp_path, rep, params):
    suffix = ".txt" if rep == "text" else ".abc"
    (tmp_path / "folder").mkdir()
    (tmp_path / f"empty{suffix}").write_text("")
    (tmp_path / f"blank{suffix}").write_text("\n \n\n")
    for given, why in (
        ("folder", f"files in {tmp_path / 'folder'}"),
        (f"empty{suffix}", f"empty{suffix} is empty"),
        (f"blank{suffix}", f"blank{suffix} is empty"),
        ("*.nothing", "no files match"),
    ):
        composer("eval", rep, tmp_path / given, *params).failed(why)


def test_effort_is_only_for_estimates(composer, checkpoint, tunes, short_tune, home):
    def evaluated(*arguments):
        return composer("eval", "abc", "--checkpoint", checkpoint, *arguments)

    evaluated(tunes, "--effort", "4").failed("--effort is for estimated likelihoods", "remove --effort", code=2)
    evaluated(tunes, "--effort", "1").failed("lstm computes them exactly", code=2)
    evaluated(tunes, "--effort", "0").failed("invalid value for --effort: '0'", code=2)
    tiny = (
        "--quiet",
        "--set",
        "hidden=64",
        "--model",
        "rnnrbm",
        "--max-updates",
        "2",
        "--set",
        "pretraining=0",
        "--name",
        "rbm",
    )
    assert composer("train", "pianoroll", tunes, "-O", "range=60-84", *tiny).code == 0
    result = composer("eval", "pianoroll", short_tune, "--checkpoint", "rbm", "--effort", "2", "--json")
    assert json.loads(result.out)["stderr"] > 0
