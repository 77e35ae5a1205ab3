"""The commands and their options as plain data, from which completions, man pages and help in the README are made."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from composer.cli.command import COMMANDS, build

DEVICES = ("auto", "cpu", "cuda", "mps")
SHELLS = ("bash", "zsh", "fish", "powershell")


@dataclass(frozen=True, slots=True)
class Parameter:
    """An option (`flags` not empty) or an argument. `metavar` is what stands for its value, empty where it has none."""

    flags: tuple[str, ...]
    metavar: str
    help: str
    group: str
    repeated: bool = False
    required: bool = False

    @property
    def long(self) -> str:
        """The flag without its dashes."""
        return max(self.flags, key=len).lstrip("-")

    @property
    def short(self) -> str:
        """The one letter of the short flag; empty where there is none."""
        return next((flag[1:] for flag in self.flags if len(flag) == 2), "")


@dataclass(frozen=True, slots=True)
class Entry:
    """A command, or the program itself where `name` is empty. `paragraphs` explain it."""

    name: str
    summary: str
    paragraphs: tuple[str, ...]
    arguments: tuple[Parameter, ...]
    options: tuple[Parameter, ...]


def commands() -> list[Entry]:
    """Every command, in the order of the help."""
    return [_entry(name, summary, build(name)) for name, summary in COMMANDS.items()]


def program() -> Entry:
    """The program's own options."""
    from composer.cli.app import command_tree

    return _entry("", "compose music in the terminal", command_tree())


def words_for(metavar: str) -> tuple[str, ...]:
    """The words that a value can be, where they are few and known."""
    from composer.formats import FORMATS

    return {"DEVICE": DEVICES, "SHELL": SHELLS, "FORMAT": tuple(FORMATS), "PLUGIN": ("representations", "models")}.get(
        metavar, ()
    )


LISTS = {"REP": "plugins representations", "MODEL": "plugins models", "PRESET": "presets"}
"""Values that are names which the program lists, and the command that does."""

FILES = frozenset({"FILE", "FILE...", "CHECKPOINT"})
"""Values that are names of files."""


def _entry(name: str, summary: str, command: Any) -> Entry:
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    arguments, options = [], []
    for param in command.params:
        if param.param_type_name == "argument":
            arguments.append(_parameter(param, ()))
        elif not param.hidden:
            options.append(_parameter(param, tuple(sorted(param.opts, key=len))))
    options.append(Parameter(("-h", "--help"), "", "Show this message and exit.", "Options"))
    return Entry(name, summary, tuple(" ".join(p.split()) for p in paragraphs), tuple(arguments), tuple(options))


def _parameter(param: Any, flags: tuple[str, ...]) -> Parameter:
    metavar = "" if getattr(param, "is_flag", False) else param.metavar or param.name.upper()
    return Parameter(
        flags,
        metavar,
        " ".join((param.help or "").split()),
        getattr(param, "rich_help_panel", None) or "Options",
        bool(param.nargs == -1 or param.multiple),
        param.required,
    )
