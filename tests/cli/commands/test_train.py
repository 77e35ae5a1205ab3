"""`composer train`: names, resuming, fine-tuning, snapshots."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from composer.checkpoints import file as checkpoints
from composer.checkpoints import store
from composer.checkpoints.training_files import LOCK, training_folder
from composer.training import optimizer as optimizers

QUICK = (
    "--set",
    "hidden=8",
    "--set",
    "layers=1",
    "--set",
    "embedding=4",
    "--batch-size",
    "4",
    "--set",
    "seq_length=16",
)


@pytest.fixture
def train(composer):
    """Train a tiny model."""

    def run(*arguments, steps=4):
        return composer("train", "abc", *arguments, *QUICK, "--max-updates", steps)

    return run


@pytest.fixture
def many(tmp_path):
    """Return a folder with two files of different tunes, and a file that is not music."""
    folder = tmp_path / "many"
    folder.mkdir()
    for part in range(2):
        tunes = [
            f"X:{number}\nM:4/4\nL:1/8\nK:G\n|:{'GABcdefg'[number % 8]}2AB c2{'dcBA'[number % 4]}2|{bar}:|\n"
            for number, bar in enumerate((f"G{a}A{8 - a}" for a in range(1, 8)), 8 * part)
        ]
        (folder / f"{part}.abc").write_text("\n".join(tunes * 1))
    (folder / "photo.abc").write_bytes(b"\x89PNG\0")
    return folder


def test_the_model_is_saved_and_used_by_default(train, composer, tunes):
    result = train(tunes, "--name", "mine")
    assert result.code == 0, result.err
    assert not result.data
    assert store.path_for("mine").is_file()
    assert "generate: composer gen abc" in result.err
    assert composer("gen", "abc", "--length", "100", "--seed", "1").out.startswith("X:1")
    assert "mine" in composer("plugins").out


def test_unreadable_files_are_named(train, many):
    result = train(many, "--name", "mine")
    assert result.code == 0, result.err
    assert "warning: " in result.err
    assert "photo.abc is not a text file" in result.err


def test_default_name(train, tunes):
    train(tunes)
    train(tunes)
    assert sorted(own.name for own in store.user_models()) == ["abc-2", "abc-3"]


def test_an_existing_name_needs_resume_or_force(train, tunes):
    train(tunes, "--name", "mine")
    before = store.path_for("mine").read_bytes()
    train(tunes, "--name", "mine").failed("'mine' already exists", "--resume", "--force")
    assert store.path_for("mine").read_bytes() == before
    assert train(tunes, "--name", "mine", "--force", "--seed", "1").code == 0
    assert store.path_for("mine").read_bytes() != before


def test_settings_are_checked_before_names(train, tunes):
    train(tunes, "--name", "mine")
    train(tunes, "--name", "mine", "--set", "hiden=9").failed("'hiden'", "did you mean `hidden`?", code=2)


def test_bf16_is_checked_before_reading(train, tmp_path, monkeypatch):
    monkeypatch.setattr(optimizers, "bf16_obstacle", lambda device: "it has no such units")
    refused = train(tmp_path / "absent.abc", "--set", "precision=bf16", "--device", "cpu")
    refused.failed("`cpu` cannot train in bf16: it has no such units", "--set precision=fp32")


def test_resuming_gives_the_weights_of_an_uninterrupted_run(train, composer, tunes):
    train(tunes, "--name", "whole", "--set", "schedule=constant", steps=6)
    train(tunes, "--name", "parts", "--set", "schedule=constant", steps=3)
    result = composer("train", "abc", "--name", "parts", "--resume", "--max-updates", "6")
    assert result.code == 0, result.err
    whole, parts = (checkpoints.load(store.path_for(name)) for name in ("whole", "parts"))
    assert all((whole.weights[name] == parts.weights[name]).all() for name in whole.weights)


def test_resuming_without_a_name(train, composer, tunes):
    train(tunes, "--name", "older")
    train(tunes, "--name", "newer")
    result = composer("train", "abc", "--resume", "--max-updates", "6")
    assert result.code == 0, result.err
    assert result.err.count("resuming newer from update 4\n") == 1
    assert "resuming older" in composer("train", "abc", "--resume", "--name", "older", "--max-updates", "6").err
    assert "resuming" not in composer("train", "abc", "--resume", "--max-updates", "8", "--quiet").err


def test_resuming_without_a_state(train, tunes):
    start = f"start it: composer train abc {tunes} --name gone"
    train(tunes, "--name", "gone", "--resume").failed("no `abc` training run named 'gone'", start)
    lock = training_folder(store.path_for("gone")) / LOCK
    lock.parent.mkdir(parents=True)
    lock.touch()  # as a killed process leaves it
    train(tunes, "--name", "gone", "--resume").failed("'gone' ended before it was first saved", start)


def test_output_is_a_copy_of_the_model(train, tunes, tmp_path):
    copy = tmp_path / "new" / "copy.safetensors"
    result = train(tunes, "--name", "mine", "--output", copy)
    assert result.code == 0, result.err
    assert f"wrote {copy}\n" in result.err
    assert copy.read_bytes() == store.path_for("mine").read_bytes()


def test_output_is_checked_before_training(train, tunes, tmp_path):
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(b"precious")
    train(tunes, "--name", "mine", "-o", copy).failed(f"{copy} already exists", "--force")
    train(tunes, "--name", "mine", "-o", "copy.bin").failed("'copy.bin'", "--output copy.safetensors", code=2)
    train(tunes, "--name", "mine", "-o", tmp_path).failed(f"--output {tmp_path}/mine.safetensors", code=2)
    train(tunes, "--name", "mine", "-o", copy / "in.safetensors").failed("cannot write", "--output")
    assert copy.read_bytes() == b"precious"
    assert not store.path_for("mine").exists()
    assert train(tunes, "--name", "mine", "-o", copy, "--force").code == 0
    assert copy.read_bytes() == store.path_for("mine").read_bytes()


def test_resuming_keeps_the_output(train, composer, tunes, tmp_path):
    copy, other = tmp_path / "copy.safetensors", tmp_path / "other.safetensors"
    train(tunes, "--name", "mine", "--output", copy)
    before = copy.read_bytes()
    resume = ("train", "abc", "--name", "mine", "--resume", "--max-updates")
    assert composer(*resume, 6).code == 0
    assert before != copy.read_bytes() == store.path_for("mine").read_bytes()
    other.write_bytes(b"precious")
    composer(*resume, 8, "--output", other).failed(f"{other} already exists", "--force")
    assert composer(*resume, 8, "--output", other, "--force").code == 0
    assert before != other.read_bytes() == store.path_for("mine").read_bytes()
    assert composer(*resume, 9, "--output", other).code == 0, "its own output needs no --force"


def test_fine_tuning(train, composer, tunes, checkpoint):
    result = composer("train", "abc", tunes, "--from", checkpoint, "--name", "finer", "--max-updates", "2")
    assert result.code == 0, result.err
    composer("train", "abc", tunes, "--from", checkpoint, "-O", "text=raw").failed("--from", "-O", code=2)


def test_fine_tuning_without_improvement_is_a_warning(composer, tunes, checkpoint, tmp_path):
    held_out = tmp_path / "held-out.abc"
    held_out.write_text("X:1\nM:4/4\nL:1/8\nK:G\n|:B2GB A2FA|G2F2 G4:|\n")
    options = ("--valid", held_out, "--name", "worse", "--max-updates", "1", "--lr", "1000", "--quiet")
    result = composer("train", "abc", tunes, "--from", checkpoint, *options)
    assert result.code == 0, result.err
    assert "warning: no improvement on the held-out pieces, so worse is a copy of the old model" in result.err


@pytest.mark.parametrize(
    ("setting", "was"), [("tied=on", "off"), ("hidden=20", "16"), ("layers=2", "1"), ("embedding=5", "8")]
)
def test_settings_that_do_not_fit_the_weights(composer, checkpoint, tmp_path, setting, was):
    key = setting.partition("=")[0]
    composer(
        "train", "abc", tmp_path / "nowhere.abc", "--from", checkpoint, "--set", "dropout=0.5", "--set", setting
    ).failed(f"'small' was trained with {key}={was}", f"--set {key}={was}", code=2)


def test_settings_that_may_change(composer, tunes, checkpoint):
    other = ("--set", "dropout=0.5", "--set", "hidden=16", "--max-updates", "1", "--name", "finer")
    assert composer("train", "abc", tunes, "--from", checkpoint, *other).code == 0


def test_json(train, tunes):
    events = [json.loads(line) for line in train(tunes, "--json", "--quiet").out.splitlines()]
    assert [event["event"] for event in events][:2] == ["prepared", "started"]
    assert events[-1]["event"] == "finished"
    assert events[-1]["reason"] == "done"


def test_snapshots(train, tunes):
    result = train(tunes, "--name", "mine", "--snapshots", "0,2")
    folder = training_folder(store.path_for("mine"))
    assert result.code == 0, result.err
    for update in (0, 2):
        assert (folder / f"update-{update}.abc").read_text().startswith("X:1")
        assert f"update {update}: " in result.err
    for wrong in ("soon", "-5"):
        train(tunes, "--snapshots", wrong).failed("--snapshots", "0,500,1000", code=2)


def test_epochs_of_a_model_that_counts_are_an_error(composer, tunes):
    result = composer("train", "abc", tunes, "--model", "markov", "--epochs", "3", "-q")
    result.failed("model `markov` sets its own number of epochs", "leave out --epochs", code=2)
    assert not store.path_for("abc-2").exists()


def test_default_temperature(train, tunes):
    """It is kept when the run is resumed or fine-tuned, and can be changed then; snapshots are sampled at it."""

    def recorded(name):
        return checkpoints.read_header(store.path_for(name)).record["default_temp"]

    train(tunes, "--name", "mine", "--default-temp", "0.25", "--snapshots", "2")
    assert recorded("mine") == 0.25
    train(tunes, "--name", "other", "--snapshots", "2")
    first, second = (training_folder(store.path_for(name)) / "update-2.abc" for name in ("mine", "other"))
    assert first.read_text() != second.read_text()
    train("--name", "mine", "--resume", steps=5)
    assert recorded("mine") == 0.25
    train(tunes, "--name", "tuned", "--from", "mine", steps=1)
    assert recorded("tuned") == 0.25
    train("--name", "mine", "--resume", "--default-temp", "0.5", steps=5)
    assert recorded("mine") == 0.5
    train(tunes, "--default-temp", "-1").failed("invalid value for --default-temp: '-1'", code=2)


def test_snapshots_after_the_end_are_a_warning(train, tunes):
    result = train(tunes, "--snapshots", "2,99,100", steps=2)
    assert result.err.count("warning: --snapshots 99,100: training ends at update 2") == 1


def test_snapshots_after_epochs(train, tunes):
    result = train(tunes, "--name", "mine", "--snapshots", "1e,900e", steps=30)
    assert result.code == 0, result.err
    (snapshot,) = training_folder(store.path_for("mine")).glob("update-*.safetensors")
    assert checkpoints.read_header(snapshot).record["update"] > 0
    assert "warning: --snapshots 900e: training ends at update 30" in result.err
    for wrong in ("e", "1.5e", "2e3"):
        train(tunes, "--snapshots", wrong).failed(f"invalid value for --snapshots: '{wrong}'", "10e,20e", code=2)


@pytest.mark.parametrize(
    ("began", "asked"),
    [
        ((), ("--augment", "--set", "contiguous=on")),
        ((), ("--augment", "--preset", "charrnn-abc")),
        (("--augment",), ("--resume", "--set", "contiguous=on")),
        (("--set", "contiguous=on"), ("--resume", "--augment")),
        (("--set", "contiguous=on"), ("--from", "mine", "--name", "other", "--augment", "--set", "contiguous=on")),
    ],
)
def test_augment_excludes_contiguous(train, tunes, began, asked):
    if began:
        assert train(tunes, "--name", "mine", *began).code == 0
    name = () if "--name" in asked else ("--name", "mine")
    train(tunes, *asked, *name).failed("--augment cannot be combined with --set contiguous=on", "--from", code=2)
    assert not store.path_for("other").exists()


def test_augment_without_effect_is_a_warning(train, tunes, tmp_path):
    assert "--augment" not in train(tunes, "--augment", "--name", "moved").err
    without_keys = tmp_path / "without_keys.abc"
    without_keys.write_text(tunes.read_text().replace("\nK:", "\nK:none %"))
    result = train(without_keys, "--augment", "-O", "text=raw", "--name", "raw")
    assert result.err.count("warning: `abc` has no variants of these pieces, so --augment has no effect") == 1


def test_a_piece_without_notes(train, tunes, tmp_path):
    (tmp_path / "some.abc").write_text(tunes.read_text() + "\n\nT:only words\nz8|\n")
    result = train(tmp_path / "some.abc", "-O", "text=raw", "--name", "raw")
    assert "no notes, such as " in result.err
    assert all(line.count("line ") < 2 for line in result.err.splitlines())


def test_a_name_with_a_space_is_quoted(train, tunes, monkeypatch):
    monkeypatch.setattr("composer.cli.train.run._StopSignal.requested", lambda self: True)
    result = train(tunes, "--name", "my tunes")
    assert result.code == 130
    assert 'composer train abc --name "my tunes" --resume' in result.err


def test_training_in_a_thread(train, tunes):
    """A thread cannot handle signals."""
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(train, tunes, "--name", "mine").result()
    assert result.code == 0, result.err


def test_an_unreached_phase_is_a_warning(composer, tunes, many):
    result = composer(
        *(
            "train",
            "pianoroll",
            many / "0.abc",
            "--valid",
            tunes,
            "--name",
            "mine",
            "--model",
            "rnnrbm",
            "--batch-size",
            "2",
        ),
        *("--set", "hidden=4", "--set", "recurrent=4", "--set", "seq_length=16", "--max-updates", "2"),
    )
    assert result.code == 0, result.err
    assert result.err.count("warning: training ends in `pretraining`, before the first update of `train`") == 1
    assert "\npretraining: update 2/2" in result.err
    assert "\npretraining: update 2: validation" in result.err
    assert "done after 2 updates; best validation" in result.err


def test_a_model_too_large_for_memory(composer, tunes):
    result = composer("train", "abc", tunes, "--name", "huge", "--set", "hidden=300000000", "--quiet")
    result.failed("the file of this model would have ", "more than 256 MB", "hint: train a ")
    assert composer("train", "abc", tunes, "--name", "huge", *QUICK, "--max-updates", "1").code == 0


def test_resuming_needs_only_the_name(train, composer, tunes, many):
    train(tunes, "--valid", many / "0.abc", "--name", "divided", steps=2)
    result = composer("train", "abc", "--name", "divided", "--resume", "--max-updates", 4)
    assert result.code == 0, result.err
    assert store.path_for("divided").is_file()


def test_held_out_files_without_a_piece_that_can_be_used(composer, tmp_path):
    """Symbols that the training data does not have cannot be encoded."""
    (tmp_path / "words.txt").write_text("so many words, so few of them used\n" * 5)
    (tmp_path / "odd.txt").write_text("Żółw\n")
    options = ("--model", "markov", "--name", "odd", "--valid", tmp_path / "odd.txt")
    said = composer("train", "text", tmp_path / "words.txt", *options)
    said.failed("no piece of the --valid files can be used; 1 skipped: ", "odd.txt", "leave it out to hold out")
    assert not store.path_for("odd").exists()
    (tmp_path / "more.txt").write_text("so few many\n")
    assert composer("train", "text", tmp_path / "words.txt", *options, tmp_path / "more.txt").code == 0


def test_resuming_a_fine_tuning(train, composer, tunes, many):
    train(tunes, many / "0.abc", "--name", "first", steps=2)
    start = ("--from", store.path_for("first"), "--name", "second")
    assert composer("train", "abc", many / "1.abc", *start, "--max-updates", 2).code == 0
    result = composer("train", "abc", "--name", "second", "--resume", "--max-updates", 4)
    assert result.code == 0, result.err
    assert checkpoints.read_header(store.path_for("second")).record["updates"] == 4
