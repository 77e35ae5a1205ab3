"""Encoding: fitted to the training part, made once, found again, and made again when it is damaged."""

import io
import itertools
import os
import shutil
import time
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from composer.api import ComposerError, EncodeError, ReadError, SequenceSpec, StepKind
from composer.data import build as build_module
from composer.data import cache_key, file_stamps, shards, staging
from composer.data.dataset import prepare
from composer.data.encoded_split import NO_STEPS, pack
from composer.data.splits import Split
from composer.system import cache_dir


def contents(dataset, representation, part):
    """The pieces of a part, decoded from its arrays."""
    steps, offsets = dataset.parts[part].steps, dataset.parts[part].offsets
    return [representation.decode(steps[begin:end].tolist()).content for begin, end in itertools.pairwise(offsets)]


def test_what_is_encoded_is_what_was_read(letters, tunes):
    dataset = prepare(letters, [str(tunes)], Split(valid=0.2))
    words = " ".join(path.read_text() for path in sorted(tunes.iterdir())).split()
    train, valid = (contents(dataset, letters, part) for part in ("train", "valid"))
    assert len(valid) > 3
    assert sorted(train + valid) == sorted(words)
    assert train == [word for word in words if word in train]
    assert dataset.report.pieces == {"train": len(train), "valid": len(valid), "test": 0}
    assert dataset.parts["train"].steps.dtype == np.uint8


def test_what_the_steps_do_not_hold_is_counted(letters, tunes):
    words = " ".join(path.read_text() for path in tunes.iterdir()).split()
    long = sum(len(word) > 6 for word in words)
    assert long > 0
    assert prepare(letters, [str(tunes)], Split(valid=0.2)).report.losses == {"long words": long}
    assert prepare(letters, [str(tunes)], Split(valid=0.2)).report.losses == {"long words": long}


def test_a_second_time_nothing_is_read_and_all_is_the_same(letters, tunes):
    first = prepare(letters, [str(tunes)], Split(valid=0.2))
    reads = type(letters).reads
    other = type(letters)()
    second = prepare(other, [str(tunes)], Split(valid=0.2))
    assert (first.cached, second.cached) == (False, True)
    assert type(letters).reads == reads == 3
    assert other.state() == letters.state()
    assert second.spec == first.spec
    assert (second.report, second.digest, second.encoded) == (first.report, first.digest, first.encoded)
    for part in first.parts:
        assert (first.parts[part].steps[:] == second.parts[part].steps[:]).all()


def test_the_place_of_the_files_does_not_matter_but_their_content_does(letters, tunes):
    prepare(letters, [str(tunes)])
    moved = tunes.rename(tunes.with_name("moved"))
    assert prepare(letters, [str(moved)]).cached
    (moved / "0.txt").write_text((moved / "0.txt").read_text() + " another")
    assert not prepare(letters, [str(moved)]).cached


@pytest.mark.parametrize("split", [Split(valid=0.3), Split(test=0.1), Split(valid_files=("tunes/0.txt",))])
def test_another_split_is_another_encoding(letters, tunes, monkeypatch, split):
    monkeypatch.chdir(tunes.parent)
    prepare(letters, ["tunes"])
    assert not prepare(letters, ["tunes"], split).cached


def test_a_list_that_is_missing_is_an_error_even_where_all_is_encoded(letters, tunes, tmp_path):
    prepare(letters, [str(tunes)])
    with pytest.raises(ReadError, match="cannot read the list"):
        prepare(letters, [str(tunes)], Split(listing=tmp_path / "gone.txt"))


@pytest.mark.parametrize("name", ["manifest.json", "train.0.steps", "train.offsets", "valid.conditions"])
@pytest.mark.parametrize("damage", ["cut", "flip", "remove"])
def test_a_damaged_encoding_is_made_again(letters, tunes, home, name, damage):
    (tunes / "sub").mkdir()
    (tunes / "0.txt").rename(tunes / "sub" / "0.txt")
    first = prepare(letters, [str(tunes)], Split(valid=0.3))
    (folder,) = (home / "cache").glob("letters-*")
    path = folder / name
    data = path.read_bytes()
    wrong = {"cut": data[:-1], "flip": b"\xff" + data[1:]}
    first = {part: np.array(each.steps) for part, each in first.parts.items()}
    path.unlink()
    if damage != "remove":
        path.write_bytes(wrong[damage])
    second = prepare(letters, [str(tunes)], Split(valid=0.3))
    assert not second.cached
    assert all((second.parts[part].steps == steps).all() for part, steps in first.items())
    assert prepare(letters, [str(tunes)], Split(valid=0.3)).cached


def test_symbols_that_only_validation_has_are_counted_not_fatal(letters, tunes, tmp_path):
    (tmp_path / "valid.txt").write_text("abc xyz zzz")
    dataset = prepare(letters, [str(tunes)], Split(valid_files=(str(tmp_path / "valid.txt"),)))
    assert dataset.report.pieces["valid"] == 1
    assert dataset.report.refused == {NO_STEPS: 2}
    assert "x y z" in dataset.report.places[NO_STEPS][0]


def test_a_fitted_representation_stays_as_it_is(letters, tunes, tmp_path):
    prepare(letters, [str(tunes)])
    state = letters.state()
    (tmp_path / "new.txt").write_text("abba zebra")
    dataset = prepare(letters, [str(tmp_path / "new.txt")], Split(valid=0), fitted=True)
    assert letters.state() == state
    assert contents(dataset, letters, "train") == ["abba"]
    (tmp_path / "new.txt").write_text("xyz zebra")
    with pytest.raises(EncodeError, match="no piece can be encoded: 2 refused"):
        prepare(letters, [str(tmp_path / "new.txt")], Split(valid=0), fitted=True)


def test_variants_are_added_to_the_training_part_alone(letters, tunes):
    dataset = prepare(letters, [str(tunes)], Split(valid=0.2), augment=True)
    train, valid = (contents(dataset, letters, part) for part in ("train", "valid"))
    assert sum(word.isupper() for word in train) == len(train) / 2
    assert not any(word.isupper() for word in valid)


def test_labels_become_indices_of_conditions(letters, tmp_path):
    for author, word in [("burns", "rose"), ("blake", "tiger")]:
        (tmp_path / "poems" / author).mkdir(parents=True)
        (tmp_path / "poems" / author / "1.txt").write_text(word)
    (tmp_path / "more.txt").write_text("tree")
    dataset = prepare(letters, [str(tmp_path / "poems"), str(tmp_path / "more.txt")], Split(valid=0))
    assert dataset.spec.conditions == {"author": ("blake", "burns")}
    assert dataset.parts["train"].conditions.tolist() == [[0], [1], [-1]]


def test_frames_are_packed_bits():
    spec = SequenceSpec(StepKind.FRAMES, size=11)
    packed = pack([(), (0, 10), (3,)], spec)
    assert packed.shape == (3, 2)
    assert np.unpackbits(packed, axis=1, count=11).sum(1).tolist() == [0, 2, 1]


@pytest.mark.parametrize(("size", "dtype"), [(256, np.uint8), (257, np.uint16), (70000, np.uint32)])
def test_tokens_take_as_few_bytes_as_they_can(size, dtype):
    assert pack([size - 1], SequenceSpec(StepKind.TOKENS, size=size, end=0)).dtype == dtype


@pytest.mark.parametrize("write", ["spill.Spill.append", "spill.Spill.close", "shards.Writer.write"])
def test_a_full_disk_is_one_line_and_leaves_nothing_behind(letters, tunes, home, monkeypatch, write):
    def full(*_):
        raise OSError(28, "No space left on device")

    def usage(folder):
        assert folder == home / "cache"  # its own disk, not the one of /
        return SimpleNamespace(free=7 * 2**20)

    monkeypatch.setattr("shutil.disk_usage", usage)
    monkeypatch.setattr(f"composer.data.{write}", full)
    with pytest.raises(ComposerError, match="No space left on device") as caught:
        prepare(letters, [str(tunes)])
    assert caught.value.hint == "7 MB are free there; set COMPOSER_HOME to a folder with more"
    assert not list((home / "cache").iterdir())


def test_a_disk_that_is_too_small_for_what_is_yet_to_be_read_is_told_of_early(letters, tunes, home, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=2000))
    monkeypatch.setattr(staging, "FIRST_LOOK", 100)
    with pytest.raises(ComposerError, match="the encoded pieces need about 0 MB, and 0 MB are free") as caught:
        prepare(letters, [str(tunes)])
    assert "COMPOSER_HOME" in caught.value.hint
    assert type(letters).reads == 1
    assert not list((home / "cache").iterdir())


def test_a_disk_that_is_too_small_for_the_steps_is_told_of_before_they_are_made(letters, tunes, home, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=700))
    monkeypatch.setattr(build_module, "write_part", None)
    with pytest.raises(ComposerError, match="the encoded pieces need about"):
        prepare(letters, [str(tunes)], augment=True)
    assert not list((home / "cache").iterdir())


@pytest.fixture
def rested(monkeypatch):
    """Files count as left alone at once."""
    monkeypatch.setattr(file_stamps, "REST", -1.0)


def test_files_that_were_not_changed_are_not_even_opened(letters, tunes, rested, monkeypatch):
    first = prepare(letters, [str(tunes)])
    monkeypatch.setattr(cache_key, "contents", None)
    monkeypatch.setattr("composer.data.shards.checked", None)
    second = prepare(type(letters)(), [str(tunes)])
    assert second.cached
    assert (second.digest, second.encoded, second.report) == (first.digest, first.encoded, first.report)


@pytest.mark.parametrize("change", ["grow", "rewrite", "touch", "add", "remove", "replace"])
def test_a_file_that_was_changed_is_looked_into(letters, tunes, rested, monkeypatch, change):
    prepare(letters, [str(tunes)])
    looked = []
    contents = cache_key.contents
    monkeypatch.setattr(cache_key, "contents", lambda found: looked.append(found) or contents(found))
    path, text = tunes / "1.txt", (tunes / "1.txt").read_text()
    if change == "grow":
        path.write_text(text + " more")
    elif change == "rewrite":
        path.write_text(text.swapcase())
    elif change == "touch":
        path.touch()
    elif change == "add":
        (tunes / "9.txt").write_text("another")
    elif change == "remove":
        path.unlink()
    else:
        status = path.stat()
        path.rename(tunes / "old")
        path.write_text(text.swapcase())
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert prepare(letters, [str(tunes)]).cached == (change == "touch")
    assert looked


def test_files_that_have_just_been_written_are_not_trusted(letters, tunes, monkeypatch):
    prepare(letters, [str(tunes)])
    looked = []
    contents = cache_key.contents
    monkeypatch.setattr(cache_key, "contents", lambda found: looked.append(found) or contents(found))
    assert prepare(letters, [str(tunes)]).cached
    assert looked


def test_what_is_known_of_files_is_forgotten_with_their_encoding(letters, tunes, home, rested, monkeypatch):
    prepare(letters, [str(tunes)])
    (folder,) = (home / "cache").glob("letters-*")
    shutil.rmtree(folder)
    assert not prepare(letters, [str(tunes)]).cached
    monkeypatch.setattr(cache_dir, "MAX_BYTES", 0)
    prepare(letters, [str(tunes / "0.txt")])
    (record,) = (home / "cache" / "known").iterdir()
    assert "letters-" in record.read_text()


def test_typed_words_are_read_once_and_found_again(letters, monkeypatch):
    def typing(text):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text), closed=False))

    typing(b"rose tiger tree")
    assert prepare(letters, ["-"]).report.pieces["train"] == 3
    typing(b"rose tiger tree")
    assert prepare(letters, ["-"]).cached
    typing(b"rose tiger tree fog")
    assert not prepare(letters, ["-"]).cached


def test_an_archive_is_known_by_its_own_file(letters, tmp_path, rested, monkeypatch):
    with zipfile.ZipFile(tmp_path / "words.zip", "w") as archive:
        archive.writestr("a.txt", "rose tiger tree")
    prepare(letters, [str(tmp_path / "words.zip")])
    monkeypatch.setattr(cache_key, "contents", None)
    assert prepare(letters, [str(tmp_path / "words.zip")]).cached


def test_steps_of_many_shards_are_those_of_one(letters, tunes, home, monkeypatch):
    whole = prepare(letters, [str(tunes)], Split(valid=0.2))
    expected = {part: each.steps[:] for part, each in whole.parts.items()}
    shutil.rmtree(home)
    monkeypatch.setattr(shards, "SHARD", 100)
    sharded = prepare(letters, [str(tunes)], Split(valid=0.2))
    assert len(list((home / "cache").glob("letters-*/train.*.steps"))) > 5
    assert sharded.encoded == whole.encoded
    for part, steps in expected.items():
        assert (sharded.parts[part].steps[:] == steps).all()
        assert sharded.parts[part].count == len(steps)


def test_the_least_recently_used_encodings_are_given_up(letters, tunes, home, monkeypatch):
    def encoded():
        return {path.name for path in (home / "cache").glob("letters-*")}

    names = []
    for number, used in enumerate([300, 100, 200]):
        before = encoded()
        prepare(letters, [str(tunes / f"{number}.txt")])
        (name,) = encoded() - before
        os.utime(home / "cache" / name / "manifest.json", (used, used))
        names.append(name)
    prepare(letters, [str(tunes / "1.txt")])  # used now
    sizes = {name: sum(path.stat().st_size for path in (home / "cache" / name).iterdir()) for name in names}
    cache_dir.prune(home / "cache", home / "cache" / names[2], max_bytes=sizes[names[1]] + sizes[names[2]])
    assert encoded() == {names[1], names[2]}
    monkeypatch.setattr(cache_dir, "MAX_BYTES", 0)
    prepare(letters, [str(tunes)])
    assert len(encoded()) == 1


def test_what_a_killed_process_left_is_swept_up(letters, tunes, home):
    for name, age in [(".making-old", 2 * cache_dir.ABANDONED_SECONDS), (".making-new", 60)]:
        (home / "cache" / name).mkdir(parents=True)
        (home / "cache" / name / "pieces").write_text("half")
        for path in (home / "cache" / name / "pieces", home / "cache" / name):
            os.utime(path, (time.time() - age, time.time() - age))
    prepare(letters, [str(tunes)])
    assert [path.name for path in (home / "cache").glob(".making-*")] == [".making-new"]


def test_a_cache_that_cannot_be_made_is_not_blamed_on_the_disk(letters, tunes, home):
    home.write_text("a file")
    with pytest.raises(ComposerError, match="cannot keep the encoded pieces") as caught:
        prepare(letters, [str(tunes)])
    assert caught.value.hint == "set COMPOSER_HOME to a folder that you may write to"


def test_nothing_to_read_is_an_error(letters, tmp_path):
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(ReadError):
        prepare(letters, [str(tmp_path)])
