"""What typer finds wrong with a command line, in this program's words: a message and a hint."""

from __future__ import annotations

import re
from typing import Any


def explain(error: Any) -> tuple[str, str]:
    """The message and the hint for one of typer's usage errors, whose classes are not public, but their names are."""
    context = getattr(error, "ctx", None)
    fallback = f"`{context.command_path if context else 'composer'} --help` explains it"
    match type(error).__name__:
        case "NoSuchOption":
            from composer.cli import control_flags

            if found := control_flags.elsewhere(context, error.option_name):
                return found
            near = _other_case(error) or (error.possibilities or [None])[0]
            return f"there is no option `{error.option_name}`", f"did you mean `{near}`?" if near else fallback
        case "MissingParameter":
            return f"{_named(error.param)} is missing", _usage(context) or fallback
        case "BadOptionUsage":
            return f"`{error.option_name}` needs a value", fallback
        case "BadParameter" if error.param is not None:
            return f"{_named(error.param)} {_wanted(error.message)}", fallback
        case _:
            return _plain(error.format_message()), _usage(context) or fallback


def _other_case(error: Any) -> str | None:
    """The flag that is the mistaken one in capitals, or in small letters, with its long form, as the hint names it."""
    for param in error.ctx.command.params if error.ctx else ():
        if error.option_name.swapcase() in param.opts:
            return "` or `".join(sorted(param.opts, key=len))
    return None


def _named(param: Any) -> str:
    """A parameter as the user writes it: the longest of its flags, or the name of an argument in the usage line."""
    if param.param_type_name == "argument":
        return str(param.metavar or param.name.upper())
    return f"`{max(param.opts, key=len)}`"


def _wanted(message: str) -> str:
    """What a value should be, from typer's complaint that it is not."""
    if re.search(r"\bint(eger)?\b", message):
        return "needs a whole number"
    if re.search(r"\b(float|number)\b", message):
        return "needs a number"
    return f"cannot be so: {_plain(message)}"


def _usage(context: Any) -> str | None:
    return " ".join(context.get_usage().split()).replace("Usage:", "usage:") if context else None


def _plain(text: str) -> str:
    """One line, in backquotes instead of quotes, without a capital or a full stop."""
    text = re.sub(r"'([^']*)'", r"`\1`", " ".join(text.split())).rstrip(".")
    return text[:1].lower() + text[1:]
