"""`composer gen`: outputs, formats and primers."""

import stat

import pytest

from composer.checkpoints import file as checkpoints
from composer.checkpoints import store
from composer.registry import plugins as registry


@pytest.fixture
def gen(composer, checkpoint):
    """Run `composer gen abc` with the small model for a few bars."""

    def run(*arguments, length=60, **terminal):
        return composer("gen", "abc", "--checkpoint", checkpoint, "--length", length, *arguments, **terminal)

    return run


def test_tune_on_stdout_and_seed_on_stderr(gen):
    result = gen()
    assert result.code == 0
    assert result.out.startswith("X:1\n")
    assert result.out.endswith("\n")
    seed = result.err.split("--seed ")[1].split(")")[0]
    assert gen("--seed", seed).out == result.out


def test_only_a_random_seed_is_shown(gen):
    assert "seed" in gen().err
    assert "seed" not in gen("--seed", "3").err
    assert "seed" not in gen("--quiet").err


def test_several_tunes_are_numbered(gen):
    text = gen("--count", "3", "--seed", "1").out
    assert [line for line in text.splitlines() if line.startswith("X:")] == ["X:1", "X:2", "X:3"]
    assert text.count("\n\nX:") == 2


def test_each_of_many_is_the_same_alone(gen, tmp_path):
    gen("--count", "3", "--seed", "10", "--batch-size", "1", "--output", tmp_path / "%d.abc")
    assert gen("--seed", "12", "--batch-size", "1").out == (tmp_path / "3.abc").read_text()


def test_model_is_named(composer, checkpoint, gen, monkeypatch):
    assert gen().err.startswith("model small, seed ")
    monkeypatch.setattr(store, "bundled", lambda representation: checkpoint)
    assert composer("gen", "abc", "--length", "40").err.startswith("bundled small model, seed ")
    assert not composer("gen", "abc", "--length", "40", "--seed", "1").err
    saved = checkpoints.load(checkpoint, half=True)
    checkpoints.save(store.path_for("mine"), saved.with_record(finished=True))
    assert composer("gen", "abc", "--length", "40").err.startswith("bundled small model, seed ")
    monkeypatch.setattr(store, "bundled", lambda representation: None)
    assert composer("gen", "abc", "--length", "40").err.startswith("model mine, seed ")
    assert composer("gen", "abc", "--length", "40", "--seed", "1").err == "model mine (your newest)\n"
    assert not composer("gen", "abc", "--length", "40", "--seed", "1", "--quiet").err


def test_piece_without_notes_is_skipped(gen, tmp_path, monkeypatch):
    kind = registry.representation("abc")
    scores, number = kind.score, iter(range(1, 4))
    monkeypatch.setattr(kind, "score", lambda self, piece: None if next(number) == 2 else scores(self, piece))
    options = ("--count", "3", "--seed", "1", "--batch-size", "1", "--candidates", "1")
    result = gen(*options, "--output", tmp_path / "%d.mid")
    assert "warning: skipped piece 2: no notes" in result.err
    assert result.code == 1
    assert "error: 1 of 3 pieces had no notes" in result.err
    assert sorted(path.name for path in tmp_path.glob("*.mid")) == ["1.mid", "3.mid"]


def test_literal_percent_sign(gen, tmp_path):
    assert gen("--output", tmp_path / "100%.abc").code == 0
    assert (tmp_path / "100%.abc").is_file()
    assert gen("--output", tmp_path / "100% no %02d.abc", "--count", "2").code == 0
    assert (tmp_path / "100% no 02.abc").is_file()


def test_suffix_sets_the_format(gen, tmp_path):
    result = gen("--output", tmp_path / "tune.mid", "--seed", "2")
    assert result.code == 0
    assert not result.data
    assert f"wrote {tmp_path / 'tune.mid'}" in result.err
    assert (tmp_path / "tune.mid").read_bytes().startswith(b"MThd")
    assert gen("--format", "midi", "--seed", "2").data == (tmp_path / "tune.mid").read_bytes()


def test_tempo_and_instrument(gen):
    plain = gen("--format", "midi", "--seed", "2").data
    fast = gen("--format", "midi", "--seed", "2", "--tempo", "200", "--instrument", "40").data
    assert plain != fast
    assert int(60e6 / 200).to_bytes(3, "big") in fast
    assert bytes([0xC0, 40]) in fast


def test_many_texts_in_one_file_and_binaries_in_numbered_files(gen, tmp_path):
    gen("--count", "2", "--output", tmp_path / "all.abc", "--seed", "1")
    assert (tmp_path / "all.abc").read_text() == gen("--count", "2", "--seed", "1").out
    gen("--count", "2", "--output", tmp_path / "tune-%02d.mid", "--seed", "1")
    assert sorted(path.name for path in tmp_path.glob("*.mid")) == ["tune-01.mid", "tune-02.mid"]


def test_output_has_the_usual_permissions(gen, tmp_path):
    gen("--output", tmp_path / "tune.abc")
    (tmp_path / "usual").write_text("")
    mode = stat.S_IMODE((tmp_path / "tune.abc").stat().st_mode)
    assert mode == stat.S_IMODE((tmp_path / "usual").stat().st_mode)


def test_no_binary_on_a_terminal(gen):
    result = gen("--format", "midi", "--prime-text", "M:4/4\nL:1/8\nK:G\n|:G2", terminal=True)
    assert result.code == 0
    assert b"MThd" not in result.data
    assert "notes" in result.out
    assert "--output tune.mid" in result.err


def test_primer_is_continued(gen, tmp_path):
    opening = "M:4/4\nL:1/8\nK:G\n|:GABc d2cB|"
    by_text = gen("--prime-text", opening, "--seed", "5")
    assert "GABc d2cB|" in by_text.out
    (tmp_path / "opening.abc").write_text(opening)
    assert gen("--prime", tmp_path / "opening.abc", "--seed", "5").out == by_text.out
    assert gen("--prime", "-", "--seed", "5", stdin=opening.encode()).out == by_text.out


def test_midi_primer(gen, tmp_path):
    gen("--unconstrained", "--seed", "2", "--output", tmp_path / "opening.mid", length=40)
    result = gen("--prime", tmp_path / "opening.mid", length=2000)
    assert result.code == 0, result.err


def test_complete_piece_as_primer(gen, tmp_path):
    whole = tmp_path / "whole.abc"
    whole.write_text("X:1\nM:4/4\nL:1/8\nK:G\nGABc d2cB|A2F2 G4|]\n")
    result = gen("--prime", whole, length=300)
    assert result.code == 0
    assert "|A2F2 G4|]\n%%composer" in result.out
    assert "so nothing was added" in result.err
