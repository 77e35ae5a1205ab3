"""The cards of the bundled models, of one that was taught in a second."""

import subprocess
import sys
from pathlib import Path

import pytest

from composer.checkpoints.file import read_header

SCRIPT = Path(__file__).with_name("cards.py")
VERSES = [f"The moon is on the hill, the {number}th\nof many nights\nand it is still." for number in range(40)]


@pytest.fixture
def folder(composer, home, tmp_path):
    """A folder with a model of some verses, and the verses."""
    (tmp_path / "verses.txt").write_text("\n\n\n".join(VERSES))
    tiny = ("-o", "piece=gap", "--max-updates", "2", "--set", "hidden=8", "--lr", "0.01", "--quiet", "--name", "text")
    done = composer("train", "text", tmp_path / "verses.txt", *tiny)
    assert done.code == 0, done.err
    (home / "models" / "text.safetensors").rename(tmp_path / "text.safetensors")
    return tmp_path


def card(folder, *flags):
    """The card, and the commands that were run for it."""
    places = ["--models", folder, "--data", folder, "--kept", folder / "kept"]
    done = subprocess.run(
        [sys.executable, SCRIPT, "text", *places, "--count", "2", *flags], capture_output=True, text=True, check=True
    )
    return (folder / "text.md").read_text(), done.stderr.splitlines()


def test_a_card_is_measured_once(folder):
    told, run = card(folder)
    record = read_header(folder / "text.safetensors").record
    assert f"{record['pieces']['train']} were learnt from; {record['pieces']['valid']} were held back" in told
    assert f"{record['reported']:.3f} bits per character" in told
    assert "composer train text verses.txt -o piece=gap --set hidden=8 --max-updates 2 --lr 0.01 --name text\n" in told
    assert "composer eval text verses.txt --checkpoint text --part valid\n" in told
    assert "\n2 pieces, composed with seed 1 at temperature 1, beside the 40 of its data" in told
    assert "| lines that the corpus has |" in told
    assert str(folder) not in told
    assert len(run) == 7, "five pieces, what steps cost, and what it composes beside its data"
    next((folder / "kept").glob("text-gen-*")).unlink()
    again, run = card(folder)
    assert (again, len(run)) == (told, 1), "only what is not kept is run again"


def test_a_model_that_began_with_another_of_which_nothing_is_known(composer, folder, home):
    first, second = folder / "text.safetensors", ("--max-updates", "1", "--quiet", "--name", "second")
    done = composer("train", "text", folder / "verses.txt", "--from", first, *second)
    assert done.code == 0, done.err
    (home / "models" / "second.safetensors").replace(first)
    with pytest.raises(subprocess.CalledProcessError) as error:
        card(folder)
    assert error.value.stderr.startswith("text: it began with another model, and nothing says `earlier`")


def test_files_that_are_not_there(folder):
    (folder / "verses.txt").rename(folder / "poems.txt")
    with pytest.raises(subprocess.CalledProcessError) as error:
        card(folder)
    assert error.value.stderr == "text: give with --data the folder that has verses.txt\n"
