"""Data sets: fitted to the training data, built once, found again, and built again when damaged."""

import io
import itertools
import json
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from composer.api import ComposerError, EncodeError, ReadError, SequenceSpec, StepKind
from composer.data import build as build_module
from composer.data import shards, staging
from composer.data.conditions import with_conditions
from composer.data.dataset import prepare
from composer.data.encoded_split import NOT_ENCODABLE, pack
from composer.data.splits import SplitSettings
from composer.system import cache_dir


def contents(dataset, representation, split):
    """Return the decoded pieces of a split."""
    steps, offsets = dataset.splits[split].steps, dataset.splits[split].offsets
    return [representation.decode(steps[begin:end].tolist()).content for begin, end in itertools.pairwise(offsets)]


def test_the_data_set_has_the_pieces_that_were_read(letters, tunes):
    dataset = prepare(letters, [str(tunes)], SplitSettings(valid=0.2))
    words = " ".join(path.read_text() for path in sorted(tunes.iterdir())).split()
    train, valid = (contents(dataset, letters, split) for split in ("train", "valid"))
    assert len(valid) > 3
    assert sorted(train + valid) == sorted(words)
    assert train == [word for word in words if word in train]
    assert dataset.report.pieces == {"train": len(train), "valid": len(valid), "test": 0}
    assert dataset.splits["train"].steps.dtype == np.uint8


def test_losses_are_counted(letters, tunes):
    words = " ".join(path.read_text() for path in tunes.iterdir()).split()
    long = sum(len(word) > 6 for word in words)
    assert long > 0
    assert prepare(letters, [str(tunes)], SplitSettings(valid=0.2)).report.losses == {"long words": long}
    report = prepare(letters, [str(tunes)], SplitSettings(valid=0.2)).report  # from the cache
    assert report.losses == {"long words": long}
    assert [Path(place.partition(": ")[0]).parent for place in report.places["long words"]] == [tunes]


def test_the_second_time_no_piece_is_read_and_all_is_the_same(letters, tunes):
    first = prepare(letters, [str(tunes)], SplitSettings(valid=0.2))
    reads = type(letters).reads
    other = type(letters)()
    second = prepare(other, [str(tunes)], SplitSettings(valid=0.2))
    assert (first.cached, second.cached) == (False, True)
    assert type(letters).reads == reads == 3
    assert other.state() == letters.state()
    assert second.spec == first.spec
    assert (second.report, second.digest, second.encoded_digest) == (first.report, first.digest, first.encoded_digest)
    for split in first.splits:
        assert (first.splits[split].steps[:] == second.splits[split].steps[:]).all()


def test_the_folder_of_the_files_does_not_matter_but_their_content_does(letters, tunes):
    prepare(letters, [str(tunes)])
    moved = tunes.rename(tunes.with_name("moved"))
    assert prepare(letters, [str(moved)]).cached
    (moved / "0.txt").write_text((moved / "0.txt").read_text() + " another")
    assert not prepare(letters, [str(moved)]).cached


@pytest.mark.parametrize(
    "split", [SplitSettings(valid=0.3), SplitSettings(test=0.1), SplitSettings(valid_files=("tunes/0.txt",))]
)
def test_another_split_is_another_data_set(letters, tunes, monkeypatch, split):
    monkeypatch.chdir(tunes.parent)
    prepare(letters, ["tunes"])
    assert not prepare(letters, ["tunes"], split).cached


def test_a_missing_list_is_an_error_even_if_the_data_set_exists(letters, tunes, tmp_path):
    prepare(letters, [str(tunes)])
    with pytest.raises(ReadError, match="no such file or folder: the list"):
        prepare(letters, [str(tunes)], SplitSettings(listing=tmp_path / "gone.txt"))


@pytest.mark.parametrize("name", ["manifest.json", "train.0.steps", "train.offsets", "valid.conditions"])
@pytest.mark.parametrize("damage", ["cut", "flip", "remove"])
def test_a_damaged_data_set_is_built_again(letters, tunes, home, name, damage):
    (tunes / "sub").mkdir()
    (tunes / "0.txt").rename(tunes / "sub" / "0.txt")
    first = prepare(letters, [str(tunes)], SplitSettings(valid=0.3), conditions=["author"])
    (folder,) = (home / "cache").glob("letters-*")
    path = folder / name
    data = path.read_bytes()
    wrong = {"cut": data[:-1], "flip": b"\xff" + data[1:]}
    first = {split: np.array(each.steps) for split, each in first.splits.items()}
    path.unlink()
    if damage != "remove":
        path.write_bytes(wrong[damage])
    second = prepare(letters, [str(tunes)], SplitSettings(valid=0.3), conditions=["author"])
    assert not second.cached
    assert all((second.splits[split].steps == steps).all() for split, steps in first.items())
    assert prepare(letters, [str(tunes)], SplitSettings(valid=0.3), conditions=["author"]).cached


def _plant(folder, manifest):
    (folder / "manifest.json").write_text(json.dumps(manifest))


PLANTS = {
    "a list": lambda folder, manifest: _plant(folder, []),
    "nesting": lambda folder, manifest: (folder / "manifest.json").write_text("[" * 100_000),
    "no splits": lambda folder, manifest: _plant(folder, {**manifest, "splits": 3}),
    "a report of other types": lambda folder, manifest: _plant(
        folder, {**manifest, "report": {**manifest["report"], "pieces": {"train": "many", "valid": 0, "test": 0}}}
    ),
    "fewer symbols": lambda folder, manifest: _plant(folder, {**manifest, "state": {"letters": "a"}}),
    "a pipe": lambda folder, manifest: ((folder / "manifest.json").unlink(), os.mkfifo(folder / "manifest.json")),
    "a device": lambda folder, manifest: (
        (folder / "melodies").unlink(), (folder / "melodies").symlink_to("/dev/zero")
    ),
    "a file": lambda folder, manifest: (shutil.rmtree(folder), folder.write_text("")),
    "a dangling link": lambda folder, manifest: (shutil.rmtree(folder), folder.symlink_to("nowhere")),
}  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
@pytest.mark.parametrize("planted", PLANTS)
def test_a_planted_data_set_is_built_again(letters, tunes, home, planted):
    first = prepare(letters, [str(tunes)])
    (folder,) = (home / "cache").glob("letters-*")
    PLANTS[planted](folder, json.loads((folder / "manifest.json").read_text()))
    second = prepare(type(letters)(), [str(tunes)])
    assert not second.cached
    assert second.encoded_digest == first.encoded_digest


@pytest.mark.skipif(os.name == "nt", reason="no modes on this system")
def test_a_cache_that_others_can_write_to_is_refused(letters, tunes, home):
    prepare(letters, [str(tunes)])
    (home / "cache").chmod(0o777)
    with pytest.raises(ComposerError, match="other users can write to") as caught:
        prepare(letters, [str(tunes)])
    assert caught.value.hint == f"chmod go-w {home / 'cache'}"


def test_symbols_in_validation_data_only_are_counted(letters, tunes, tmp_path):
    (tmp_path / "valid.txt").write_text("abc xyz zzz")
    dataset = prepare(letters, [str(tunes)], SplitSettings(valid_files=(str(tmp_path / "valid.txt"),)))
    assert dataset.report.pieces["valid"] == 1
    assert dataset.report.rejected == {NOT_ENCODABLE: 2}
    assert "x y z" in dataset.report.places[NOT_ENCODABLE][0]


def test_a_fitted_representation_is_not_changed(letters, tunes, tmp_path):
    prepare(letters, [str(tunes)])
    state = letters.state()
    (tmp_path / "new.txt").write_text("abba zebra")
    dataset = prepare(letters, [str(tmp_path / "new.txt")], SplitSettings(valid=0), fitted=letters.spec)
    assert letters.state() == state
    assert contents(dataset, letters, "train") == ["abba"]
    (tmp_path / "new.txt").write_text("xyz zebra")
    with pytest.raises(EncodeError, match="no piece can be encoded; 2 skipped"):
        prepare(letters, [str(tmp_path / "new.txt")], SplitSettings(valid=0), fitted=letters.spec)


def test_variants_are_added_to_the_training_data_only(letters, tunes):
    dataset = prepare(letters, [str(tunes)], SplitSettings(valid=0.2), augment=True)
    train, valid = (contents(dataset, letters, split) for split in ("train", "valid"))
    assert sum(word.isupper() for word in train) == len(train) / 2
    assert not any(word.isupper() for word in valid)


def test_fit_knows_which_pieces_are_variants_and_training_pieces_are_viewed(letters, tunes, monkeypatch):
    kind, fitted, viewed = type(letters), {}, []
    fit = kind.fit
    monkeypatch.setattr(
        kind, "fit", lambda self, pieces: fit(self, [fitted.setdefault(each.content, each) for each in pieces])
    )
    monkeypatch.setattr(kind, "training_view", lambda self, piece: viewed.append(piece.content) or piece)
    dataset = prepare(letters, [str(tunes)], SplitSettings(valid=0.2), augment=True)
    assert all(piece.is_variant == word.isupper() for word, piece in fitted.items())
    assert viewed == contents(dataset, letters, "train")


def test_labels_become_indices_of_conditions(letters, tmp_path):
    for author, word in [("burns", "rose"), ("blake", "tiger")]:
        (tmp_path / "poems" / author).mkdir(parents=True)
        (tmp_path / "poems" / author / "1.txt").write_text(word)
    (tmp_path / "more.txt").write_text("tree")
    files, split = [str(tmp_path / "poems"), str(tmp_path / "more.txt")], SplitSettings(valid=0)
    for cached in (False, True):
        dataset = prepare(letters, files, split, conditions=["author"])
        assert dataset.cached == cached
        assert dataset.spec.conditions == {"author": ("blake", "burns")}
        assert dataset.splits["train"].conditions.tolist() == [[0], [1], [-1]]
    assert prepare(letters, files, split).spec.conditions == {}


def test_a_fine_tuning_has_the_conditions_of_the_checkpoint(letters, tunes, tmp_path):
    prepare(letters, [str(tunes)])
    spec = with_conditions(letters.spec, {"author": ("blake", "burns")})
    (tmp_path / "poems" / "burns").mkdir(parents=True)
    (tmp_path / "poems" / "burns" / "1.txt").write_text("abba")
    dataset = prepare(letters, [str(tmp_path / "poems")], SplitSettings(valid=0), fitted=spec)
    assert dataset.spec == spec
    assert dataset.splits["train"].conditions.tolist() == [[1]]


def test_default_conditions_are_labels_that_differ(letters, tunes, tmp_path, monkeypatch):
    monkeypatch.setattr(type(letters), "default_conditions", lambda self: ("author",))
    (tmp_path / "poems" / "burns").mkdir(parents=True)
    (tmp_path / "poems" / "burns" / "1.txt").write_text("rose")
    split = SplitSettings(valid=0)
    assert prepare(letters, [str(tmp_path / "poems")], split).spec.conditions == {}
    both = [str(tmp_path / "poems"), str(tunes / "0.txt")]
    assert prepare(letters, both, split).spec.conditions == {"author": ("burns",)}


def test_frames_are_packed_bits():
    spec = SequenceSpec(StepKind.FRAMES, size=11)
    packed = pack([(), (0, 10), (3,)], spec)
    assert packed.shape == (3, 2)
    assert np.unpackbits(packed, axis=1, count=11).sum(1).tolist() == [0, 2, 1]


@pytest.mark.parametrize(("size", "dtype"), [(256, np.uint8), (257, np.uint16), (70000, np.uint32)])
def test_tokens_have_the_smallest_type(size, dtype):
    assert pack([size - 1], SequenceSpec(StepKind.TOKENS, size=size, end=0)).dtype == dtype


@pytest.mark.parametrize(
    "write", ["staging.PieceFile.append", "staging.PieceFile.close", "shards.ChecksumWriter.write"]
)
def test_a_full_disk_is_an_error_and_leaves_no_files(letters, tunes, home, monkeypatch, write):
    def full(*_):
        raise OSError(28, "No space left on device")

    def usage(folder):
        assert folder == home / "cache"  # its own disk, not the one of /
        return SimpleNamespace(free=7 * 2**20)

    monkeypatch.setattr("shutil.disk_usage", usage)
    monkeypatch.setattr(f"composer.data.{write}", full)
    with pytest.raises(ComposerError, match="No space left on device") as caught:
        prepare(letters, [str(tunes)])
    assert caught.value.hint == "7 MB free there; set COMPOSER_HOME to a folder with more space"
    assert not list((home / "cache").iterdir())


def test_a_disk_too_small_for_the_staged_pieces_is_an_early_error(letters, tunes, home, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=2000))
    monkeypatch.setattr(staging, "FIRST_ESTIMATE_BYTES", 100)
    with pytest.raises(ComposerError, match=r"the encoded pieces need about 0 MB, but .* has only 0 MB free") as caught:
        prepare(letters, [str(tunes)])
    assert "COMPOSER_HOME" in caught.value.hint
    assert type(letters).reads == 1
    assert not list((home / "cache").iterdir())


def test_a_disk_too_small_for_the_steps_is_an_error_before_encoding(letters, tunes, home, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=700))
    monkeypatch.setattr(build_module, "write_split", None)
    with pytest.raises(ComposerError, match="the encoded pieces need about"):
        prepare(letters, [str(tunes)], augment=True)
    assert not list((home / "cache").iterdir())


def test_stdin_is_read_once_and_found_again(letters, monkeypatch):
    def set_stdin(text):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text), closed=False))

    set_stdin(b"rose tiger tree")
    assert prepare(letters, ["-"]).report.pieces["train"] == 3
    set_stdin(b"rose tiger tree")
    assert prepare(letters, ["-"]).cached
    set_stdin(b"rose tiger tree fog")
    assert not prepare(letters, ["-"]).cached


def test_steps_in_many_shards_are_those_in_one(letters, tunes, home, monkeypatch):
    whole = prepare(letters, [str(tunes)], SplitSettings(valid=0.2))
    expected = {split: each.steps[:] for split, each in whole.splits.items()}
    shutil.rmtree(home)
    monkeypatch.setattr(shards, "SHARD_BYTES", 100)
    sharded = prepare(letters, [str(tunes)], SplitSettings(valid=0.2))
    assert len(list((home / "cache").glob("letters-*/train.*.steps"))) > 5
    assert sharded.encoded_digest == whole.encoded_digest
    for split, steps in expected.items():
        assert (sharded.splits[split].steps[:] == steps).all()
        assert sharded.splits[split].count == len(steps)


def test_the_least_recently_used_data_sets_are_removed(letters, tunes, home, monkeypatch):
    def data_sets():
        return {path.name for path in (home / "cache").glob("letters-*")}

    names = []
    for number, used in enumerate([300, 100, 200]):
        before = data_sets()
        prepare(letters, [str(tunes / f"{number}.txt")])
        (name,) = data_sets() - before
        os.utime(home / "cache" / name / "manifest.json", (used, used))
        names.append(name)
    prepare(letters, [str(tunes / "1.txt")])  # used now
    sizes = {name: sum(path.stat().st_size for path in (home / "cache" / name).iterdir()) for name in names}
    cache_dir.prune(home / "cache", home / "cache" / names[2], max_bytes=sizes[names[1]] + sizes[names[2]])
    assert data_sets() == {names[1], names[2]}
    monkeypatch.setattr(cache_dir, "MAX_BYTES", 0)
    prepare(letters, [str(tunes)])
    assert len(data_sets()) == 1


def test_files_of_a_killed_process_are_removed(letters, tunes, home):
    for name, age in [(".making-old", 2 * cache_dir.ABANDONED_SECONDS), (".making-new", 60)]:
        (home / "cache" / name).mkdir(parents=True)
        (home / "cache" / name / "pieces").write_text("half")
        for path in (home / "cache" / name / "pieces", home / "cache" / name):
            os.utime(path, (time.time() - age, time.time() - age))
    prepare(letters, [str(tunes)])
    assert [path.name for path in (home / "cache").glob(".making-*")] == [".making-new"]


def test_a_cache_that_cannot_be_created_is_not_reported_as_a_full_disk(letters, tunes, home):
    home.write_text("a file")
    with pytest.raises(ComposerError, match="cannot write encoded pieces") as caught:
        prepare(letters, [str(tunes)])
    assert caught.value.hint == "set COMPOSER_HOME to a folder that you can write to"


def test_nothing_to_read_is_an_error(letters, tmp_path):
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(ReadError):
        prepare(letters, [str(tmp_path)])
