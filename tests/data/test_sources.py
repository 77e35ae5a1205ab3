"""Arguments: files, folders, patterns, archives, music21's corpora, and invalid ones."""

import io
import os
import zipfile
from functools import partialmethod
from pathlib import Path

import pytest

from composer.api import ReadError, Source
from composer.data import sources as sources_module
from composer.data.sources import public_name, sources, suffixes_in
from composer.formats.read import MUSIC_SUFFIXES


def names(arguments, suffixes=(".txt",)):
    return [source if isinstance(source, ReadError) else source.name for source in sources(arguments, suffixes)]


def test_a_folder_is_read_by_name_and_suffix(tmp_path):
    for name in ["b.txt", "a.txt", "a.mid", ".hidden.txt", "z/c.TXT", ".git/d.txt"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    found = list(sources([str(tmp_path)], (".txt",)))
    assert [source.path.relative_to(tmp_path).as_posix() for source in found] == ["a.txt", "b.txt", "z/c.TXT"]
    assert {source.root for source in found} == {tmp_path}


def test_a_named_file_is_read_whatever_its_suffix(tmp_path):
    path = tmp_path / "tune.music"
    path.write_text("x")
    assert names([str(path)]) == [str(path)]


def test_what_several_arguments_name_is_read_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("jigs.txt", "reels.txt"):
        (tmp_path / name).write_text("x")
    assert names(["reels.txt", "./reels.txt", "."]) == ["reels.txt", "jigs.txt"]
    assert names([".", str(tmp_path / "reels.txt")]) == ["jigs.txt", "reels.txt"]
    twice = list(sources(["jigs.txt", "jigs.txt"], (".txt",), repeats=True))
    assert len(twice) == 2, "as asked for"


def test_a_pattern_matches_below_folders(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "1.txt").write_text("x")
    assert names([str(tmp_path / "**" / "*.txt")]) == [str(tmp_path / "a" / "b" / "1.txt")]
    with pytest.raises(ReadError, match="no files match"):
        names([str(tmp_path / "*.abc")])


def test_an_empty_name_is_not_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jigs.txt").write_text("x")
    assert names(["."]) == ["jigs.txt"]
    with pytest.raises(ReadError, match="empty file name"):
        names([""])


def test_a_missing_file_is_an_error_before_anything_is_read(tmp_path):
    (tmp_path / "jigs.txt").write_text("x")
    with pytest.raises(ReadError, match=r"no such file or folder: .*jig\.txt") as caught:
        next(iter(sources([str(tmp_path / "jigs.txt"), str(tmp_path / "jig.txt")], (".txt",))))
    assert "jigs.txt" in caught.value.hint


def test_no_argument_is_an_error():
    with pytest.raises(ReadError, match="nothing to read"):
        list(sources([], (".txt",)))


def test_the_members_of_an_archive(tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ["b/2.txt", "a/1.txt", "readme.md", "__MACOSX/a/1.txt"]:
            archive.writestr(name, f"text of {name}")
    found = list(sources([str(path)], (".txt",)))
    assert [(source.path.relative_to(source.root).as_posix(), source.text()) for source in found] == [
        ("a/1.txt", "text of a/1.txt"),
        ("b/2.txt", "text of b/2.txt"),
    ]


def test_an_archive_that_expands_too_much_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(sources_module, "MAX_ARCHIVE", 1000)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"{number}.txt", "0" * 400)
    (error,) = sources([str(path)], (".txt",))
    assert error.message.startswith(f"{path} unpacks to ")
    assert "COMPOSER_LIMITS=2" in error.hint
    monkeypatch.setenv("COMPOSER_LIMITS", "2")
    assert [source.text() for source in sources([str(path)], (".txt",))] == ["0" * 400] * 5


def test_one_large_member_costs_only_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(Source, "__init__", partialmethod(Source.__init__, limit=1000))
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "0" * 1001)
        archive.writestr("b.txt", "0" * 1000)
    large, fine = sources([str(path)], (".txt",))
    assert "a.txt unpacks to more than" in large.message
    assert len(fine.bytes()) == 1000


def test_the_directory_of_an_archive_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr("composer.system.archives.MAX_DIRECTORY_BYTES", 200)
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(10):
            archive.writestr(f"{number}.txt", "")
    (error,) = sources([str(path)], (".txt",))
    assert error.message.startswith(f"the directory of the archive {path} is larger than")
    monkeypatch.undo()
    monkeypatch.setattr("composer.system.archives.MAX_MEMBERS", 9)
    (error,) = sources([str(path)], (".txt",))
    assert error.message == f"{path} has 10 files, more than 9"
    assert "COMPOSER_LIMITS=2" in error.hint


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no devices on this system")
def test_a_named_device_is_read_once_up_to_the_limit(monkeypatch):
    monkeypatch.setattr(Source, "__init__", partialmethod(Source.__init__, limit=1 << 20))
    (error,) = sources(["/dev/zero"], (".txt",))
    assert error.message == "/dev/zero is larger than 1 MB"
    (empty,) = sources(["/dev/null"], (".txt",))
    assert empty.data == b""


def test_a_broken_archive_and_a_broken_member_are_named(tmp_path):
    path = tmp_path / "broken.zip"
    path.write_bytes(b"PK\3\4 nothing more")
    (error,) = sources([str(path)], (".txt",))
    assert "broken.zip" in error.message
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("good.txt", "good")
        archive.writestr("wrong.txt", "before")
    path.write_bytes(path.read_bytes().replace(b"before", b"behind"))
    good, wrong = sources([str(path)], (".txt",))
    assert good.text() == "good"
    assert isinstance(wrong, ReadError)
    assert "wrong.txt" in wrong.message


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"abc")))
    (source,) = sources(["-"], (".txt",))
    assert (source.name, source.text()) == ("stdin", "abc")


def test_standard_input_without_end_is_read_up_to_the_limit(monkeypatch):
    class Endless(io.RawIOBase):
        def read(self, size=-1):
            assert size >= 0, "nobody may read all of it"
            return bytes(size)

    monkeypatch.setattr(sources_module, "MAX_SOURCE_BYTES", 1 << 20)
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"closed": False, "buffer": Endless()}))
    (source,) = sources(["-"], (".txt",))
    assert len(source.data) == (1 << 20) + 1


@pytest.fixture
def corpora(tmp_path, monkeypatch):
    """A fake music21 package."""
    package = tmp_path / "site" / "music21"
    for name in ["jigsAndReels/one.txt", "jigsAndReels/two.txt", "airs/three.txt"]:
        path = package / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (package / "__init__.py").write_text("raise AssertionError('music21 must not be imported for this')")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(__import__("sys").modules, "music21", raising=False)


@pytest.mark.usefixtures("corpora")
def test_a_music21_corpus_is_found_without_importing_it():
    assert names(["corpus:jigsandreels"]) == ["corpus:jigsAndReels/one.txt", "corpus:jigsAndReels/two.txt"]
    assert names(["corpus:jigsAndReels/t*.txt"]) == ["corpus:jigsAndReels/two.txt"]


@pytest.mark.usefixtures("corpora")
def test_an_unknown_corpus_suggests_the_nearest():
    with pytest.raises(ReadError, match="no corpus 'jigsAndReel'") as caught:
        names(["corpus:jigsAndReel"])
    assert "corpus:jigsAndReels" in caught.value.hint
    with pytest.raises(ReadError) as caught:
        names(["corpus:zzz"])
    listed = ", ".join(caught.value.hint.removeprefix("did you mean ").removesuffix("?").split(" or ")).split(", ")
    assert all(each.startswith("corpus:") for each in listed), caught.value.hint
    assert caught.value.hint.count(" or ") == 1 or len(listed) == 1


def test_public_names_have_no_folders(tmp_path):
    assert public_name(str(tmp_path / "my tunes")) == "my tunes"
    assert public_name("corpus:airs/*.abc") == "corpus:airs/*.abc"


def test_members_with_absolute_names_stay_below_their_archive(tmp_path):
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("/rooted.abc", "../above.abc", "sub/plain.abc"):
            archive.writestr(name, "X:1")
    found = list(sources([str(path)], (".abc",)))
    assert [each.path.relative_to(each.root).as_posix() for each in found] == [
        "above.abc",
        "rooted.abc",
        "sub/plain.abc",
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_in_a_folder_is_skipped(tmp_path):
    os.mkfifo(tmp_path / "pipe.abc")
    (tmp_path / "tune.abc").write_text("X:1")
    assert [each.path.name for each in sources([str(tmp_path)], (".abc",))] == ["tune.abc"]


def test_a_closed_standard_input_is_an_error(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ReadError, match="stdin is closed"):
        list(sources(["-"], (".abc",)))


def test_an_unreadable_standard_input_is_an_error(tmp_path, monkeypatch):
    with (tmp_path / "written").open("w") as stream:
        monkeypatch.setattr("sys.stdin", stream)
        with pytest.raises(ReadError, match="cannot read stdin"):
            list(sources(["-"], (".txt",)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_encodings(encoding):
    content = "año nuevo\r\nnaïve\r\n".encode(encoding)
    assert Source(Path("a.txt"), data=content).text() == "año nuevo\nnaïve\n"


def test_binary_data_is_not_text():
    with pytest.raises(ReadError, match="not a text file"):
        Source(Path("a.txt"), data=b"a\0b").text()


MIDI = bytes.fromhex("4d546864 00000006 0000 0001 0060  4d54726b 0000000c  00903c50 60803c00 00ff2f00")
TUNE = b"X:1\nT:Reel\nK:D\nABcd|\n"


@pytest.fixture
def mixed(tmp_path):
    """A folder of music and other files, many without suffix."""
    contents = {
        "a.kar": MIDI, "b.RMI": MIDI, "c.smf": MIDI, "d.mid": MIDI, "reel": TUNE, "prelude": MIDI, "02. Jig": MIDI,
        "take.1": MIDI, "README": b"words", "Makefile": b"all:\n", "empty": b"", "photo.jpg": MIDI,
        "sub/etude": MIDI,
    }  # fmt: skip
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_karaoke_files_and_music_without_suffix_are_found_by_content(mixed):
    found = [source.path.relative_to(mixed).as_posix() for source in sources([str(mixed)], MUSIC_SUFFIXES)]
    assert found == ["02. Jig", "a.kar", "b.RMI", "c.smf", "d.mid", "prelude", "reel", "take.1", "sub/etude"]
    found = [source.path.relative_to(mixed).as_posix() for source in sources([str(mixed)], (".abc",))]
    assert found == ["reel"]
    assert list(sources([str(mixed)], (".txt",))) == []


def test_music_without_suffix_in_an_archive(mixed, tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("prelude", "README", "reel", "a.kar", "photo.jpg"):
            archive.write(mixed / name, name)
    found = [source.path.name for source in sources([str(path)], (".mid", ".kar"))]
    assert found == ["a.kar", "prelude"]


def test_files_without_suffix_are_counted(mixed):
    counts = suffixes_in([str(mixed)])
    assert counts[""] == 8
    assert counts[".kar"] == 1
