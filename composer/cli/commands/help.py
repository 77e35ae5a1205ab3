"""`composer help`: help for a command, or a page of the manual.

The annotations are no strings, since typer would compile each of them twice at every start.
"""

import os
import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from composer.api import UsageError
from composer.api.errors import suggest
from composer.cli.command import COMMANDS, build
from composer.cli.docs import pages

if TYPE_CHECKING:
    from composer.cli.console import Console

WIDEST = 80
"""The columns of a page at most: longer lines are hard to read."""


def help(  # noqa: A001 - the command's name
    context: typer.Context,
    topic: Annotated[
        list[str] | None,
        typer.Argument(metavar="TOPIC", help="A command, or formats, models, plugins, training or tutorial."),
    ] = None,
) -> None:
    """Show help for a command, or a page of the manual.

    The pages are formats, models, plugins, training and tutorial. A terminal shows a long page in the pager; a pipe
    gets Markdown.
    """
    console: Console = context.obj
    name = " ".join(topic or ())
    known = pages.summaries()
    if name in known:
        _show(pages.text(name), console)
    elif not topic or name in COMMANDS or topic[0] == "gen" or _is_subcommand(topic):
        from composer.cli.app import main
        from composer.cli.representation_argument import find_representation

        if topic and topic[1:] and topic[0] == "gen":
            find_representation(" ".join(topic[1:]), "gen")
        raise typer.Exit(main([*(topic or ()), "--help"], console))
    else:
        raise UsageError(f"unknown help topic '{name}'", suggest(name, {**known, **COMMANDS}))


def _is_subcommand(topic: list[str]) -> bool:
    """Return whether these words are a command and one of its subcommands."""
    return topic[0] in COMMANDS and topic[1:] in [[name] for name in getattr(build(topic[0]), "commands", ())]


def _show(page: str, console: "Console") -> None:
    if not console.stdout_is_terminal:
        console.write(page)
        return
    from rich.markdown import Markdown
    from rich.theme import Theme

    canvas = console.rich_console(console.stdout)
    with canvas.use_theme(Theme({"markdown.code": "bold", "markdown.h2": "bold"})), canvas.capture() as drawn:
        canvas.print(Markdown(page, code_theme="ansi_dark", hyperlinks=False), width=min(console.width, WIDEST))
    if not _paged(drawn.get(), console):
        console.write_rendered(drawn.get())


def _paged(text: str, console: "Console") -> bool:
    """Show `text` in the pager if it is longer than the terminal; return False if it is not, or there is no pager."""
    import shutil
    import signal
    import subprocess

    pager = shlex.split(console.environ.get("PAGER", "less"))
    height = shutil.get_terminal_size().lines
    if text.count("\n") < height or not console.stdin.isatty() or not pager or not shutil.which(pager[0]):
        return False
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the pager
    try:
        subprocess.run(pager, input=text.encode(), env={"LESS": "FRX", **os.environ}, check=False)
    finally:
        signal.signal(signal.SIGINT, before)
    return True
