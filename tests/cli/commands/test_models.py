"""`composer models`: one list of bundled and own models, and what manages the own ones."""

import json
import os
import shutil

import pytest

from composer.checkpoints import store, training_files
from composer.checkpoints.training_files import snapshot_path, state_path
from composer.cli.app import main
from composer.cli.console import Console
from composer.system.paths import models_folder

GEN = ("gen", "abc", "--length", "100", "--seed", "1")


@pytest.fixture
def add(checkpoint):
    """Put a small, finished model into the folder of models."""
    from composer.checkpoints import file

    saved = file.load(checkpoint, half=True)

    def add(name, **record):
        file.save(store.path_for(name), saved.with_record(**{"finished": True, **record}))
        return store.path_for(name)

    return add


@pytest.fixture
def mine(add):
    """A model with a state and a snapshot."""
    path = add("mine")
    state_path(path).parent.mkdir(parents=True)
    state_path(path).write_bytes(bytes(7000))
    from composer.checkpoints import file

    file.save(snapshot_path(path, 5), file.load(path, half=True).with_record(kind="snapshot", finished=False))
    return path


def test_the_list(composer, mine, add):
    add("going-on", finished=False)
    lines = composer("models").out.splitlines()
    assert lines[0].split() == ["name", "representation", "architecture", "size", "quality", "date"]
    facts = {line.split()[0]: line for line in lines[1:]}
    assert list(facts)[:5] == ["abc", "grid", "palestrina", "pianoroll", "text"]
    assert "attn-lstm" in facts["abc"]
    assert "bits per character" in facts["abc"]
    assert facts["abc"].endswith("bundled, used by default")
    assert "training files" in facts["mine"]
    assert facts["going-on"].endswith("unfinished")
    assert composer("models", "--names").out.split() == list(facts)
    found = {each["name"]: each for each in json.loads(composer("models", "--json").out)}
    assert found["abc"]["in_use"]
    assert found["abc"]["origin"] == "bundled"
    assert (found["mine"]["representation"], found["mine"]["architecture"]) == ("abc", "lstm")
    assert found["mine"]["path"] == str(mine)


def test_columns_are_aligned_as_names_are_shown(composer, mine, add):
    add("a-longer-name")
    mine.rename(mine.with_name("b\x1b\x1b\x1b\x07.safetensors"))
    for command, facts in ((("models",), "abc  "), (("plugins",), "abc, lstm")):
        own = [line for line in composer(*command).out.splitlines() if line.strip().startswith(("a-l", "b\\"))]
        assert len(own) == 2
        assert len({line.index(facts) for line in own}) == 1, own


@pytest.mark.parametrize(("columns", "headings"), [(60, 3), (80, 5), (140, 6)])
def test_the_list_fits_the_terminal_and_loses_nothing(composer, mine, columns, headings):
    narrow = composer("models", terminal=True, COLUMNS=str(columns)).out.splitlines()
    assert max(map(len, narrow)) <= columns
    wide = composer("models").out.replace(",", "").splitlines()[1:]
    assert len(narrow[0].split()) == headings
    assert sorted(" ".join(narrow[1:]).replace(",", "").split()) == sorted(" ".join(wide).split())


def test_the_bundled_model_is_used_until_another_one_is_chosen(composer, mine):
    assert not composer(*GEN).err
    assert composer("models", "use", "mine").err == "composer gen abc now uses model mine\n"
    assert composer(*GEN).err == "model mine (set by `composer models use`)\n"
    assert composer(*GEN).out == composer(*GEN, "-c", "mine").out
    composer("models", "use", "abc")
    assert not composer(*GEN).err


def test_use_wants_the_name_of_a_model(composer, mine, tmp_path):
    composer("models", "use", "mime").failed("no model 'mime'", "did you mean `mine`?")
    composer("models", "use", mine).failed("is not the name of a model", "composer models import", code=2)
    composer("models", "use", "mine.update-5").failed("is a snapshot", "composer models copy", code=2)


def test_rename(composer, mine):
    composer("models", "use", "mine")
    assert composer("models", "rename", "mine", "jigs").code == 0
    path = store.path_for("jigs")
    assert training_files.has_state(path)
    assert snapshot_path(path, 5).is_file()
    assert not training_files.training_folder(mine).exists()
    assert composer(*GEN).err.startswith("model jigs ")
    assert "'abc' is the name of a bundled model" in composer("models", "rename", "jigs", "abc").failed(code=2).err
    composer("models", "rename", "jigs", "a/b").failed(
        "invalid model name: 'a/b'", "spaces, and any of _ - + .", code=2
    )
    composer("models", "rename", "jigs", "--", "-x").failed("invalid model name: '-x'", "start with a letter", code=2)
    composer("models", "rename", "jigs", "x.").failed("invalid model name: 'x.'", "cannot end in", code=2)
    composer("models", "rename", "grid", "mine").failed("'grid' is a bundled model", "composer models copy grid grid-2")


def test_a_renamed_training_resumes(composer, tunes):
    tiny = ("--set", "hidden=8", "--set", "layers=1", "--set", "embedding=4", "--batch-size", "4")
    ended = composer("train", "abc", tunes, *tiny, "--set", "seq_length=16", "--max-updates", "1").err
    assert "generate: composer gen abc --checkpoint abc-2\n" in ended
    assert ended.endswith("make it the default: composer models use abc-2\n")
    composer("models", "rename", "abc-2", "jigs")
    assert "resuming jigs from update 1" in composer("train", "abc", "--name", "jigs", "--resume").err


def test_remove(composer, mine, stream):
    composer("models", "use", "mine")
    composer("models", "remove", "mine").failed("--yes", "composer models remove mine --yes", code=2)
    typing = Console(stream(b"n\n", terminal=True), stream(), stream(terminal=True))
    main(["models", "remove", "mine"], typing)
    assert typing.stderr.data == b"remove mine? [y/N] nothing was changed\n"
    composer("models", "remove", "mine", "nosuch", "--yes").failed("no model 'nosuch'")
    composer("models", "remove", "abc", "--yes").failed(
        "'abc' is a bundled model, which cannot be removed", "`composer models`"
    )
    composer("models", "prune", "abc").failed("which cannot be pruned")
    assert mine.is_file()
    assert "uses the bundled model again" in composer("models", "remove", "mine", "--yes").err
    assert {path.name for path in models_folder().rglob("*") if path.is_file()} == {"defaults.json"}
    assert not composer(*GEN).err


@pytest.mark.parametrize("command", ["remove mine --yes", "rename mine jigs", "prune mine --yes"])
def test_a_model_in_training_is_left_alone(composer, mine, command):
    lock = training_files.reserve(mine)
    result = composer("models", *command.split())
    assert "in training" in composer("models").out
    training_files.release(mine, lock)
    assert result.code == 1
    assert result.err.startswith("error: model 'mine' is in use by process")
    assert mine.is_file()
    assert state_path(mine).is_file()


def test_copy(composer, mine):
    assert composer("models", "copy", "mine", "second").code == 0
    assert store.path_for("second").read_bytes() == mine.read_bytes()
    assert not training_files.has_state(store.path_for("second"))
    composer("models", "copy", "mine", "second").failed("model 'second' already exists")
    composer("models", "copy", "mine.update-5", "early")
    assert composer("models", "--names").out.split()[5:] == ["early", "second", "mine"]
    assert composer(*GEN, "-c", "early").out.startswith("X:1")


def test_export_and_import(composer, mine, tmp_path):
    assert composer("models", "export", "mine", tmp_path).err == f"wrote {tmp_path / 'mine.safetensors'}\n"
    file = tmp_path / "mine.safetensors"
    assert file.read_bytes() == mine.read_bytes()
    composer("models", "export", "mine", f"{tmp_path}/new/folder/")
    assert (tmp_path / "new/folder/mine.safetensors").read_bytes() == mine.read_bytes()
    composer("models", "export", "mine", file).failed("already exists", "--force")
    composer("models", "export", "mine", tmp_path / "mine.txt").failed("mine.txt.safetensors", code=2)
    composer("models", "import", file).failed("model 'mine' already exists")
    assert composer("models", "import", file, "--name", "again").code == 0
    assert store.path_for("again").read_bytes() == mine.read_bytes()
    bundled = shutil.copy(file, tmp_path / "abc.safetensors")
    composer("models", "import", bundled).failed("'abc' is the name of a bundled model", "--name abc-2", code=2)


def test_only_models_are_imported(composer, mine, tunes, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(mine.read_bytes()[:-9])
    text = tmp_path / "text.safetensors"
    text.write_text("nothing")
    for file, reason in {tunes: "not a checkpoint", broken: "broken.safetensors", text: "not a complete"}.items():
        composer("models", "import", file).failed(reason)
    composer("models", "import", tmp_path).failed("is a folder", code=2)
    composer("models", "import", tunes).failed("not a checkpoint", "composer models export")
    composer("models", "import", tmp_path / "none").failed("no such file or folder")
    composer("models", "import", tmp_path / "txt.safetensors").failed("did you mean", "text.safetensors")
    assert [model.name for model in store.user_models()] == ["mine"]


def test_prune(composer, mine, add):
    going_on = add("going-on", finished=False)
    state_path(going_on).parent.mkdir(parents=True)
    state_path(going_on).write_bytes(bytes(2000))
    tried = composer("models", "prune", "--dry-run")
    assert tried.out.startswith("mine  ")
    assert "kept going-on: unfinished; to remove it too: composer models prune going-on\n" in tried.err
    composer("models", "prune", "--yes")
    assert not training_files.has_state(mine)
    assert mine.is_file()
    assert training_files.has_state(going_on)
    composer("models", "prune", "going-on", "--yes")
    assert not (models_folder() / "training").exists()
    assert composer("models", "prune").err == "nothing to remove\n"


def test_an_own_model_with_the_name_of_a_bundled_one(composer, mine):
    own = mine.rename(models_folder() / "abc.safetensors")
    assert "hides the bundled model; composer models rename abc my-abc" in composer("models").out
    assert not composer(*GEN).err
    assert composer("gen", "abc", "--length", "40", "-c", "abc").err.startswith("model abc, seed ")
    composer("models", "rename", "abc", "my-abc")
    assert not own.exists()
    assert composer("models", "path", "abc").out == f"{store.bundled('abc')}\n"


def test_gen_finds_the_representation_of_a_model(composer, mine):
    with_rep = composer(*GEN, "-c", "mine", "--key", "D")
    assert composer("gen", "-c", "mine", "--key", "D", *GEN[2:]).data == with_rep.data
    composer("gen", "-c", "mime").failed("no model 'mime'", "did you mean `mine`?")
    composer("gen", "abd", "-c", "mine").failed("unknown representation 'abd'", code=2)
    composer("gen", "-c", "mine", "--keys", "D").failed("unknown option --keys", "did you mean --key?", code=2)


def test_info_and_path(composer, mine):
    assert composer("models", "info", "abc").out == composer("show", "abc").out
    assert json.loads(composer("models", "info", "mine", "--json").out)["architecture"] == "lstm"
    assert composer("models", "path").out == f"{models_folder()}\n"
    assert composer("models", "path", "mine").out == f"{mine}\n"
    composer("models", "path", "mime").failed("no model 'mime'", "did you mean `mine`?")
    composer("models", "info").failed("missing argument MODEL", code=2)
    composer("models", "rm").failed("has no command 'rm'", "`composer models remove`", code=2)
    composer("models", "lst").failed("has no command 'lst'", "did you mean `composer models`?", code=2)
    composer("models", "mine").failed("has no command 'mine'", "composer models info mine", code=2)
    composer("models", "--json", "info", "abc").failed("--json cannot be given before info", code=2)


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
@pytest.mark.parametrize("target", [None, "models", "gone"])
def test_bundled_models_work_without_a_folder_of_models(composer, home, target):
    """A file, a loop or a dangling link may be in its place."""
    home.mkdir(exist_ok=True)
    if target is None:
        (home / "models").write_bytes(b"")
    else:
        (home / "models").symlink_to(home / target)
    result = composer("gen", "abc", "--seed", 1, "--candidates", 1)
    assert result.code == 0, result.err
