"""Two runs never write the same files, and --force replaces an old file only by a complete one."""

import re
from contextlib import nullcontext

import pytest

from composer.cli.gen import run
from composer.cli.output import files
from composer.cli.output.filename_pattern import FilenamePattern
from composer.cli.output.files import reserved
from composer.generation.request import Finished
from composer.system.locks import NameInUse


@pytest.mark.parametrize(("name", "count"), [("all.abc", 9), ("%02d.abc", 9), ("one.abc", 1)])
@pytest.mark.parametrize("option", ["--quiet", "--force", "--resume"])
def test_an_output_in_use(gen, tmp_path, name, count, option):
    path = tmp_path / "out" / name
    with reserved(FilenamePattern(str(path)).in_one_name):
        refused = gen(option, "--output", path, "--checkpoint", tmp_path / "absent", count=count)
    refused.failed(f"{path} is in use" if "%" not in name else "in use", "another --output")
    assert "--resume" not in refused.err.partition("hint:")[2]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("held", "other", "is_free"),
    [
        ("%d.abc", "1.abc", False),
        ("7.abc", "%d.abc", False),
        ("007.abc", "%03d.abc", False),
        ("%d.abc", "%02d.abc", False),
        ("%d.abc", "07.abc", True),
        ("1.abc", "2.abc", True),
        ("a%d.abc", "b%d.abc", True),
    ],
)
def test_one_file_and_numbered_files_of_the_same_name(tmp_path, held, other, is_free):
    refused = pytest.raises(NameInUse, match=f"{re.escape(other)} is in use")
    with reserved(tmp_path / held), nullcontext() if is_free else refused, reserved(tmp_path / other):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("held", "other", "is_free"),
    [
        ("%d/a.abc", "1/a.abc", False),
        ("1/a.abc", "%d/a.abc", False),
        ("%d/%d.abc", "2/%d.abc", False),
        ("2/%d.abc", "%d/%d.abc", False),
        ("%d/b/1.abc", "3/b/%d.abc", False),
        ("%d/a.abc", "1/b.abc", True),
        ("2/3.abc", "%d/%d.abc", True),
        ("%d/a.abc", "x/a.abc", True),
        ("%d/a.abc", "%d-a.abc", True),
    ],
)
def test_numbered_files_in_several_folders(tmp_path, held, other, is_free):
    refused = pytest.raises(NameInUse, match=f"{re.escape(other)} is in use")
    paths = [FilenamePattern(str(tmp_path / name)).in_one_name for name in (held, other)]
    with reserved(paths[0]), nullcontext() if is_free else refused, reserved(paths[1], other):
        pass
    assert not list(tmp_path.iterdir())


def test_of_two_runs_in_several_folders_that_find_each_other_one_goes_on(tmp_path, monkeypatch):
    """The one of a single folder waits until the other one has given its name back."""
    (tmp_path / "1").mkdir()
    pattern = FilenamePattern(str(tmp_path / "%d" / "a.abc")).in_one_name
    look, refused = files._folders_above, []

    def start_other(path):
        monkeypatch.setattr(files, "_folders_above", look)
        with pytest.raises(NameInUse), reserved(pattern):
            pass
        refused.append(path)
        return look(path)

    monkeypatch.setattr(files, "_folders_above", start_other)
    with reserved(tmp_path / "1" / "a.abc"):
        assert refused


def test_a_lock_that_a_killed_run_of_numbered_files_has_left(tmp_path):
    (tmp_path / ".%d.abc.composer-lock").write_text("")
    with reserved(tmp_path / "1.abc"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_name_too_long_for_a_lock_of_the_same_name(tmp_path):
    path = tmp_path / f"{'x' * 240}.abc"
    with reserved(path) as lock:
        assert lock.path.exists()
        with pytest.raises(NameInUse), reserved(path):
            pass


def test_a_run_that_cannot_start_leaves_nothing(gen, tmp_path):
    gen("--output", tmp_path / "new" / "%d.abc", "--checkpoint", tmp_path / "absent").failed("absent")
    assert not list(tmp_path.iterdir())


def test_a_file_of_the_users_survives(gen, whole, tmp_path):
    part, target = tmp_path / "all.abc.part", tmp_path / "precious"
    target.write_text("precious")
    part.symlink_to(target)
    assert gen("--output", tmp_path / "all.abc").code == 0
    assert part.is_symlink()
    assert target.read_text() == "precious"
    assert (tmp_path / "all.abc").read_bytes() == whole[1]


def test_forced_numbered_files_are_replaced_one_by_one(gen, whole, interrupt, monkeypatch, tmp_path, contents):
    for number in range(1, 10):
        (tmp_path / f"{number:02}.abc").write_text("old")
    interrupt(3)
    gen("--force", "--output", tmp_path / "%02d.abc")
    monkeypatch.undo()
    found = contents(tmp_path)
    assert sum(found[name] == data for name, data in whole[0].items()) == 3
    assert sum(data == b"old" for data in found.values()) == 6
    assert gen("--resume", "--output", tmp_path / "%02d.abc").code == 0
    assert contents(tmp_path) == whole[0]


def test_a_forced_file_is_replaced_when_all_pieces_are_there(gen, whole, interrupt, monkeypatch, tmp_path, contents):
    path = tmp_path / "all.abc"
    path.write_text("old")
    interrupt(3)
    result = gen("--force", "--output", path)
    monkeypatch.undo()
    assert f"{path} stays as it is; continue with --resume" in result.err
    assert path.read_text() == "old"
    assert gen("--resume", "--output", path).code == 0
    assert contents(tmp_path) == {"all.abc": whole[1]}


def write_meanwhile(monkeypatch, path):
    """Write a file as another program would, while the first piece is generated."""

    def watched(*arguments, **options):
        for event in generate(*arguments, **options):
            if isinstance(event, Finished) and not path.exists():
                path.write_text("precious")
            yield event

    generate = run.generate
    monkeypatch.setattr(run, "generate", watched)


@pytest.mark.parametrize(("name", "taken"), [("one.abc", "one.abc"), ("%02d.abc", "05.abc")])
def test_a_file_that_appears_meanwhile_is_not_replaced(gen, monkeypatch, tmp_path, name, taken):
    write_meanwhile(monkeypatch, tmp_path / taken)
    result = gen("--output", tmp_path / name, count=9 if "%" in name else 1)
    assert f"error: {tmp_path / taken} already exists" in result.err
    assert result.code == 1
    assert (tmp_path / taken).read_text() == "precious"


def test_pieces_are_kept_if_their_file_appears_meanwhile(gen, whole, monkeypatch, tmp_path, contents):
    path = tmp_path / "all.abc"
    write_meanwhile(monkeypatch, path)
    result = gen("--output", path)
    result.failed(f"{path} was written by another program meanwhile, so the 9 pieces are in", "--resume --force")
    assert path.read_text() == "precious"
    monkeypatch.undo()
    assert gen("--resume", "--force", "--output", path).code == 0
    assert contents(tmp_path) == {"all.abc": whole[1]}
