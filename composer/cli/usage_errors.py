"""Turn the parser's usage errors into an error and a hint."""

from __future__ import annotations

import os
import re
import shlex
from difflib import get_close_matches
from typing import Any

RENAMED = {
    "--most": "--limit",
    "--width": "--batch-size",
    "--free": "--unconstrained",
    "--take": "--candidates",
    "--by": "--rank-by",
    "--most-notes": "--max-notes",
    "--most-onsets": "--max-onsets",
    "--most-holds": "--max-sustained",
    "--batch": "--batch-size",
    "--max-steps": "--max-updates",
}
"""Former spellings of options."""


def explain(error: Any) -> tuple[str, str]:
    """Return the message and the hint for one of the parser's errors, whose classes are private but have names."""
    context = getattr(error, "ctx", None)
    fallback = f"see `{_command(context)} --help`"
    match type(error).__name__:
        case "NoSuchOption":
            return _unknown_option(error, context, fallback)
        case "MissingParameter":
            from composer.cli.representation_argument import EXAMPLES

            example = EXAMPLES.get(context.info_name) if context else None
            hint = f"for example: {example}" if example else fallback
            return f"missing argument {_name(error.param)}", hint
        case "BadOptionUsage" if "not take" in error.message:
            return f"option {error.option_name} takes no value", f"use {error.option_name} alone"
        case "BadOptionUsage":
            return f"option {error.option_name} needs a value", fallback
        case "BadParameter" if error.param is not None:
            return f"invalid value for {_name(error.param)}: {_expected(error.message)}", fallback
        case _:
            message = re.sub(
                r"^Got unexpected extra argument.* \((.*)\)", r"unexpected argument '\1'", error.format_message()
            )
            return _plain(message), fallback


def _unknown_option(error: Any, context: Any, fallback: str) -> tuple[str, str]:
    from composer.cli import control_flags

    flag = error.option_name
    if file := _file_named(flag, context):
        return f"unknown option {flag}", f"for the file {file}, write {shlex.quote(f'./{file}')}"
    renamed = RENAMED.get(flag)
    if renamed and context is not None and any(renamed in param.opts for param in context.command.get_params(context)):
        return f"unknown option {flag}", f"it is now called {renamed}"
    if found := control_flags.offered_by(context, renamed or flag):
        return found
    words = {word.lstrip("-"): word for word in error.possibilities or ()}
    close = next((words[word] for word in get_close_matches(flag.lstrip("-"), words)), None)
    near = _other_case(error) or _by_name(error) or close
    more = " (-O sets options of composer train)" if flag == "-O" else ""
    return f"unknown option {flag}", f"did you mean {near}?{more}" if near else fallback


def _file_named(flag: str, context: Any) -> str | None:
    """Return the argument that the parser has taken for the option `flag`, if there is such a file."""
    from composer.cli.command import ARGUMENTS

    arguments = context.meta.get(ARGUMENTS, ()) if context is not None else ()
    return next((each for each in arguments if each.startswith(flag) and os.path.exists(each)), None)  # noqa: PTH110 - Path raises for NUL


def _command(context: Any) -> str:
    """Return the command, with the representation whose controls it has, if any."""
    from composer.cli import control_flags

    if context is None:
        return "composer"
    kind = context.meta.get(control_flags.REPRESENTATION)
    return f"{context.command_path} {kind.name}" if kind else str(context.command_path)


def _other_case(error: Any) -> str | None:
    """Return the option that differs only in case, with its long form."""
    for param in error.ctx.command.params if error.ctx else ():
        if error.option_name.swapcase() in param.opts:
            return " or ".join(sorted(param.opts, key=len))
    return None


def _by_name(error: Any) -> str | None:
    """Return the option whose value has the unknown name in the program, such as --in for `input`."""
    wanted = error.option_name.lstrip("-").replace("-", "_")
    params = error.ctx.command.get_params(error.ctx) if error.ctx else ()
    return next((_name(param) for param in params if param.opts and param.name == wanted), None)


def _name(param: Any) -> str:
    """Return a parameter as the user writes it: its long flag, or the name of an argument."""
    if param.param_type_name == "argument":
        return str(param.metavar or param.name.upper())
    return str(max(param.opts, key=len))


def _expected(message: str) -> str:
    """Return what a value should be, from the parser's message."""
    if re.search(r"\bint(eger)?\b", message):
        return "expected a whole number"
    if re.search(r"\b(float|number)\b", message):
        return "expected a number"
    return _plain(message)


def _plain(text: str) -> str:
    """Return one line without a capital or a full stop."""
    text = " ".join(text.split()).rstrip(".")
    return text[:1].lower() + text[1:]
