"""`composer open`: the page is written or opened, and the errors; its content is tested with `composer.pictures`."""

import os
import sys
import webbrowser
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from composer.pictures.page import document


class Browser:
    """A browser that notes the addresses that it is asked to open."""

    def __init__(self, name="firefox", works=True):
        self.name, self.works, self.opened = name, works, []

    def open(self, address):
        self.opened.append(address)
        return self.works


@pytest.fixture
def opened(monkeypatch):
    """Addresses that the browser was asked to open."""
    browser = Browser()
    monkeypatch.setattr(webbrowser, "get", lambda: browser)
    return browser.opened


def test_page_is_opened(composer, tunes, opened):
    result = composer("open", tunes)
    assert (result.code, result.out) == (0, "")
    (address,) = opened
    path = Path(unquote(urlparse(address).path))
    assert f"opened {path} in the browser" in result.err
    assert path.read_text("utf-8").count("<article") == 4
    assert "<title>Over the Fence and 3 others</title>" in path.read_text("utf-8")


def test_pages_of_one_name_and_old_pages(composer, tunes, tmp_path, opened, monkeypatch):
    twin = tmp_path / "twin" / tunes.name
    twin.parent.mkdir()
    twin.write_bytes(tunes.read_bytes())
    for file in (tunes, twin, tunes):
        assert composer("open", file).code == 0
    first, second, again = (Path(unquote(urlparse(address).path)) for address in opened)
    assert first == again != second
    monkeypatch.setattr("composer.cli.commands.open.MAX_PAGES_BYTES", 1)
    assert composer("open", twin).code == 0
    assert [*first.parent.iterdir()] == [second]


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="all file names are text")
def test_a_file_name_that_is_no_text(composer, tunes, tmp_path, opened):
    file = tmp_path / os.fsdecode(b"caf\xe9.abc")
    file.write_bytes(b"X:1\nK:C\nCDEF|\n")
    assert composer("open", file).code == 0
    assert "<title>caf</title>" in Path(unquote(urlparse(opened[0]).path)).read_text("utf-8")


def test_page_is_written(composer, tunes, tmp_path, opened):
    page = tmp_path / "new" / "two.html"
    result = composer("open", "-", "--limit", "2", "-o", page, stdin=tunes.read_bytes())
    assert result.code == 0, result.err
    assert f"wrote {page} (created {page.parent})" in result.err
    assert "--limit N shows more" in result.err
    assert opened == []
    assert "The Wet Field" in page.read_text("utf-8")
    composer("open", tunes, "-o", page).failed("already exists", "--force")
    assert composer("open", tunes, "--tune", "3", "-o", page, "--force").code == 0
    assert "<title>Early</title>" in page.read_text("utf-8")


@pytest.mark.parametrize("browser", [None, Browser(works=False), Browser("/usr/bin/lynx")])
def test_no_browser(composer, tunes, monkeypatch, browser):
    def get():
        if browser is None:
            raise webbrowser.Error("could not locate runnable browser")
        return browser

    monkeypatch.setattr(webbrowser, "get", get)
    result = composer("open", tunes)
    result.failed("no web browser can be started", "open this file in one:")
    assert Path(result.err.rstrip().rpartition(": ")[2]).is_file()


def test_files_that_cannot_be_read_do_not_stop_the_others(composer, tunes, tmp_path, opened):
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    (tmp_path / "empty.abc").write_bytes(b"")
    result = composer("open", tmp_path / "bad.mid", tmp_path / "empty.abc", tunes)
    assert result.code == 1
    assert "error: 2 files could not be read" in result.err
    assert result.err.count("warning:") == 2 + ("no sheet music" in result.err)
    assert len(opened) == 1
    composer("open", tmp_path / "bad.mid", tmp_path / "empty.abc").failed("2 files could not be read")
    composer("open", tmp_path / "bad.mid").failed("bad.mid")
    assert len(opened) == 1


def test_too_many_pieces(composer, tunes, monkeypatch, opened):
    monkeypatch.setattr(document, "MAX_PIECES", 3)
    composer("open", tunes).failed("more than 3 pieces are too many", "--limit 1")
    assert opened == []


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["nosuch.abc"], "no such file or folder: nosuch.abc", 1),
        (["abc"], "abc is a model, not a piece", 2),
        (["{tunes}", "-o", "a.pdf"], "composer open cannot write a.pdf", 2),
        (["{tunes}", "--force"], "--force needs --output", 2),
        (["{tunes}", "--tune", "9"], "has no piece 9", 1),
        (["{tunes}", "--limit", "0"], "invalid value for --limit: '0'", 2),
        ([], "FILE", 2),
    ],
)
def test_bad_input(composer, tunes, opened, arguments, words, code):
    composer("open", *(each.format(tunes=tunes) for each in arguments)).failed(words, code=code)
    assert opened == []


def test_text_has_no_notes(composer, tmp_path):
    (tmp_path / "song.txt").write_text("Row, row\n")
    composer("open", tmp_path / "song.txt").failed("song.txt is text, which has no notes", "composer show")
