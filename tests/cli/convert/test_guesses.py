"""What `composer convert` takes broken ABC for is a warning, with the first place and a command that names all."""

import zipfile

BROKEN = "X:1\nL:1/4\nK:C\nCE1/0G|\n\nX:2\nL:1/4\nK:C\nC?E1/0(G)|\n"


def test_one_tune(composer, tmp_path):
    path = tmp_path / "my: tune.abc"
    path.write_text(BROKEN.partition("\n\n")[2])
    named, check = f"{path}: tune 2, line 4, column", f"for details: composer check '{path}'"
    err = composer("convert", path, "--to", "musicxml").err
    assert sorted(err.splitlines()) == [
        f"{path}: tune 2: 1 slur left out",
        f"warning: 1 impossible note length changed, in {named} 3; {check}",
        f"warning: 1 unknown character left out, in {named} 2; {check}",
    ]


def test_many_tunes(composer, tmp_path):
    path = tmp_path / "a.abc"
    path.write_text(BROKEN)
    lines = composer("convert", path, "-o", tmp_path / "a.%d.mid").err.splitlines()
    guessed = f"{path}: tune 1, line 4, column 2; for details: composer check {path}"
    assert f"warning: 2 impossible note lengths changed, the first in {guessed}" in lines
    assert "     1  slur left out" in lines


def test_the_command_reads_the_archive_or_stdin(composer, tmp_path):
    archive = tmp_path / "tunes.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("inside/a.abc", "X:1\nK:C\nC?|\n")
    assert composer("convert", archive, "--to", "midi").err.endswith(f"; for details: composer check {archive}\n")
    assert composer("convert", "-", "--to", "midi", stdin=b"X:1\nK:C\nC?|\n").err.endswith(
        "; for details: composer check -\n"
    )
