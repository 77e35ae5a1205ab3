"""`composer eval` on sets that are empty, or partly beyond the model, and efforts that would be in vain."""

import json
import re

import pytest

HIGH = "X:1\nM:4/4\nL:1/8\nK:C\nCDEF GABc|cBAG FEDC|\n"
LOW = "X:2\nM:4/4\nL:1/8\nK:C\nC,,,D,,,E,,,F,,, C,,,4|\n"
BOTH = "X:3\nM:4/4\nL:1/8\nK:C\nC,,,D,,,E,,,F,,, G4|\n"


@pytest.fixture
def high(composer, home, tmp_path):
    """What `eval` tells of a text, by a model of the pitches from 48 on."""
    tunes = tmp_path / "high.abc"
    tunes.write_text("\n".join([HIGH, LOW, BOTH]))
    tiny = ("--max-updates", "1", "--set", "hidden=4", "--quiet")
    done = composer("train", "pianoroll", tunes, "-o", "range=48-99", *tiny, "--name", "high")
    assert done.code == 0, done.err
    return lambda text, *flags: composer("eval", "pianoroll", _written(tmp_path, text), "--checkpoint", "high", *flags)


def _written(folder, text):
    (folder / "tunes.abc").write_text(text)
    return folder / "tunes.abc"


@pytest.mark.parametrize("params", [(), ("--generated", "2")], ids=["what steps cost", "beside what it composes"])
def test_pieces_and_notes_out_of_its_range_are_counted(high, params):
    done = high("\n".join([HIGH, LOW, BOTH]), "--json", *params)
    told = json.loads(done.out)
    told = told["corpus"] if params else told
    assert told["pieces"] == 2
    assert told["refused"] == {"no notes in the range": 1}
    assert told["losses"] == {"notes out of range left out": 4}
    assert re.search(r" 1  no notes in the range, such as .*tunes\.abc: tune 2\n", done.err)
    assert "4  notes out of range left out" in done.err
    high(LOW, *params).failed("1 refused because no notes in the range")


@pytest.mark.parametrize("rep", ["abc", "grid", "pianoroll", "text"])
@pytest.mark.parametrize("params", [(), ("--generated", "2"), ("--part", "valid")], ids=["all", "generated", "a part"])
def test_an_empty_set(composer, tmp_path, rep, params):
    suffix = ".txt" if rep == "text" else ".abc"
    (tmp_path / "folder").mkdir()
    (tmp_path / f"empty{suffix}").write_text("")
    (tmp_path / f"blank{suffix}").write_text("\n \n\n")
    for given, why in (
        ("folder", f"there is no piece in {tmp_path / 'folder'}"),
        (f"empty{suffix}", f"empty{suffix} is empty"),
        (f"blank{suffix}", f"blank{suffix} is empty"),
        ("*.nothing", "nothing matches"),
    ):
        composer("eval", rep, tmp_path / given, *params).failed(why)


def test_effort_is_for_figures_that_are_estimated(composer, checkpoint, tunes, home):
    def evaluated(*arguments):
        return composer("eval", "abc", "--checkpoint", checkpoint, *arguments)

    evaluated(tunes, "--effort", "4").failed("--effort is for estimates", "leave it out", code=2)
    evaluated(tunes, "--effort", "1").failed("what steps cost model `lstm` is exact", code=2)
    evaluated(tunes, "--effort", "0").failed("--effort cannot be 0", code=2)
    tiny = ("--model", "rnnrbm", "--max-updates", "2", "--set", "pretraining=0", "--name", "rbm", "--quiet")
    assert composer("train", "pianoroll", tunes, "-o", "range=60-84", *tiny).code == 0
    told = json.loads(composer("eval", "pianoroll", tunes, "--checkpoint", "rbm", "--effort", "2", "--json").out)
    assert told["stderr"] > 0
