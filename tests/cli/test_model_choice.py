"""The model chosen for a file: the one that generated it, else a default that can read it."""

import re

import pytest

from composer.api import CheckpointError, EncodeError, Source
from composer.checkpoints.file import load, save
from composer.checkpoints.store import bundled
from composer.cli.model_choice import candidates, choose_model
from composer.system.paths import models_folder


@pytest.fixture
def rolled(composer, tmp_path):
    """Generate a file with lower notes than melodies have, with the bundled piano-roll model."""

    def gen(*arguments):
        path = tmp_path / "rolled.mid"
        asked = ("--seed", "3", "--length", "128", "--range", "30-45", "--candidates", "1")
        result = composer("gen", "pianoroll", *asked, "-o", path, "--force", *arguments)
        assert result.code == 0, result.err
        return path

    return gen


def test_model_that_generated_the_file(composer, rolled):
    result = composer("show", rolled(), "--surprise")
    assert result.code == 0, result.err
    assert "per step, model pianoroll\n" in result.out
    assert result.err == ""


def test_user_model_is_found_by_its_digest(rolled, tmp_path):
    models_folder().mkdir(parents=True)
    own = models_folder() / "mine.safetensors"
    save(own, load(bundled("pianoroll")).with_record(finished=True))
    assert next(candidates(Source(rolled("--checkpoint", "mine")))) == own
    with_bundled = tmp_path / "other.mid"
    with_bundled.write_bytes(rolled("--checkpoint", bundled("pianoroll")).read_bytes())
    assert next(candidates(Source(with_bundled))) == bundled("pianoroll")
    own.rename(tmp_path / "gone.safetensors")
    assert next(candidates(Source(rolled("--checkpoint", tmp_path / "gone.safetensors")))) == bundled("pianoroll")


def test_next_model_when_the_first_cannot_encode_the_file(composer, rolled):
    result = composer("show", rolled("--no-provenance"), "--surprise")
    assert result.code == 0, result.err
    assert "per step, model pianoroll\n" in result.out
    assert re.search(r"unknown to the model: [\d, ]+(?: and \d+ more)?; using model pianoroll instead\n", result.err)
    composer("show", rolled(), "--surprise", "--checkpoint", "grid").failed(
        "unknown to the model", "with --checkpoint NAME"
    )


def test_originality_uses_the_model_that_generated_the_file(composer, rolled):
    result = composer("originality", rolled())
    assert result.code == 0, result.err
    assert " tunes in pianoroll: " in result.err


def test_damaged_provenance_is_ignored(tmp_path):
    path = tmp_path / "tune.abc"
    for facts in ('{"representation":', '{"representation":5}', '{"representation":"ocarina","model":[]}'):
        path.write_text(f"X:1\nN:composer 1.0 {facts}\nM:4/4\nK:G\nG4|\n")
        assert next(candidates(Source(path))) == bundled("abc")


def test_candidates_are_unique(rolled):
    found = list(candidates(Source(rolled())))
    assert found[0] == bundled("pianoroll")
    assert len(found) == len(set(found)) > 1


def test_first_error_is_raised_when_no_model_fits(rolled):
    def refuse(path):
        raise EncodeError(f"{path.stem} has no such notes", "mend it")

    with pytest.raises(EncodeError, match="pianoroll has no such notes") as caught:
        choose_model(Source(rolled()), None, refuse, console=None)
    assert caught.value.hint == "mend it; or choose another model with --checkpoint NAME"


def test_no_model_for_the_suffix(tmp_path):
    (tmp_path / "a.xyz").write_text("nothing")
    with pytest.raises(CheckpointError, match=r"no model fits .*a\.xyz"):
        list(candidates(Source(tmp_path / "a.xyz")))


@pytest.mark.parametrize("name", ["pianoroll", "pianoroll.safetensors"])
def test_bundled_model_by_name(composer, rolled, name):
    assert composer("gen", "pianoroll", "--checkpoint", name, "--length", "8", "--seed", "1").code == 0
    piece = rolled()
    assert composer("show", piece, "--surprise", "--checkpoint", name).code == 0
    assert composer("originality", piece, "--checkpoint", name).code == 0
    assert composer("replay", piece, "--check", "--checkpoint", name).code == 0
    composer("gen", "abc", "--checkpoint", name).failed("is a model for `pianoroll`, not `abc`")
    composer("gen", "abc", "--checkpoint", "rolling").failed("no model 'rolling'")
