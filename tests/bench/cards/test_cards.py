"""Cards of models, for one that is trained in a second."""

import subprocess
import sys
from pathlib import Path

import pytest

from composer.checkpoints.file import read_header

SCRIPT = Path(__file__).parent
VERSES = [f"The moon is on the hill, the {number}th\nof many nights\nand it is still." for number in range(40)]


@pytest.fixture
def folder(composer, home, tmp_path):
    """Return a folder with some verses and a model of them."""
    (tmp_path / "verses.txt").write_text("\n\n\n".join(VERSES))
    tiny = ("-O", "piece=gap", "--max-updates", "2", "--set", "hidden=8", "--lr", "0.01", "--quiet", "--name", "verses")
    done = composer("train", "text", tmp_path / "verses.txt", *tiny)
    assert done.code == 0, done.err
    (home / "models" / "verses.safetensors").rename(tmp_path / "text.safetensors")
    return tmp_path


def card(folder, *flags, name="text"):
    """Return the card and the commands that were run for it."""
    folders = ["--models", folder, "--data", folder, "--cache", folder / "cache"]
    done = subprocess.run(
        [sys.executable, SCRIPT, name, *folders, "--count", "2", *flags], capture_output=True, text=True, check=True
    )
    return (folder / "text.md").read_text(), done.stderr.splitlines()


def test_a_card_is_measured_once(folder):
    text, run = card(folder)
    record = read_header(folder / "text.safetensors").record
    assert f"{record['pieces']['train']} for training, {record['pieces']['valid']} held out" in text
    assert f"{record['reported']:.3f} bits per character" in text
    assert "| Sampling | temperature " in text
    settings = "--model lstm --set hidden=8 --max-updates 2 --lr 0.01"
    assert f"composer train text verses.txt -O piece=gap {settings} --name my-text\n" in text
    assert "composer eval text verses.txt --checkpoint text --part valid\n" in text
    assert "\n2 pieces, generated with seed 1 at temperature 1, compared with the 40 pieces of the data" in text
    assert "| lines in the corpus |" in text
    assert str(folder) not in text
    assert len(run) == 7, "five pieces, the likelihood and the comparison"
    next((folder / "cache").glob("text-gen-*")).unlink()
    again, run = card(folder)
    assert (again, len(run)) == (text, 1), "only what is not cached is run again"


def test_a_model_trained_from_an_unknown_one(composer, folder, home):
    first, second = folder / "text.safetensors", ("--max-updates", "1", "--quiet", "--name", "second")
    done = composer("train", "text", folder / "verses.txt", "--from", first, *second)
    assert done.code == 0, done.err
    (home / "models" / "second.safetensors").rename(folder / "abc.safetensors")  # a section without `earlier`
    with pytest.raises(subprocess.CalledProcessError) as error:
        card(folder, name="abc")
    assert error.value.stderr.startswith("abc: trained from another model, and cards.toml has no `earlier` commands")


def test_missing_files(folder):
    (folder / "verses.txt").rename(folder / "poems.txt")
    with pytest.raises(subprocess.CalledProcessError) as error:
        card(folder)
    assert error.value.stderr == "text: missing files; use --data with the folder of verses.txt\n"
