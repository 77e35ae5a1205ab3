"""File name patterns such as `tunes/%06d.abc`."""

import pytest

from composer.cli.output.filename_pattern import FilenamePattern


@pytest.mark.parametrize(
    ("text", "number", "name", "record"),
    [
        ("tunes/%06d.abc", 7, "tunes/000007.abc", "tunes/.%06d.abc.composer"),
        ("%d/%d [x].mid", 12, "12/12 [x].mid", ".%d%-%d [x].mid.composer"),
        ("a/100% %d/b.abc", 3, "a/100% 3/b.abc", "a/.100% %d%-b.abc.composer"),
    ],
)
def test_pattern_finds_its_files(monkeypatch, tmp_path, text, number, name, record):
    monkeypatch.chdir(tmp_path)
    pattern = FilenamePattern.parse(text)
    assert pattern.path(number).as_posix() == name
    assert pattern.record.as_posix() == record
    assert list(pattern.existing()) == []
    pattern.path(number).parent.mkdir(parents=True, exist_ok=True)
    pattern.path(number).write_text("X:1\n")
    pattern.path(number).with_name("1 of another kind.txt").write_text("")
    assert [found for found, _ in pattern.existing()] == [number]


def test_name_without_a_number():
    assert FilenamePattern.parse("100%.abc") is None
