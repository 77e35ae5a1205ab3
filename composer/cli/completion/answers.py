"""What the program answers the completion scripts: the candidates for a command line, as each shell needs them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, suppress
from io import StringIO
from typing import TYPE_CHECKING, Any, NamedTuple

from composer.cli.completion.scripts import LINE, WORD
from composer.cli.completion.values import with_values

if TYPE_CHECKING:
    from composer.cli.console import Console

CURSOR = "\0"
"""Marks the end of a command line, so that a last word of no letters is a word too."""
_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
"""A word that no shell takes apart."""


class Candidate(NamedTuple):
    """What the last word may become, and its explanation."""

    word: str
    help: str = ""


def answer(program: Any, request: str, console: Console) -> int:
    """Print the candidates for the command line in the environment, and nothing else; return the exit code."""
    shell = request.rpartition("_")[2]
    build = program.get_command
    program.get_command = lambda context, name: with_values(build(context, name))
    with suppress(Exception), redirect_stderr(StringIO()):  # a line that cannot be parsed has no candidates
        console.write("".join(f"{line}\n" for line in _ANSWERS[shell](program)))
        return 0
    return 1


def _tabbed(program: Any) -> Iterator[str]:
    """Yield the candidates for zsh and fish, which quote them themselves."""
    *words, last = _split(os.environ.get(LINE, "") + CURSOR)
    return (f"{each.word}\t{each.help}" for each in _candidates(program, words[1:], last.removesuffix(CURSOR)))


def _quoted(program: Any) -> Iterator[str]:
    """Yield the candidates for bash, quoted, and without what comes before the part of the word that it replaces.

    Bash takes words apart at `=` and `:`, and a quote that is open stays open.
    """
    *words, last = _split(os.environ.get(LINE, "") + CURSOR)
    part, typed = os.environ.get(WORD, ""), last.removesuffix(CURSOR)
    replaced = "" if not part.strip("=:") else _split(part + CURSOR)[-1].removesuffix(CURSOR)
    kept = typed.removesuffix(replaced)
    for each in _candidates(program, words[1:], typed):
        if each.word.startswith(kept) and (quoted := _for_bash(each.word.removeprefix(kept), part[:1])) is not None:
            yield quoted


def _for_bash(word: str, opening: str) -> str | None:
    """Return a word as it is typed after an `opening` quote, if that is one; None if it cannot be."""
    if opening == "'":
        return None if "'" in word else word
    if opening == '"':
        return re.sub(r'[\\"$`]', r"\\\g<0>", word)
    return word if _PLAIN.fullmatch(word) else re.sub(r"[^\w@%+=:,./-]", r"\\\g<0>", word)


def _for_powershell(program: Any) -> Iterator[str]:
    """Yield the candidates for the script of typer."""
    typed = os.environ.get("_TYPER_COMPLETE_WORD_TO_COMPLETE", "")
    words = _split(os.environ.get("_TYPER_COMPLETE_ARGS", ""))
    for each in _candidates(program, words[1:-1] if typed else words[1:], typed.strip("'\"")):
        quoted = "'" + each.word.replace("'", "''") + "'"
        yield f"{each.word if _PLAIN.fullmatch(each.word) else quoted}:::{each.help or ' '}"


_ANSWERS = {"bash": _quoted, "zsh": _tabbed, "fish": _tabbed, "powershell": _for_powershell, "pwsh": _for_powershell}


def _candidates(program: Any, words: list[str], typed: str) -> Iterator[Candidate]:
    """Yield what the last word may become, which is `typed` so far; nothing that a terminal would obey."""
    from typer._click.shell_completion import ShellComplete

    option = re.match("--[^=]+=", typed)
    complete = ShellComplete.get_completions
    answerer: Any = type("Answerer", (), {"cli": program, "ctx_args": {}, "prog_name": "composer"})()
    for item in complete(answerer, words, typed):
        word = (option[0] if option else "") + str(item.value)
        if item.type == "plain" and word.isprintable():
            yield Candidate(word, "".join(each if each.isprintable() else " " for each in item.help or ""))


def _split(line: str) -> list[str]:
    """Return the words of a command line, the last of which may be unfinished."""
    from typer._click.shell_completion import split_arg_string

    return split_arg_string(line)
