"""Completions, man pages and the help in README.md, made anew from the command tree: `make docs`."""

from __future__ import annotations

import io
import re
import sys
from calendar import month_name
from pathlib import Path

from composer.checkpoints import store
from composer.cli.app import command_tree, main
from composer.cli.command import CONTEXT
from composer.cli.commands import completions
from composer.cli.console import Console
from composer.cli.docs import command_tree as tree
from composer.cli.docs import man_pages

COMPLETIONS = {"bash": "composer.bash", "zsh": "_composer", "fish": "composer.fish", "powershell": "composer.ps1"}
"""The name of each shell's script, as the shell wants it."""


def documents(root: Path) -> dict[Path, str]:
    """Every generated file of the repository at `root`, with the content that it should have."""
    found = {root / "completions" / name: completions.script(shell) for shell, name in COMPLETIONS.items()}
    commands = tree.commands()
    date = _date((root / "CHANGELOG.md").read_text("utf-8"))
    for entry in (tree.program(), *commands):
        name = f"composer-{entry.name}.1" if entry.name else "composer.1"
        found[root / "man" / name] = man_pages.page(entry, commands if not entry.name else [], date)
    readme = root / "README.md"
    found[readme] = _with_help(readme.read_text("utf-8"))
    return found


def write(root: Path) -> None:
    """Write every generated file, and a new tune into the README where there is a model to compose it."""
    for path, content in documents(root).items():
        if path.name == "README.md":
            content = _with_tune(content)  # noqa: PLW2901
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, "utf-8", newline="\n")


def help_text(name: str) -> str:
    """The help of a command (of the program, where `name` is empty) at 80 columns."""
    program = command_tree()
    settings = {**CONTEXT, "terminal_width": 80}
    with program.make_context("composer", ["--version"], resilient_parsing=True, **settings) as context:
        if not name:
            return str(context.get_help())
        command = program.get_command(context, name)
        with command.make_context(name, [], parent=context, resilient_parsing=True, **settings) as inner:
            return str(inner.get_help())


def _with_help(readme: str) -> str:
    """The README with the block after each `<!-- help NAME -->` filled in."""

    def block(match: re.Match[str]) -> str:
        return f"<!-- help {match[1]} -->\n```\n{help_text(match[1].replace('composer', ''))}\n```"

    return re.sub(r"<!-- help (\w+) -->\n```\n(?:.*?\n)??```", block, readme, flags=re.DOTALL)


def _with_tune(readme: str) -> str:
    """The README with a tune, and how its picture begins, after `<!-- tune OPTIONS -->`.

    It is no part of `documents`, since another processor may compose another tune.
    """
    model = store.bundled("abc")

    def block(match: re.Match[str]) -> str:
        command = f"composer gen abc {match[1]}"
        tune = _run(*command.split()[1:], "--checkpoint", str(model))
        caption, beginning, *_ = _run("show", "-", stdin=tune).split("\n\n")
        tune = _cut(tune.strip())
        shown = f"$ {command} | tee tune.abc\n{tune}\n\n$ composer show tune.abc\n{caption}\n\n{beginning}\n..."
        return f"<!-- tune {match[1]} -->\n```\n{shown}\n```"

    if model is None:
        return readme
    return re.sub(r"<!-- tune (.*?) -->\n```\n(?:.*?\n)??```", block, readme, flags=re.DOTALL)


def _cut(text: str) -> str:
    """`text` without what goes beyond 80 columns, as what a tune says of how it was made does."""
    return re.sub(r"^(.{77}).{4,}$", r"\1...", text, flags=re.MULTILINE)


def _run(*arguments: str, stdin: str = "") -> str:
    """What the program writes to stdout."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    console = Console(io.TextIOWrapper(io.BytesIO(stdin.encode())), out, err, {"COLUMNS": "80"})
    if main([*arguments], console) != 0:
        raise SystemExit(f"`composer {' '.join(arguments)}` fails")
    out.seek(0)
    return out.read()


def _date(changelog: str) -> str:
    """The date of the newest version in the changelog, as man pages write it."""
    found = re.search(r"^## .*?(\d{4})-(\d\d)-(\d\d)", changelog, re.MULTILINE)
    if found is None:
        raise SystemExit("CHANGELOG.md names no version with its date")
    return f"{month_name[int(found[2])]} {int(found[3])}, {found[1]}"


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
