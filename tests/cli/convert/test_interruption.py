"""What a conversion that is interrupted leaves, and says, and how the rest is converted."""

import json

import pytest

from composer.cli.convert import destination


@pytest.mark.parametrize(
    ("force", "hint"),
    [((), "convert the others with --resume"), (("--force",), "repeat the command with --force")],
)
def test_an_interruption_says_what_was_written(composer, tunes, tmp_path, monkeypatch, force, hint):
    save = destination.ToFolder.save

    def save_two(self, path, data, label):
        if len(self.written) == 2:
            raise KeyboardInterrupt
        return save(self, path, data, label)

    monkeypatch.setattr(destination.ToFolder, "save", save_two)
    (tmp_path / "out").mkdir()
    done = composer("convert", tunes, "-o", f"{tmp_path / 'out'}/", "--to", "midi", *force)
    wrote = f"wrote 2 files to {tmp_path / 'out'}; {hint}"
    assert done.err.endswith(f"{wrote}\ninterrupted\n")
    assert len([*(tmp_path / "out").iterdir()]) == 2


def test_resume_converts_the_others_only(composer, tunes, tmp_path):
    command = ("convert", tunes, "-o", f"{tmp_path / 'out'}/", "--to", "midi")
    assert composer(*command).code == 0
    first, second, *_ = sorted((tmp_path / "out").iterdir())
    second.unlink()
    first.write_bytes(b"mine")
    refused = composer(*command)
    assert "error: the files of 3 of 4 pieces already exist\nhint: convert only the others with --resume" in refused.err
    assert second.exists()  # the only one that was not there
    second.unlink()
    resumed = composer(*command, "--resume", "--json")
    assert resumed.err.startswith(f"wrote {second}; kept 3 files in {tmp_path / 'out'}\n")
    document = json.loads(resumed.out)
    assert [piece["output"] for piece in document["pieces"]] == [str(second)]
    assert str(first) in document["kept"]
    assert first.read_bytes() == b"mine"


def test_resume_keeps_collections(composer, tunes, tmp_path):
    command = ("convert", tunes, "-o", f"{tmp_path / 'out'}/", "--to", "abc")
    assert composer(*command).code == 0
    again = composer(*command, "--resume")
    assert (again.code, again.err) == (0, f"kept 1 file in {tmp_path / 'out'}\n")


def test_resume_replaces_nothing_of_another_source(composer, tunes, tmp_path):
    """The second source of a name is a conflict in a resumed run too, and an input is never an output."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.abc").write_text("X:1\nM:4/4\nL:1/4\nK:G\nGABc|\n")
    command = ("convert", "-q", tmp_path / "a", tmp_path / "b", "-o", tmp_path / "out", "--to", "midi")
    composer(*command).failed("one.mid was already written from", code=1)
    composer(*command, "--resume").failed("one.mid was already written from", code=1)
    composer("convert", tmp_path / "out", "-o", tmp_path / "out", "--to", "midi", "--resume").failed("is the input")


def test_resume_needs_a_folder(composer, tunes, tmp_path):
    convert = ("convert", tunes, "--resume")
    composer(*convert, "-o", tmp_path / "%d.mid").failed("--resume needs a folder", "--to midi --output midi/", code=2)
    composer(*convert, "-o", tmp_path / "out", "--to", "midi", "--force").failed("cannot be used together", code=2)
