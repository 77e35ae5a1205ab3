"""`composer check`: problems as lines, in color and as JSON; exit codes; fixed copies."""

import json
import re
import zipfile
from functools import partialmethod

import pytest

from composer.api import Source
from composer.checkpoints import store

GOOD = "X:1\nT:The Hare\nM:6/8\nL:1/8\nK:D\n|:ABA ABA|d3 D3:|\n"
BAD = f"{GOOD}\nX:2\nT:The Hound\nM:6/8\nL:1/8\nK:D\nABA ABA|ABA AB|ABA ABA|]\n\nX:3\nM:6/8\nL:1/8\nK:D\nA6|!B6|]\n"


@pytest.fixture
def tune(tmp_path):
    path = tmp_path / "tune.abc"
    path.write_text(BAD)
    return path


def test_good_tunes(composer, tunes):
    result = composer("check", tunes)
    assert (result.code, result.out) == (0, "")
    assert result.err == "1 file with 4 pieces: no problems\n"
    assert composer("check", tunes, "--quiet").err == ""


def test_generated_tunes_have_no_problems(composer, tmp_path):
    path = tmp_path / "generated.abc"
    options = ("--count", "20", "--seed", "1", "--length", "150", "--candidates", "1", "-c", store.bundled("abc"))
    assert composer("gen", "abc", *options, "--output", path).code == 0
    result = composer("check", path)
    assert (result.code, result.out) == (0, "")
    assert "1 file with 20 pieces" in result.err


def test_problems_are_lines_that_editors_can_jump_to(composer, tune):
    result = composer("check", tune)
    assert result.code == 1
    assert result.out == (
        f"{tune}:13:9: error: bar 2 has 5 eighth notes; 6/8 needs 6\n"
        f"{tune}:19:4: warning: `!` is an obsolete line-break mark, ignored\n"
    )
    assert result.err == "1 file with 3 pieces: 1 error, 1 warning\n"


def test_errors_only(composer, tune):
    result = composer("check", tune, "--errors-only")
    assert result.code == 1
    assert "warning" not in result.out
    tune.write_text(BAD.replace("ABA AB|", "ABA ABA|"))
    assert composer("check", tune).code == 1
    assert composer("check", tune, "--errors-only").code == 0


def test_problems_are_grouped_on_a_terminal(composer, tune):
    def check(columns):
        return re.sub(r"\x1b\[[0-9;]*m", "", composer("check", tune, terminal=True, COLUMNS=str(columns)).out)

    shown = check(80)
    assert shown.splitlines()[:3] == [
        str(tune),
        "  2 The Hound",
        "        13:9  error    bar 2 has 5 eighth notes; 6/8 needs 6",
    ]
    assert max(map(len, check(50).replace(str(tune), "").splitlines())) <= 50
    assert re.sub(r"\n {23}", " ", check(50)) == check(200)
    assert "\x1b[1;31m" in composer("check", tune, terminal=True).out
    assert "\x1b[1;31m" not in composer("check", tune, terminal=True, NO_COLOR="1").out


def test_file_content_cannot_control_the_terminal(composer, tmp_path):
    (tmp_path / "a.abc").write_text("X:1\nT:\x1b[2J\nM:6/8\nK:\x1b]0;H\nA6|A5|A6|]\n")
    for terminal in (False, True):
        out = composer("check", tmp_path / "a.abc", terminal=terminal, NO_COLOR="1").out
        assert "\x1b[2J" not in out
        assert "\x1b]" not in out


def test_json(composer, tune):
    result = composer("check", tune, "--json")
    assert result.code == 1
    found = json.loads(result.out)
    assert {name: found[name] for name in ("files", "pieces", "errors", "warnings", "fixed")} == {
        "files": 1, "pieces": 3, "errors": 1, "warnings": 1, "fixed": [],
    }  # fmt: skip
    assert found["problems"][0] == {
        "file": str(tune),
        "tune": "2",
        "title": "The Hound",
        "line": 13,
        "column": 9,
        "kind": "bar too short",
        "severity": "error",
        "message": "bar 2 has 5 eighth notes; 6/8 needs 6",
    }


def test_json_without_problems(composer, tunes):
    result = composer("check", tunes, "--json")
    assert (result.code, json.loads(result.out)["problems"]) == (0, [])


def test_damaged_files_do_not_end_the_run(composer, tune, tmp_path):
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    (tmp_path / "zipped.zip").write_bytes(b"PK\3\4 no archive")
    (tmp_path / "words.txt").write_bytes(b"caf\xe9")
    result = composer("check", tmp_path, tmp_path / "zipped.zip")
    assert result.code == 1
    assert [line.removeprefix(f"{tmp_path}/").split(": ")[0] for line in result.out.splitlines()] == [
        "broken.mid", "tune.abc:13:9", "tune.abc:19:4", "words.txt:1:4", "error",
    ]  # fmt: skip


def test_a_limit_says_how_to_raise_it(composer, monkeypatch):
    monkeypatch.setattr(Source, "__init__", partialmethod(Source.__init__, limit=1 << 20))
    result = composer("check", "/dev/zero")
    assert "/dev/zero is larger than" in result.out
    assert "set COMPOSER_LIMITS=2 to raise" in result.out


def test_members_of_archives_and_stdin(composer, process, tune, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(tune, "in/tune.abc")
    assert f"{tmp_path / 'all.zip'}/in/tune.abc:13:9: error" in composer("check", tmp_path / "all.zip").out
    assert b"stdin:13:9: error" in process("check", "-", input=BAD.encode()).stdout
    result = composer("check", tmp_path / "all.zip", "--fix")
    assert "not fixed: not a file on disk" in result.out


def test_a_fixed_copy_is_written_beside_the_file(composer, tune):
    result = composer("check", tune, "--fix")
    fixed = tune.with_name("tune.fixed.abc")
    assert result.code == 1
    assert f"{tune}:15: fixed: removed old line breaks\n" in result.out
    assert f"{tune}:8: not fixed: incomplete bar" in result.out
    assert f"wrote {fixed}\n" in result.err
    assert tune.read_text() == BAD
    assert fixed.read_text() == BAD.replace("!", "")
    assert composer("check", fixed).out.count("\n") == 1


def test_a_fixed_copy_has_no_problems(composer, tune):
    tune.write_text(BAD.replace("ABA AB|", "ABA ABA|"))
    assert composer("check", tune, "--fix").code == 1
    assert composer("check", tune.with_name("tune.fixed.abc")).code == 0


def test_a_fixed_copy_is_only_replaced_with_force(composer, tune):
    fixed = tune.with_name("tune.fixed.abc")
    fixed.write_text("mine")
    result = composer("check", tune, "--fix")
    assert "already exists; overwrite it with --force" in result.out
    assert ": fixed:" not in result.out
    assert fixed.read_text() == "mine"
    composer("check", tune, "--fix", "--force")
    assert fixed.read_text() != "mine"


def test_a_fixed_copy_is_not_fixed_again(composer, tune):
    composer("check", tune, "--fix")
    fixed = tune.rename(tune.with_name("tune.fixed.abc"))
    result = composer("check", fixed.parent, "--fix", "--force")
    assert f"{fixed}: not fixed: it is a fixed copy, which is not fixed again; rename it first\n" in result.out
    assert list(fixed.parent.glob("*.fixed.*")) == [fixed]


def test_json_of_fixes(composer, tune):
    found = json.loads(composer("check", tune, "--fix", "--json").out)
    (fixed,) = found["fixed"]
    assert (fixed["file"], fixed["output"]) == (str(tune), str(tune.with_name("tune.fixed.abc")))
    assert [(note["line"], note["tune"]) for note in fixed["changes"]] == [(15, "3")]
    assert [(note["line"], note["tune"]) for note in fixed["left"]] == [(8, "2")]


def test_no_copy_without_problems(composer, tunes, tmp_path):
    copy = tmp_path / "copy.abc"
    copy.write_bytes(tunes.read_bytes())
    assert composer("check", copy, "--fix").code == 0
    assert list(tmp_path.glob("*.fixed.*")) == []


def test_usage_errors(composer, tunes, tmp_path):
    composer("check", tunes, "--force").failed("--force needs --fix", code=2)
    composer("check").failed("FILE", code=2)
    composer("check", tmp_path / "none.abc").failed("no such file or folder")
    (tmp_path / "empty").mkdir()
    composer("check", tmp_path / "empty").failed("no music files in")
