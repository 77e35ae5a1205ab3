"""Which model is asked about a file: the one that composed it, else the newest that can have it."""

import re

import pytest

from composer.api import CheckpointError, EncodeError, Source
from composer.checkpoints.file import load, save
from composer.checkpoints.store import bundled
from composer.cli.model_choice import candidates, choose_model
from composer.system.paths import models_folder


@pytest.fixture
def rolled(composer, tmp_path):
    """A file with lower notes than melodies have, composed by the bundled model of piano-rolls."""

    def gen(*arguments):
        path = tmp_path / "rolled.mid"
        asked = ("--seed", "3", "--length", "128", "--range", "30-45")
        result = composer("gen", "pianoroll", *asked, "-O", path, "--force", *arguments)
        assert result.code == 0, result.err
        return path

    return gen


def test_the_model_that_composed_it(composer, rolled):
    result = composer("show", rolled(), "--surprise")
    assert result.code == 0, result.err
    assert "a step, by pianoroll\n" in result.out
    assert result.err == ""


def test_it_is_known_by_its_digest_among_one_s_own(rolled, tmp_path):
    models_folder().mkdir(parents=True)
    own = models_folder() / "mine.safetensors"
    save(own, load(bundled("pianoroll")).with_record(finished=True))
    assert next(candidates(Source(rolled("--checkpoint", "mine")))) == own
    with_bundled = tmp_path / "other.mid"
    with_bundled.write_bytes(rolled("--checkpoint", bundled("pianoroll")).read_bytes())
    assert next(candidates(Source(with_bundled))) == bundled("pianoroll")
    own.rename(tmp_path / "gone.safetensors")
    assert next(candidates(Source(rolled("--checkpoint", tmp_path / "gone.safetensors")))) == bundled("pianoroll")


def test_without_provenance_another_one_where_the_likeliest_cannot_have_it(composer, rolled):
    result = composer("show", rolled("--no-provenance"), "--surprise")
    assert result.code == 0, result.err
    assert "a step, by pianoroll\n" in result.out
    assert re.search(r"never seen in training: [\d, ]+(?: and \d+ more)?; pianoroll takes it\n", result.err)
    composer("show", rolled(), "--surprise", "--checkpoint", "grid").failed("never seen", "with --checkpoint FILE")


def test_what_is_copied_is_sought_in_what_that_model_was_taught(composer, rolled):
    result = composer("originality", rolled())
    assert result.code == 0, result.err
    assert " of pianoroll\n" in result.err


def test_damaged_provenance_decides_nothing(tmp_path):
    path = tmp_path / "tune.abc"
    for told in ('{"representation":', '{"representation":5}', '{"representation":"ocarina","model":[]}'):
        path.write_text(f"X:1\nN:composer 1.0 {told}\nM:4/4\nK:G\nG4|\n")
        assert next(candidates(Source(path))) == bundled("abc")


def test_each_once(rolled):
    found = list(candidates(Source(rolled())))
    assert found[0] == bundled("pianoroll")
    assert len(found) == len(set(found)) > 1


def test_where_none_can_have_it_the_first_says_why(rolled):
    def refuse(path):
        raise EncodeError(f"{path.stem} has no such notes", "mend it")

    with pytest.raises(EncodeError, match="pianoroll has no such notes") as caught:
        choose_model(Source(rolled()), None, refuse, console=None)
    assert caught.value.hint == "mend it; or name another model with --checkpoint FILE"


def test_no_model_at_all(tmp_path):
    (tmp_path / "a.xyz").write_text("nothing")
    with pytest.raises(CheckpointError, match="no model of such music"):
        list(candidates(Source(tmp_path / "a.xyz")))


@pytest.mark.parametrize("name", ["pianoroll", "pianoroll.safetensors"])
def test_a_bundled_model_is_meant_by_its_name(composer, rolled, name):
    assert composer("gen", "pianoroll", "--checkpoint", name, "--length", "8", "--seed", "1").code == 0
    assert composer("show", rolled(), "--surprise", "--checkpoint", name).code == 0
    assert composer("originality", rolled(), "--checkpoint", name).code == 0
    assert composer("replay", rolled(), "--check", "--checkpoint", name).code == 0
    composer("gen", "abc", "--checkpoint", name).failed("composes `pianoroll`, not `abc`")
    composer("gen", "abc", "--checkpoint", "rolling").failed("there is no checkpoint rolling")
