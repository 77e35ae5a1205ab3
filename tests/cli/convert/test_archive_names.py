"""The files that `composer convert` writes for the members of an archive, whatever their names are."""

import zipfile

import pytest

TUNE = "X:1\nT:ok\nM:4/4\nL:1/4\nK:G\nGABc|d2e2|G4|c4|]\n"


@pytest.fixture
def convert(composer, tmp_path, monkeypatch):
    """Convert an archive with members of these names into the folder `new`; return the result and the new files."""
    monkeypatch.chdir(tmp_path)

    def run(*names, arguments=()):
        with zipfile.ZipFile("tunes.zip", "w") as archive:
            for name in names:
                archive.writestr(name, TUNE)
        result = composer("convert", "tunes.zip", "--to", "midi", "-o", "new/", *arguments)
        folder = tmp_path / "new"
        return result, sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.mid"))

    return run


def test_hostile_names(convert):
    result, files = convert("..", "\x1b[31m/new\nline.abc", "\u202egpj.abc", "../up.abc", "/root.abc")
    assert result.code == 0, result.err
    assert files == ["%1B[31m/new%0Aline.mid", "%E2%80%AEgpj.mid", "root.mid", "unnamed.mid", "up.mid"]


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_names_that_cannot_be_written(convert, force):
    long = "x" * 300 + ".abc", "d/" * 3000 + "x.abc", "\x1b" * 100 + ".abc"
    result, files = convert("a.abc", "a.mid/b.abc", "%1B.abc", "\x1b.abc", *long, "z.abc", arguments=force)
    assert files == ["%1B.mid", "a.mid", "z.mid"]
    assert result.code == 1
    for words in ("5 of 8 pieces could not be converted", "a.mid was already written from", "is too long"):
        assert words in result.err
    assert max(map(len, result.err.splitlines())) < 1000
