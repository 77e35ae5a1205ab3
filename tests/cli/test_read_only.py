"""Every command that writes says in one line and a hint that it cannot: on a read-only disk, or in place of a file."""

import builtins
import errno
import io
import os
from pathlib import Path

import pytest

from composer.checkpoints.store import path_for

TRAIN = "train abc {tunes} --name new --max-updates 1 --set hidden=8 --set layers=1 --device cpu"
HOME = [
    TRAIN,
    "train abc --name small --resume",
    "models use small",
    "models rename small other",
    "models copy small other",
    "models remove small --yes",
    "models import {model}",
    "similar {tunes} --corpus {tunes} -c small",
    "config set gen.temp 0.8",
]
OUTPUT = [
    "gen abc -c small -o {out}/one.abc",
    "gen abc -c small -o {out}/all.abc --count 2",
    "gen abc -c small -o {out}/%d.abc --count 2",
    "gen abc -c small -o {out}/new/one.mid",
    "convert {tunes} -o {out}/new/ --to midi",
    "convert {tunes} -o {out}/%d.musicxml",
    "replay {generated} -o {out}/again.abc",
    "harmonize {generated} --style chords -o {out}/chords.abc",
    "play {generated} -o {out}/tune.wav",
    "models export small {out}/small.safetensors",
    TRAIN + " --output {out}/new.safetensors",
]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The folder of models, cache and configuration."""
    home = tmp_path / "home"
    monkeypatch.setenv("COMPOSER_HOME", str(home))
    monkeypatch.delenv("COMPOSER_CONFIG", raising=False)
    return home


@pytest.fixture
def files(composer, checkpoint, tunes, tmp_path, home):
    """The files that the command lines name, and the small model as `small`."""
    path_for("small").parent.mkdir(parents=True)
    path_for("small").write_bytes(checkpoint.read_bytes())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "broken.abc").write_text("X:1\nM:6/8\nL:1/8\nK:D\nA6-|B6|]\n")
    generated = tmp_path / "generated.abc"
    assert composer("gen", "abc", "-c", "small", "-o", generated).code == 0
    return {"tunes": tunes, "model": checkpoint, "out": tmp_path / "out", "generated": generated}


@pytest.fixture
def read_only(monkeypatch):
    """Make the disk below a folder read-only, also for root: `read_only(folder)`."""

    def make(folder):
        def refuse(path, *, writes=True):
            inside = isinstance(path, str | os.PathLike) and folder in (
                Path(path).absolute(),
                *Path(path).absolute().parents,
            )
            if writes and inside:
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

        def patch(owner, name, writes):
            function = getattr(owner, name)

            def guarded(path, *args, **named):
                refuse(path, writes=writes(*args, **named))
                return function(path, *args, **named)

            monkeypatch.setattr(owner, name, guarded)

        patch(os, "open", lambda flags, *_, **__: flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        for owner in (io, builtins):
            patch(owner, "open", lambda mode="r", *_, **named: set(named.get("mode", mode)) & set("wax+"))
        for name in ("mkdir", "unlink", "remove", "rmdir", "rename", "replace"):
            patch(os, name, lambda *_, **__: True)

    return make


def refused(result, folder):
    """Check that a command says in one line and a hint which file or folder it cannot write."""
    assert result.code == 1, result.err
    lines = [line for line in result.err.splitlines() if line.startswith(("error:", "hint:"))]
    assert [line.partition(":")[0] for line in lines] == ["error", "hint"], result.err
    assert "internal error" not in result.err
    assert "Traceback" not in result.err
    assert folder in lines[0]


@pytest.mark.parametrize("line", HOME, ids=lambda line: " ".join(line.split()[:2]))
def test_models_cache_and_configuration_on_a_read_only_disk(composer, files, home, read_only, line):
    read_only(home)
    before = sorted(home.rglob("*"))
    refused(composer(*line.format(**files).split()), str(home))
    assert sorted(home.rglob("*")) == before


@pytest.mark.parametrize("line", OUTPUT, ids=lambda line: " ".join([line.split()[0], line.rpartition("/")[2]]))
def test_output_on_a_read_only_disk(composer, files, read_only, line):
    read_only(files["out"])
    before = sorted(files["out"].rglob("*"))
    refused(composer(*line.format(**files).split()), str(files["out"]))
    assert sorted(files["out"].rglob("*")) == before


def test_fixed_copies_on_a_read_only_disk(composer, files, read_only):
    """That is said as a finding, and other files are still fixed."""
    read_only(files["out"])
    result = composer("check", "--fix", files["out"] / "broken.abc")
    assert result.code == 1
    assert f"not fixed: cannot write {files['out'] / 'broken.fixed.abc'}: Read-only file system" in result.data.decode()


@pytest.mark.parametrize("line", [TRAIN, "models import {model}", "config set gen.temp 0.8"])
def test_a_file_in_place_of_the_folders(composer, files, tmp_path, monkeypatch, line):
    (tmp_path / "file").write_text("precious")
    monkeypatch.setenv("COMPOSER_HOME", str(tmp_path / "file"))
    refused(composer(*line.format(**files).split()), str(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "precious"


def test_a_file_in_place_of_the_folder_of_the_output(composer, files, tmp_path):
    (tmp_path / "file").write_text("precious")
    for name in ("one.abc", "%d.abc", "new/one.abc"):
        refused(composer("gen", "abc", "-c", "small", "-o", tmp_path / "file" / name, "--count", "1"), "file")
    assert (tmp_path / "file").read_text() == "precious"


def test_models_and_cache_on_a_read_only_disk_are_read(composer, files, home, read_only):
    """Generating, evaluating and listing write nothing there."""
    read_only(home)
    for line in ("gen abc -c small -q", "eval abc {tunes} -c small", "models", "show small", "models info small"):
        result = composer(*line.format(**files).split())
        assert result.code == 0, result.err
