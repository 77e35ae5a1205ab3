"""Runs of many pieces, and interruptions."""

import pytest

from composer.cli.gen import run
from composer.cli.output import many_files
from composer.generation.request import Finished, Generated

COUNT = 9


@pytest.fixture
def gen(composer, checkpoint):
    """`composer gen abc` with the small model: nine short pieces, four at a time."""

    def run(*arguments, count=COUNT, **terminal):
        given = ("--checkpoint", checkpoint, "--length", 60, "--count", count, "--batch-size", 4)
        seed = () if {"--seed", "--resume"} & set(arguments) else ("--seed", 3)
        return composer("gen", "abc", *given, *seed, *arguments, **terminal)

    return run


@pytest.fixture
def interrupt(monkeypatch):
    """Press Ctrl-C in the middle of the piece after so many, or kill the process."""

    def arrange(pieces, killed=False, patched=monkeypatch):
        def interrupted(*arguments, **options):
            ended = 0
            for event in generate(*arguments, **options):
                if ended == pieces and isinstance(event, Generated):
                    yield event
                    raise KeyboardInterrupt
                ended += isinstance(event, Finished)
                yield event

        generate = run.generate
        patched.setattr(run, "generate", interrupted)
        if killed:
            patched.setattr(many_files, "SECONDS_BETWEEN_RECORDS", -1.0 if pieces % 2 else 1e9)
            for kind in (many_files.NumberedFiles, many_files.SingleFile):
                patched.setattr(kind, "close", lambda self, finished: None)

    return arrange


@pytest.fixture
def contents():
    """Every file in a folder, hidden ones too, by name."""

    def read(folder):
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    return read


@pytest.fixture
def whole(gen, contents, tmp_path_factory, known={}):  # noqa: B006 - generated once for all tests
    """What an uninterrupted run writes: numbered files, and one file."""
    if not known:
        folder = tmp_path_factory.mktemp("whole")
        gen("--output", folder / "files" / "%02d.abc")
        gen("--output", folder / "whole.abc")
        assert not list(folder.glob(".*"))
        known["files"], known["stream"] = contents(folder / "files"), (folder / "whole.abc").read_bytes()
        assert sorted(known["files"]) == [f"{number:02}.abc" for number in range(1, COUNT + 1)]
    return known["files"], known["stream"]
