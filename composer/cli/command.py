"""Commands, each imported from its own module only when it is called, and their help.

Help is formatted without rich, whose import takes as long as everything else together.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from composer.api import UsageError
from composer.api.errors import OptionsError

COMMANDS = {
    "gen": "Generate music with a trained model.",
    "play": "Play music, with the piano roll, or write it as WAV.",
    "jam": "Play live: compose without end, or answer a keyboard.",
    "open": "Open music in the browser: sheet music and a piano roll that plays.",
    "train": "Train a model on your own music.",
    "eval": "Evaluate a model on music it was not trained on.",
    "presets": "List presets that reproduce published systems.",
    "check": "Check music files for errors.",
    "originality": "Find passages copied from the training data.",
    "similar": "Find the most similar pieces, as a model hears them.",
    "map": "Draw a map of a collection by similarity.",
    "convert": "Convert music files to other formats.",
    "harmonize": "Harmonize a melody with voices or chord symbols.",
    "replay": "Reproduce a generated file from its recorded settings.",
    "show": "Show music as a piano roll or picture, or print text or a model card.",
    "models": "List and manage trained models.",
    "config": "List and set defaults of options.",
    "plugins": "List installed plugins and trained models.",
    "completions": "Print a shell completion script.",
    "help": "Show help for a command, or a manual page.",
    "version": "Print the version.",
}
"""Commands and their summaries; each is a function in the module of `module_of`, which has its name."""

DEFAULTS = "composer.defaults"
"""Key of a context's `meta` for a function that sets the defaults of a command, its context and its arguments."""

LEAVE_OUT = "composer.leave_out"
"""Key of a context's `meta` for a function that leaves out a default which an error is about, or returns False."""

ARGUMENTS = "composer.arguments"
"""Key of a context's `meta` for the arguments that could not be parsed."""

FOLDERS = {"similar": "hidden_states", "map": "hidden_states"}
"""The folder in `composer.cli.commands` of commands that are not in it directly."""


MIN_HELP_WIDTH = 50
"""Columns below which the help has no room for options and their explanations side by side."""


class HelpToConsole:
    """A command whose --help is written to its console."""

    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)  # type: ignore[misc]
        option.callback = _help
        return option

    def get_help(self, ctx: Any) -> str:
        """Return the help in lines that fit the console, whose width is that of the terminal even in a pipe."""
        if ctx.obj is not None:
            ctx.terminal_width = max(min(ctx.obj.width, ctx.max_content_width) - 2, MIN_HELP_WIDTH)
        return str(super().get_help(ctx))  # type: ignore[misc]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help without breaking lines inside options such as --keep-bars."""
        from typer._click._textwrap import TextWrapper

        TextWrapper.wordsep_re = TextWrapper.wordsep_simple_re
        super().format_help(ctx, formatter)  # type: ignore[misc]


class Command(HelpToConsole, TyperCommand):
    """A command whose help groups options by their `rich_help_panel`, in two columns."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments, after setting the user's defaults, and attach this command to errors that have none."""
        if DEFAULTS in ctx.meta and ctx.parent is not None and ctx.parent.parent is None:
            ctx.meta[DEFAULTS](self, ctx, args)
        given = tuple(args)  # the parser empties the list
        try:
            return super().parse_args(ctx, args)
        except typer.TyperException as error:
            ctx.meta[ARGUMENTS] = given
            if getattr(error, "ctx", ctx) is None:
                error.ctx = ctx  # type: ignore[attr-defined]
            raise

    def make_parser(self, ctx: Any) -> Any:
        """Return the parser, in which an option of several files takes those that follow it."""
        parser: Any = super().make_parser(ctx)
        parser._match_long_opt = partial(_match_long_option, parser, parser._match_long_opt)
        return parser

    def invoke(self, ctx: Any) -> Any:
        """Call the command, again without a default from the configuration file as long as one does not suit it.

        After the command has begun to generate or to write, its errors are final.
        """
        if LEAVE_OUT not in ctx.meta:
            return self.call(ctx)
        ctx.obj.keep_stdin()
        while True:
            try:
                return self.call(ctx)
            except OptionsError as error:
                if ctx.obj.has_begun or not ctx.meta[LEAVE_OUT](error):
                    raise
                ctx.obj.read_again()

    def call(self, ctx: Any) -> Any:
        """Call the command's function with what the parser found."""
        return super().invoke(ctx)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return ["[OPTIONS]", *(_usage_name(param) for param in self.params if param.param_type_name == "argument")]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        groups: dict[str, list[tuple[str, str]]] = {"Arguments": []}
        for param in self.get_params(ctx):
            if param.param_type_name == "argument":
                groups["Arguments"].append((_usage_name(param), getattr(param, "help", None) or ""))
            elif record := param.get_help_record(ctx):
                groups.setdefault(getattr(param, "rich_help_panel", None) or "Options", []).append(record)
        groups["Options"] = groups.pop("Options", [])
        width = max(len(flags) for rows in groups.values() for flags, _ in rows)
        for title, rows in ((title, rows) for title, rows in groups.items() if rows):
            with formatter.section(title):
                formatter.write_dl([(flags.ljust(width), text) for flags, text in rows])


class LazyGroup(HelpToConsole, TyperGroup):
    """The program's commands; only the one that is called is imported."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return build(cmd_name) if cmd_name in COMMANDS else None

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Return the commands that begin so, without importing them, or else options."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        from typer._click.shell_completion import CompletionItem

        return [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise UsageError(f"unknown command '{args[0]}'", _suggestion(args[0]))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def build(name: str) -> Any:
    """Return the command `name`, from the function of that name in its module."""
    module = import_module(module_of(name))
    if hasattr(module, "make_command"):
        return module.make_command(COMMANDS[name])
    app = plain_app()
    app.command(name, cls=Command, short_help=COMMANDS[name], context_settings=CONTEXT)(getattr(module, name))
    return typer.main.get_command(app)


def module_of(name: str) -> str:
    """Return the full name of the module of the command `name`."""
    return ".".join(["composer.cli.commands", *filter(None, [FOLDERS.get(name)]), name])


def plain_app(**settings: Any) -> typer.Typer:
    """Return a Typer app without rich help, its own error pages and its own completion."""
    return typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False, **settings)


CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _help(ctx: Any, param: Any, requested: bool) -> None:
    if requested and not ctx.resilient_parsing:
        ctx.obj.write(ctx.get_help() + "\n")
        raise typer.Exit


def _match_long_option(
    parser: Any, match: Callable[[str, str | None, Any], None], name: str, value: str | None, state: Any
) -> None:
    """Let the option `name` take its value; an option of several files takes those that follow it as well.

    It takes the words up to the next option if each argument of the command has a word. Before that, the words that
    follow are needed as arguments: `similar --corpus tunes/ tune.abc`. After `--corpus=FILE`, it takes none of them.
    """
    match(name, value, state)
    option = parser._long_opt[name]
    if value is not None or not (option.obj.multiple and str(option.obj.metavar).endswith("...")):
        return
    while len(state.largs) >= len(parser._args) and state.rargs and not _is_option(state.rargs[0]):
        option.process(state.rargs.pop(0), state)


def _is_option(word: str) -> bool:
    """Return whether a word is an option, or ends them; a single `-` is stdin."""
    return len(word) > 1 and word.startswith("-")


def _usage_name(argument: Any) -> str:
    """Return an argument as it appears in the usage line."""
    name = str(argument.metavar or argument.name.upper())
    return name if argument.required else f"[{name}]"


def _suggestion(given: str) -> str:
    near = get_close_matches(given, COMMANDS, 1)
    if near:
        return f"did you mean: composer {near[0]}"
    from composer.registry import plugins as registry

    if given in registry.plugin_names():
        return f"did you mean: composer gen {given}"
    return "see `composer --help`"
