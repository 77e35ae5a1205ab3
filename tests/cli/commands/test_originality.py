"""`composer originality`: copied passages by tune and bar, and errors."""

import json
from dataclasses import replace

import pytest
from melodies import melodies_of

from composer.api import Source
from composer.checkpoints.file import load, save
from composer.checkpoints.load import restore_representation
from composer.checkpoints.training_melodies import pack_melodies

COPY = """X:1
T:Mine
M:4/4
L:1/8
K:A
ABcA cBAB|Bcde f2ed|c2A2 A4|]

X:2
M:4/4
L:1/8
K:C
C2D2 E2F2|G2A2 B2c2|]
"""


@pytest.fixture
def model(checkpoint, tunes, tmp_path):
    """The small model, with the melodies of its four training tunes."""
    saved = load(checkpoint, half=True)
    representation = restore_representation(saved.header, checkpoint)
    melodies = melodies_of(representation.read(Source(tunes, name="tunes.abc")), representation)
    path = tmp_path / "trained.safetensors"
    save(path, replace(saved, extra=pack_melodies(melodies.to_bytes())))
    return path


@pytest.fixture
def copy(tmp_path):
    path = tmp_path / "copy.abc"
    path.write_text(COPY.replace("Bcde f2ed|c2A2 A4", "ABcd e2dc|B2G2 A4"))
    return path


def test_training_tune(composer, model, tunes):
    result = composer("originality", tunes, "--checkpoint", model)
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0] == (
        f"{tunes}: tune 1 (Over the Fence): 38 notes from bar 1 match Over the Fence (tunes.abc: tune 1) from bar 1"
    )
    assert len(lines) == 4
    assert "16 or more consecutive notes copied from the 4 tunes in trained: 4 of 4 pieces (100.0%)\n" in result.err


def test_transposed_passage(composer, model, copy):
    result = composer("originality", copy, "--checkpoint", model, "--json")
    found = json.loads(result.out)
    assert {key: found[key] for key in ("against", "tunes", "pieces", "copied", "share")} == {
        "against": "trained", "tunes": 4, "pieces": 2, "copied": 0, "share": 0.0,
    }  # fmt: skip
    mine, scale = found["found"]
    assert mine == {
        "piece": f"{copy}: tune 1", "title": "Mine", "notes": 10, "note": 9, "bar": 2,
        "tune": {"title": "Over the Fence", "source": "tunes.abc: tune 1", "note": 1, "bar": 1}, "tunes": 1,
    }  # fmt: skip
    assert (scale["title"], scale["notes"]) == ("", 5)


def test_comparison_with_files(composer, tunes, copy, tmp_path):
    assert composer("gen", "abc", "--count", "2", "--seed", "1", "--output", tmp_path / "g%02d.mid").code == 0
    result = composer("originality", tmp_path / "g01.mid", "--corpus", tmp_path / "g01.mid", "--corpus", tunes)
    assert result.code == 0, result.err
    assert "16 or more consecutive notes copied from the 5 tunes in " in result.err
    assert result.err.endswith(": 1 of 1 piece (100.0%)\n")
    short = composer("originality", tmp_path / "g01.mid", "--corpus", tmp_path / "g01.mid", tunes)
    assert (short.out, short.err) == (result.out, result.err)
    one = composer("originality", f"--corpus={tunes}", tmp_path / "g01.mid", tmp_path / "g02.mid")
    assert " of 2 pieces " in one.err
    after = composer("originality", tmp_path / "g01.mid", f"--corpus={tunes}", tmp_path / "g02.mid")
    assert (after.out, after.err) == (one.out, one.err), "a value after = is the only one"


def test_stdin(composer, process, model):
    done = process("originality", "-", "--checkpoint", model, input=COPY.encode())
    assert done.stdout.decode().startswith("stdin: tune 1 (Mine): ")


def test_chosen_model_for_the_files_by_default(composer, model, tunes, home):
    (home / "models").mkdir(parents=True)
    save(home / "models" / "mine.safetensors", load(model, half=True).with_record(finished=True))
    composer("models", "use", "mine")
    assert " in mine: " in composer("originality", tunes).err


def test_melodies_saved_by_training(composer, tunes, tmp_path):
    small = ("--max-updates", "1", "--set", "hidden=4", "--set", "layers=1")
    done = composer("train", "abc", tunes, "--name", "mine", "--augment", *small)
    assert done.code == 0, done.err
    found = json.loads(composer("originality", tunes, "-c", "mine", "--json").out)
    assert (found["against"], found["copied"]) == ("mine", found["tunes"])
    whole = [each for each in found["found"] if each["notes"] > 16]
    assert whole[0]["tune"] == {"title": whole[0]["title"], "source": "tunes.abc: tune 1", "note": 1, "bar": 1}
    (tmp_path / "more.abc").write_text(tunes.read_text().replace("K:G\n|:G", "K:G\n|:B").replace("Over the", "Under a"))
    done = composer("train", "abc", tmp_path / "more.abc", "--from", "mine", "--name", "yours", "--max-updates", "1")
    assert done.code == 0, done.err
    assert (
        json.loads(composer("originality", tunes, "--checkpoint", "yours", "--json").out)["tunes"] == 2 * found["tunes"]
    )


def test_unreadable_files_are_counted(composer, model, tunes, tmp_path):
    (tmp_path / "some.abc").write_text(f"X:9\nT:Silent\nM:4/4\nL:1/8\nK:C\nz8|\n\n{tunes.read_text()}")
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    result = composer("originality", tmp_path / "some.abc", tmp_path / "broken.mid", "--checkpoint", model)
    assert (result.code, result.out.count("\n")) == (0, 4)
    assert "skipped 1 piece:" in result.err
    assert "broken.mid" in result.err


def test_errors(composer, checkpoint, tunes, tmp_path):
    composer("originality", tunes, "--checkpoint", checkpoint).failed("does not hold the melodies", "--corpus")
    composer("originality", tunes, "--checkpoint", checkpoint).failed("--corpus FILES, or train the model again")
    composer("originality", tunes, "-c", "text").failed("`text` is not music", "use a music file and a music model")
    composer("originality", tunes, "--checkpoint", "none").failed("no model 'none'")
    composer("originality", tunes, "--corpus", tmp_path / "none").failed("no such file or folder")
    composer("originality", tmp_path / "none.abc").failed("no such file or folder")
    composer("originality").failed("FILE", code=2)
    (tmp_path / "words.txt").write_text("no music\n")
    composer("originality", tmp_path / "words.txt", "--corpus", tunes).failed("no music in", "words.txt")
    composer("originality", tunes, "--corpus", tmp_path / "words.txt").failed("no music in", "words.txt")
