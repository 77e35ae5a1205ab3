"""A command with subcommands, such as `composer models`; each takes its options from a dataclass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from typer.core import TyperGroup

from composer.api import UsageError
from composer.cli.command import CONTEXT, HelpToConsole
from composer.cli.options_from import OptionsCommand, instance, parameters

Subcommand = tuple[Callable[..., object], type[Any]]
"""A function, and the dataclass of the options that it is called with besides the console."""


class SubcommandGroup(HelpToConsole, TyperGroup):
    """A command that calls its own function if no subcommand is named.

    The summary of a subcommand is the first line of its function's docstring.
    """

    def __init__(
        self, name: str, own: Subcommand, subcommands: Mapping[str, Subcommand], summary: str, hint: str = "",
        synonyms: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """`hint` says what to do about an unknown subcommand, `{}`, that is like no other one.

        `synonyms` are words for subcommands that have another name; an empty one stands for the command itself.
        """
        self.function, self.options = own
        commands: dict[str, Any] = {
            word: OptionsCommand(word, function, options, _summary(function))
            for word, (function, options) in subcommands.items()
        }
        super().__init__(
            name=name, commands=commands, params=parameters(self.options), help=self.function.__doc__,
            short_help=summary, context_settings=CONTEXT, rich_markup_mode=None, invoke_without_command=True,
            subcommand_metavar="[COMMAND]",
        )  # fmt: skip
        self.hint = hint
        self.synonyms = {**{word: word for word in commands}, **(synonyms or {})}

    def invoke(self, ctx: Any) -> None:
        """Call the function of the subcommand, or this command's own if there is none. Raises UsageError."""
        if not ctx._protected_args:
            self.function(ctx.obj, instance(self.options, ctx.params))
            return
        given = [param for param in self.params if ctx.params.get(param.name)]
        word = ctx._protected_args[0]
        if given and word in self.commands:
            flag = given[0].opts[0]
            raise UsageError(
                f"{flag} cannot be given before {word}", f"leave it out, or put it after {word}", flags=(flag,)
            )
        super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the subcommand that the arguments name, and the others. Raises UsageError."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            near = get_close_matches(args[0], self.synonyms, 1)
            meant = f"{ctx.command_path} {self.synonyms[near[0]]}".rstrip() if near else ""
            hint = f"did you mean `{meant}`?" if near else self.hint.format(args[0])
            raise UsageError(f"`{ctx.command_path}` has no command '{args[0]}'", hint)
        return super().resolve_command(ctx, args)


def _summary(function: Callable[..., object]) -> str:
    return (function.__doc__ or "").partition("\n")[0].strip()
