"""`composer help`: the same as --help, or a page of the manual."""

import stat

import pytest

from composer.cli.console import Console
from composer.cli.docs import pages


@pytest.mark.parametrize("words", [(), ("gen",), ("gen", "abc"), ("help",)])
def test_a_command(composer, words):
    found = composer("help", *words)
    assert found.code == 0
    assert found.out == composer(*words, "--help").out


@pytest.mark.parametrize("words", [(), ("gen", "abc"), ("models", "remove")])
def test_lines_fit_the_terminal_and_end_between_words(composer, words):
    wide, narrow = (composer(*words, "--help", COLUMNS=columns).out for columns in ("120", "60"))
    assert max(map(len, narrow.splitlines())) <= 60 < max(map(len, wide.splitlines())) <= 100
    assert narrow.split() == wide.split()


def test_the_help_in_a_pipe_fits_the_terminal_that_the_pipe_leads_to(composer, monkeypatch):
    """A pipe has no width of its own, but the messages go to the terminal."""
    monkeypatch.setattr(Console, "width", property(lambda console: 60))
    assert max(map(len, composer("gen", "--help").out.splitlines())) <= 60


@pytest.mark.parametrize("page", pages.summaries())
def test_a_page_in_a_pipe_is_markdown(composer, page):
    assert composer("help", page).out == pages.text(page)


def test_a_page_on_a_terminal_is_drawn(composer):
    found = composer("help", "training", terminal=True, PAGER="").out
    assert "\x1b[1" in found
    assert "```" not in found
    assert "Duplicates are skipped" in found


def test_a_long_page_opens_in_the_pager(composer, stream, tmp_path, monkeypatch):
    pager = tmp_path / "pager"
    pager.write_text(f"#!/bin/sh\ncat > '{tmp_path}/shown'\n")
    pager.chmod(pager.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(type(stream()), "isatty", lambda self: True)
    found = composer("help", "training", terminal=True, PAGER=str(pager))
    assert not found.data
    assert "Duplicates are skipped" in (tmp_path / "shown").read_text()


def test_an_unknown_topic(composer):
    composer("help", "trainig").failed("unknown help topic 'trainig'", "did you mean `training`?", code=2)
    composer("help", "xyz").failed("choose from formats, models", "gen, play, jam, open, train", code=2)


def test_an_unknown_topic_of_a_command(composer):
    composer("help", "gen", "foo").failed("unknown representation 'foo'", "choose from abc, grid", code=2)
    composer("help", "gen", "lstm").failed("unknown representation 'lstm'", "choose from abc, grid", code=2)
    composer("help", "train", "foo").failed("unknown help topic 'train foo'", "did you mean `train`?", code=2)
