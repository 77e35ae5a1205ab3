"""Models by name: the chosen one, then the bundled one, then the user's newest finished one."""

import os
from pathlib import Path

import numpy as np
import pytest

from composer.api import CheckpointError, SequenceSpec, StepKind, UsageError
from composer.checkpoints import selection, store
from composer.checkpoints.file import Checkpoint, Header, digest, read_header, save
from composer.system.paths import cache_folder, models_folder

SPEC = SequenceSpec(StepKind.TOKENS, size=2, end=0)


@pytest.fixture
def make():
    """Save models by name, each newer than the one before."""
    made = []

    def make(name, representation="abc", **record):
        path = store.path_for(name)
        header = Header(representation, 1, {}, {}, "lstm", {}, SPEC, record={"finished": True} | record)
        save(path, Checkpoint(header, {"w": np.zeros(1, np.float16)}))
        made.append(path)
        os.utime(path, ns=(len(made) * 10**9, len(made) * 10**9))
        return path

    return make


def test_without_a_bundled_model_the_newest_finished_one_is_the_default(make, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "PRETRAINED", tmp_path)
    make("old")
    newest = make("new")
    make("other", representation="grid")
    make("going-on", finished=False)
    make("new.update-500", kind="snapshot")
    make("new.training", kind="training")
    assert store.default("abc") == newest
    assert [model.name for model in store.user_models()] == ["going-on", "other", "new", "old"]
    assert [model.finished for model in store.user_models()] == [False, True, True, True]


def test_default_without_user_models(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "PRETRAINED", tmp_path)
    with pytest.raises(CheckpointError, match="no model for `abc`") as caught:
        store.default("abc")
    assert "composer train abc" in caught.value.hint
    (tmp_path / "abc.safetensors").write_bytes(b"")
    assert store.default("abc") == store.bundled("abc") == tmp_path / "abc.safetensors"


def test_a_bundled_model_is_the_default_until_another_one_is_chosen(make):
    mine = make("mine")
    assert store.default("abc") == store.bundled("abc")
    selection.choose("abc", "mine")
    assert store.default("abc") == mine
    assert store.default("grid") == store.bundled("grid")
    mine.unlink()
    with pytest.raises(CheckpointError, match="'mine', which was chosen for `abc`, is missing") as caught:
        store.default("abc")
    assert caught.value.hint == "choose another one: composer models use abc"
    selection.choose("abc", None)
    assert store.default("abc") == store.bundled("abc")


@pytest.mark.parametrize("content", [b"{", b"[1]", b'{"abc": 1}', b"\xff", b"[" * 100_000])
def test_an_invalid_file_of_choices(home, content):
    models_folder().mkdir(parents=True)
    (models_folder() / selection.FILE).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"defaults\.json is invalid"):
        store.default("abc")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes and devices on this system")
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_choices_that_have_no_end(home, kind):
    models_folder().mkdir(parents=True)
    path = models_folder() / selection.FILE
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    with pytest.raises(CheckpointError, match=r"cannot read .*defaults\.json: not a regular file"):
        store.default("abc")


def test_new_models_cannot_have_the_name_of_a_bundled_one(make):
    make("abc-2")
    with pytest.raises(UsageError, match="'abc' is the name of a bundled model") as caught:
        store.check_own_name("abc")
    assert caught.value.hint.endswith("abc-3")
    store.check_own_name("mine")


def test_similar_names(make):
    make("fiddle")
    for name, hint in {"fidle": "did you mean `fiddle`?", "pianorol": "did you mean `pianoroll`?"}.items():
        with pytest.raises(CheckpointError, match=f"no model '{name}'") as caught:
            store.resolve_model(Path(name))
        assert caught.value.hint == hint
    with pytest.raises(CheckpointError) as caught:
        store.resolve_model(Path("fidle.update-5"))
    assert caught.value.hint == "did you mean `fiddle`?"
    with pytest.raises(CheckpointError) as caught:
        store.resolve_model(Path("zzz"))
    assert caught.value.hint == "`composer models` lists all models"


def test_similar_files_in_a_folder(make, tmp_path):
    (tmp_path / "fiddle.safetensors").touch()
    for given in ("fidle.safetensors", "fiddle"):
        with pytest.raises(CheckpointError, match="no model") as caught:
            read_header(store.resolve_model(tmp_path / given))
        assert caught.value.hint == f"did you mean `{tmp_path / 'fiddle.safetensors'}`?"


def test_a_model_that_is_removed_while_a_digest_is_looked_for(make, monkeypatch):
    kept, removed = make("kept"), make("removed")
    wanted = digest(kept)
    found = list(store.user_models())
    removed.unlink()
    monkeypatch.setattr(store, "user_models", lambda: iter(found))
    assert store.with_digest("abc", wanted) == kept


def test_a_second_bundled_model_is_found_by_its_digest(make, tmp_path, monkeypatch):
    first, second = (make(name).rename(tmp_path / f"{name}.safetensors") for name in ("abc", "reels"))
    monkeypatch.setattr(store, "PRETRAINED", tmp_path)
    with first.open("ab") as file:
        file.write(b" ")
    (tmp_path / "damaged.safetensors").write_bytes(b"nothing")
    assert store.with_digest("abc", digest(second)) == second == store.model_named("reels")
    assert store.with_digest("grid", digest(second)) is None
    assert store.default("abc") == first


def test_other_files_are_ignored(make):
    make("good")
    (models_folder() / "bad.safetensors").write_bytes(b"nothing")
    assert [model.name for model in store.user_models()] == ["good"]


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a\\b", "x.safetensors", "-x", "x."])
def test_invalid_names(name):
    with pytest.raises(UsageError, match="invalid model name"):
        store.path_for(name)


@pytest.mark.parametrize("name", ["con", "NUL.old", "Lpt1", "com²", "aux .x"])
def test_names_of_windows_devices(name):
    with pytest.raises(UsageError, match="is a device on Windows"):
        store.path_for(name)
    assert store.path_for("console").name == "console.safetensors"


@pytest.mark.parametrize("letter", ["a", "é", "♯", "界", "\U0001d11e"])
def test_long_names(letter, tmp_path):
    with pytest.raises(UsageError):
        store.path_for(letter * 101)
    if letter.isalpha():
        longest = letter * (200 // max(2, len(letter.encode())))
        save_as = tmp_path / f".{store.path_for(longest).name}.training.12345678"
        save_as.write_text("there is such a file")


def test_valid_names():
    for name in ["mine", "my jigs", "jigs-2.1", "Übung_3"]:
        assert store.path_for(name).parent == models_folder()


def test_system_folders(monkeypatch, home):
    assert (models_folder(), cache_folder()) == (home / "models", home / "cache")
    monkeypatch.delenv("COMPOSER_HOME")
    monkeypatch.setenv("HOME", str(Path("/somewhere")))
    assert models_folder().name == "models"
    assert "composer" in cache_folder().parts


def test_resolve_name_or_file(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = store.path_for("mine")
    path.parent.mkdir(parents=True)
    path.touch()
    assert store.resolve_model(Path("mine")) == store.resolve_model(Path("mine.safetensors")) == path
    assert store.resolve_model(Path("sub/mine")) == Path("sub/mine")
    Path("mine").touch()
    assert store.resolve_model(Path("mine")) == Path("mine")


def test_a_folder_does_not_hide_a_model(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = store.path_for("odd")
    path.parent.mkdir(parents=True)
    path.touch()
    for name in ("odd", "grid", "neither"):
        Path(name).mkdir()
    assert store.resolve_model(Path("odd")) == path
    assert store.resolve_model(Path("grid")) == store.bundled("grid")
    assert store.resolve_model(Path("neither")) == Path("neither")


def test_resolve_bundled_model(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert store.resolve_model(Path("grid")) == store.resolve_model(Path("grid.safetensors")) == store.bundled("grid")
    own = store.path_for("grid")
    own.parent.mkdir(parents=True)
    own.touch()
    assert store.resolve_model(Path("grid")) == own
    Path("grid").touch()
    assert store.resolve_model(Path("grid")) == Path("grid")


@pytest.fixture
def warnings(monkeypatch):
    """The warnings about the folder of models."""
    found = []
    monkeypatch.setattr(store, "warn_once", found.append)
    return found


@pytest.mark.skipif(os.name == "nt", reason="no pipes and modes on this system")
def test_bad_files_are_named_and_skipped(make, tmp_path, warnings):
    make("good")
    folder = models_folder()
    (folder / "dangling.safetensors").symlink_to(tmp_path / "nowhere")
    (folder / "loop.safetensors").symlink_to(folder / "loop.safetensors")
    (folder / "device.safetensors").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.safetensors")
    (folder / "folder.safetensors").mkdir()
    (folder / "empty.safetensors").write_bytes(b"")
    assert [model.name for model in store.user_models()] == ["good"]
    named = {warning.split()[1].removesuffix(".safetensors") for warning in warnings}
    assert named == {"dangling", "loop", "device", "pipe", "folder", "empty"}


@pytest.mark.skipif(os.name == "nt", reason="no pipes and modes on this system")
@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_a_folder_that_others_can_write_to_is_ignored(make, warnings, mode):
    path = make("planted")
    path.parent.chmod(mode)
    assert list(store.user_models()) == []
    assert f"chmod go-w {path.parent}" in warnings[0]
    assert store.default("abc") == store.bundled("abc")
    with pytest.raises(CheckpointError, match="cannot use your model 'planted'") as caught:
        store.resolve_model(Path("planted"))
    assert caught.value.hint == f"chmod go-w {path.parent}"
    path.parent.chmod(0o755)
    assert store.resolve_model(Path("planted")) == path


def test_a_folder_that_cannot_be_read_is_named(home, warnings):
    models_folder().parent.mkdir(parents=True, exist_ok=True)
    models_folder().write_text("")
    assert not list(store.user_models())
    assert [each.rpartition(":")[0] for each in warnings] == [f"cannot read {models_folder()}"]
