"""The files of a training run lie in a folder of their own; those of earlier versions are found."""

import os
from pathlib import Path

import pytest
from training_record import TRAINING_RECORD

from composer.api import CheckpointError, SequenceSpec, StepKind
from composer.checkpoints import store, training_files
from composer.checkpoints.file import Checkpoint, Header, save
from composer.checkpoints.training_files import snapshot_path, state_path, training_folder
from composer.system.locks import NameInUse
from composer.system.paths import models_folder

SPEC = SequenceSpec(StepKind.TOKENS, size=2, end=0)


def make(name, kind):
    path = models_folder() / f"{name}.safetensors"
    record = TRAINING_RECORD if kind == "training" else {"kind": kind}
    save(path, Checkpoint(Header("abc", 1, {}, {}, "lstm", {}, SPEC, record=record), {}))
    return path


def names():
    folder = models_folder()
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_no_model_can_have_the_name_of_a_training_file():
    for name in ("mine", "mine.training", "mine.update-5", "training", "lock", "state"):
        model = store.path_for(name)
        own = (state_path(model), snapshot_path(model, 5), training_folder(model))
        assert all(path.parent != models_folder() for path in own)


def test_files_of_earlier_versions_are_moved():
    make("mine", "model")
    make("mine.training", "training")
    make("mine.update-5", "snapshot")
    (models_folder() / "mine.update-5.abc").write_text("X:1\n")
    (models_folder() / "mine.update-6.abc").write_text("a user's own")
    make("mine.update-7", "model")
    make("mine.old.training", "training")
    path = store.path_for("mine")
    assert training_files.has_state(path)
    training_files.move_old_files(path)
    assert names() == {
        "mine.safetensors", "training/mine/state.safetensors",
        "training/mine/update-5.safetensors", "training/mine/update-5.abc",
        "mine.update-6.abc", "mine.update-7.safetensors", "mine.old.training.safetensors",
    }  # fmt: skip
    assert training_files.has_state(path)


def test_a_model_that_looks_like_an_old_state_is_not_one():
    make("mine.training", "model")
    assert not training_files.has_state(store.path_for("mine"))
    training_files.move_old_files(store.path_for("mine"))
    assert names() == {"mine.training.safetensors"}


def test_a_state_that_is_set_aside_comes_back():
    path = store.path_for("mine")
    make("training/mine/state", "training")
    before = state_path(path).read_bytes()
    for _ in range(2):  # a second time after a crash: the first state is that of the model that still stands there
        training_files.set_aside_state(path)
        state_path(path).write_bytes(b"new")
    training_files.bring_back_state(path)
    assert state_path(path).read_bytes() == before
    training_files.set_aside_state(path)
    training_files.forget_previous_state(path)
    training_files.bring_back_state(path)
    assert not names()


def test_snapshots_by_name():
    snapshot = make("training/mine/update-5", "snapshot")
    assert store.resolve_model(Path("mine.update-5")) == snapshot
    assert store.model_named("mine.update-6") is None


def test_a_reserved_name_leaves_no_folder():
    path = store.path_for("mine")
    lock = training_files.reserve(path)
    with pytest.raises(NameInUse, match="model 'mine' is in use by process"):
        training_files.reserve(path)
    training_files.release(path, lock)
    assert not list(models_folder().iterdir())


@pytest.mark.skipif(os.name == "nt", reason="no modes on this system")
@pytest.mark.parametrize("level", range(4))
def test_a_name_is_not_reserved_if_others_can_write_to_a_folder_of_its_files(home, level):
    path = store.path_for("mine")
    training_files.release(path, training_files.reserve(path))
    training_files.training_folder(path).mkdir(parents=True, exist_ok=True)
    folder = [training_files.training_folder(path), *training_files.training_folder(path).parents][level]
    folder.chmod(0o777)
    with pytest.raises(CheckpointError, match=f"other users can write to {folder}$"):
        training_files.reserve(path)
    folder.chmod(0o755)
