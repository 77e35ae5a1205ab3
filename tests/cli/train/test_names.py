"""The name of a model is reserved before anything is read, and a model is only replaced by a complete one."""

import pytest

from composer.checkpoints import store, training_files
from composer.checkpoints.training_files import state_path
from composer.cli.output.files import reserved
from composer.training import validation

TINY = ("--set", "hidden=8", "--set", "layers=1", "--set", "embedding=4", "--batch-size", "4", "--set", "seq_length=16")


@pytest.fixture
def train(composer):
    """Train a tiny model for two updates."""

    def run(*arguments, updates=2):
        return composer("train", "abc", *arguments, *TINY, "--max-updates", updates)

    return run


@pytest.fixture
def in_use():
    """Reserve the name of a model as another process would."""
    held = []

    def hold(name):
        held.append((store.path_for(name), training_files.reserve(store.path_for(name))))

    yield hold
    for each in held:
        training_files.release(*each)


@pytest.mark.parametrize("more", [(), ("--force",), ("--output", "copy.safetensors")])
def test_a_name_in_use(train, tmp_path, in_use, more):
    in_use("mine")
    refused = train(tmp_path / "absent.abc", "--name", "mine", *more)
    refused.failed("model 'mine' is in use by process", "another --name")
    assert "--resume" not in refused.err.partition("hint:")[2]


def test_two_runs_without_a_name(train, tunes, in_use):
    in_use("abc-2")
    assert train(tunes).code == 0
    assert [model.name for model in store.user_models()] == ["abc-3"]


def test_bundled_models_keep_their_names(train, tunes):
    train(tunes, "--name", "grid").failed("'grid' is the name of a bundled model", "such as grid-2", code=2)


def test_resuming_a_run_that_goes_on(train, composer, tunes, in_use):
    train(tunes, "--name", "mine")
    in_use("mine")
    for name in ((), ("--name", "mine")):
        composer("train", "abc", "--resume", *name).failed("model 'mine' is in use by process", "wait for it")


def test_names_are_free_again_after_an_error(train, tunes, tmp_path):
    train(tmp_path / "absent.abc", "--name", "mine").failed("absent.abc")
    assert not store.path_for("mine").parent.exists() or not list(store.path_for("mine").parent.iterdir())
    assert train(tunes, "--name", "mine").code == 0


def test_an_output_in_use(train, tmp_path):
    copy = tmp_path / "copy.safetensors"
    with reserved(copy):
        train(tmp_path / "absent.abc", "--output", copy).failed(f"{copy} is in use by process", "another --output")


def test_an_output_that_is_the_name_of_a_model_in_use(train, tmp_path, in_use):
    in_use("b")
    refused = train(tmp_path / "absent.abc", "--name", "a", "--output", store.path_for("b"))
    refused.failed("model 'b' is in use by process", "another --name")


def test_an_output_that_has_the_name_of_a_bundled_model(train, tmp_path):
    refused = train(tmp_path / "absent.abc", "--name", "a", "--output", store.path_for("abc"), "--force")
    refused.failed("'abc' is the name of a bundled model", "abc-2", code=2)


def test_an_output_that_is_the_model_itself(train, tunes):
    done = train(tunes, "--name", "mine", "--output", store.path_for("mine"))
    assert done.code == 0, done.err


def test_an_output_that_appears_during_training_stays(train, tunes, tmp_path, monkeypatch):
    copy = tmp_path / "copy.safetensors"

    def finish(trainer, reason):
        copy.write_text("other")
        yield from finish_run(trainer, reason)

    finish_run = validation.finish
    monkeypatch.setattr(validation, "finish", finish)
    model = store.path_for("mine")
    refused = train(tunes, "--name", "mine", "--output", copy)
    assert refused.code == 1
    assert f"{copy}: it already exists; the model is in {model}\nhint: copy it: cp {model}" in refused.err
    assert copy.read_text() == "other"
    assert next(store.user_models()).finished
    train("--name", "mine", "--resume", updates=3).failed(f"{copy} already exists", "--force")


def test_resuming_from_the_files_of_an_earlier_version(train, composer, tunes):
    train(tunes, "--name", "mine")
    path = store.path_for("mine")
    old = path.with_name("mine.training.safetensors")
    state_path(path).rename(old)
    result = composer("train", "abc", "--resume", "--max-updates", 4)
    assert result.code == 0, result.err
    assert "resuming mine from update 2" in result.err
    assert not old.exists()
    train(tunes, "--name", "mine").failed("model 'mine' already exists")
