"""`composer open`: music as a web page with sheet music and a piano roll that can be played."""

# No `from __future__ import annotations`: the strings would be evaluated at every start.

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from composer.api import ComposerError, ReadError, Source, UsageError
from composer.api.fields import check_ranges, option
from composer.cli.options_from import OptionsCommand
from composer.cli.output.files import check_replaceable, new_folder_note, save
from composer.cli.render.reading_progress import MAX_UNREADABLE, ReadingProgress
from composer.cli.render.text import count_noun

if TYPE_CHECKING:
    from composer.cli.console import Console
    from composer.pictures.roll import RollPiece

SUFFIXES = (".html", ".htm")
MAX_NAME = 40
"""Maximum characters of the name of a page in the cache, before the digest."""
MAX_PAGES_BYTES = 200 * 1024**2
"""Size of the pages in the cache above which the oldest are removed."""
TEXT_BROWSERS = frozenset({"www-browser", "links", "elinks", "lynx", "w3m"})
"""Browsers for terminals, which are the default where there is no screen."""


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """Options of `composer open`. Raises UsageError, OptionError."""

    files: tuple[str, ...] = option(help="Music files, folders, or - for stdin.", argument="FILE...", repeated=True)
    tune: int | None = option(
        None, "Show only piece N of each file.", metavar="N", minimum=1, maximum=2**63, hint="use 1 or more"
    )
    limit: int = option(
        12, "Maximum number of pieces of each file.", metavar="N", minimum=1, maximum=2**63, hint="use 1 or more"
    )
    output: Path | None = option(None, "Write the page to this file, and do not open it.", "-o", metavar="FILE")
    force: bool = option(False, "Overwrite an existing file.")

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.output is None and self.force:
            raise UsageError("--force needs --output", "add --output tune.html, for example")
        if self.output is not None and self.output.suffix.lower() not in SUFFIXES:
            hint = f"use --output {self.output.stem or 'tune'}.html, or composer convert for other formats"
            raise UsageError(f"composer open cannot write {self.output}", hint)


def open(console: "Console", options: OpenOptions) -> None:  # noqa: A001 - the name of the command
    """Open music in the browser: sheet music and a piano roll that plays, on one page.

    The pieces of all files are side by side, so that you can compare them. The space bar plays and pauses, the arrow
    keys move by a bar, n and p go to the next and the previous tune, and r repeats. Click on a note to play from there.
    The page changes the tempo and mutes voices, and it prints as sheet music.

    The page is a single file that works without a network: with --output, you can send it to others. Sheet music needs
    the extra `pictures`: pip install 'composer-cli[pictures]'
    """
    from composer.pictures.page.document import MAX_PIECES

    if options.output is not None:
        check_replaceable(options.output, force=options.force)
    found = _Found(console, options)
    data = _draw(console, list(islice(found, MAX_PIECES + 1)))
    if options.output is not None:
        note = new_folder_note(options.output.parent)
        save(options.output, data, replace=options.force)
        console.say(f"wrote {options.output}{note}")
    else:
        _show(console, data, _page_name(found.name, options.files))
    found.report()


def make_command(summary: str) -> OptionsCommand:
    """Return the command for the parser."""
    return OptionsCommand("open", open, OpenOptions, summary)


class _Found:
    """The pieces to show; files that cannot be read do not stop the others."""

    def __init__(self, console: "Console", options: OpenOptions) -> None:
        self._console, self._options = console, options
        self._failures: list[ReadError] = []
        self.name = ""
        """The name of the first file that can be read."""

    def __iter__(self) -> Iterator["RollPiece"]:
        """Yield the pieces that are audible. Raises ReadError if there is none, UsageError for a model."""
        from composer.cli.show.arguments import named

        count, silent = 0, 0
        for source in named(self._options.files, self._console):
            try:
                for piece in self._of(source):
                    if piece.score.is_audible:
                        count += 1
                        yield piece
                    else:
                        silent += 1
            except ReadError as error:
                self._failures.append(error)
        if count == 0:
            self.report()
            raise ReadError(f"no notes in {', '.join(self._options.files)}", "name a file with notes in it")
        if silent:
            self._console.say(f"skipped {count_noun(silent, 'piece')} without notes")

    def _of(self, source: Path | Source | ReadError) -> Iterator["RollPiece"]:
        from composer.cli.show.pictures import roll_pieces
        from composer.cli.show.selection import is_text

        if isinstance(source, ReadError):
            raise source
        if isinstance(source, Path):
            hint = f"to hear a new tune: composer gen --checkpoint {source.stem} | composer open -"
            raise UsageError(f"{source.stem} is a model, not a piece", hint)
        if is_text(source):
            raise ReadError(f"{source.label} is text, which has no notes", f"composer show {source.label}")
        yield from roll_pieces(self._console, source, self._options)
        self.name = self.name or source.path.stem

    def report(self) -> None:
        """Raise ReadError if something could not be read, after naming the first files."""
        if len(self._failures) == 1:
            raise self._failures[0]
        for error in self._failures[:MAX_UNREADABLE]:
            self._console.warn(error.message)
        if self._failures:
            message = f"{len(self._failures):,} files could not be read"
            raise ReadError(message, "`composer check` says what is wrong with a file")


def _draw(console: "Console", pieces: list["RollPiece"]) -> bytes:
    """Return the page, and say what it lacks. Raises ComposerError if it would be too large."""
    from composer.pictures.page.document import draw_page

    title = pieces[0].score.title or pieces[0].name
    if len(pieces) > 1:
        title = f"{title} and {count_noun(len(pieces) - 1, 'other')}"
    with ReadingProgress(console) as progress:
        page = draw_page(pieces, title, lambda done: progress.update_share("drawing", done, len(pieces)))
    for reason, names in page.not_engraved.items():
        without = f" for {count_noun(len(names), 'piece')}" if len(pieces) > 1 else ""
        console.warn(f"no sheet music{without}: {reason}")
    return page.document


def _show(console: "Console", data: bytes, name: str) -> None:
    """Write the page into the cache, where the next one of this name replaces it, and open it in the browser."""
    from composer.system.cache_dir import prune_files
    from composer.system.paths import cache_folder

    path = cache_folder() / "pages" / name
    save(path, data, replace=True)
    with suppress(OSError):
        prune_files(path.parent, MAX_PAGES_BYTES, keep=path)
    if not _open_in_browser(path.absolute().as_uri()):
        raise ComposerError("no web browser can be started here", f"open this file in one: {path}")
    console.say(f"opened {path} in the browser; --output keeps a copy")


def _page_name(name: str, files: Sequence[str]) -> str:
    """Return a file name for the page of `files`, the first of them called `name`; others of this name have another."""
    from hashlib import blake2b

    plain = "".join(letter if letter.isalnum() else "-" for letter in name)[:MAX_NAME].strip("-")
    paths = "\0".join(os.path.abspath(file) if file != "-" else file for file in files)  # noqa: PTH100 - links stay
    digest = blake2b(os.fsencode(paths), digest_size=4).hexdigest()
    return f"{plain or 'tune'}-{digest}.html"


def _open_in_browser(address: str) -> bool:
    """Open a page in the default browser; return False if there is none that shows graphics."""
    import webbrowser

    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    return Path(browser.name).name not in TEXT_BROWSERS and browser.open(address)
