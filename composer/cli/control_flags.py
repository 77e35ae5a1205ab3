"""A representation's controls as options of `composer gen`: one for each field of its `Controls`."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from composer.api import ComposerError, PluginError, Representation
from composer.api.fields import flags_of
from composer.cli.options_from import OptionsCommand, empty_name, instance, parameters
from composer.cli.render.text import join_names
from composer.cli.representation_argument import print_examples

REPRESENTATION, CONTROLS, PREFIX = "composer.representation", "composer.controls", "control_"


class ControlCommand(OptionsCommand):
    """A command with the options of the representation that its arguments name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse twice: once to find the representation, ignoring unknown options, then with its controls."""
        from composer.registry import plugins as registry

        words, checkpoint = self._words(ctx, args)
        names = registry.plugin_names()
        name = next((word for word in words or () if word in names), None)
        if name is not None:
            set_controls(ctx, name)
        elif checkpoint is not None and words is not None:
            name = _representation_of(checkpoint)
            set_controls(ctx, name)
            if self._words(ctx, args)[0] == []:  # else the real parse reports the word that should not be there
                words, args = [name], [name, *args]
        if words == []:
            print_examples(ctx.obj, self.name or "")
            raise typer.Exit(2)
        if ctx.meta.get(CONTROLS):
            self._check_clashes(ctx.meta[REPRESENTATION], super().get_params(ctx))
        return super().parse_args(ctx, args)

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parser's options and arguments, the controls first."""
        return [*ctx.meta.get(CONTROLS, ()), *super().get_params(ctx)]

    def call(self, ctx: Any) -> None:
        """Call the function with the console and the options, which hold the controls."""
        kind = ctx.meta.get(REPRESENTATION)
        controls = instance(kind.Controls, ctx.params, PREFIX) if kind else None
        self.function(ctx.obj, instance(self.options, ctx.params, controls=controls))

    def _check_clashes(self, kind: type[Representation], own: Sequence[Any]) -> None:
        """Raise PluginError for a control with the name of one of the command's `own` options."""
        taken = {flag for option in own for flag in option.opts}
        for flag in sorted(taken & _flags(kind)):
            raise PluginError(
                f"plugin `{kind.name}`: its control {flag} has the name of an option of `composer {self.name}`",
                "report this to the plugin's author",
            )

    def _words(self, ctx: Any, args: list[str]) -> tuple[list[str] | None, str | None]:
        """Return the arguments that are no known option or its value, and the value of --checkpoint.

        The arguments are None to leave them to the real parse.
        """
        parser = self.make_parser(ctx)
        parser.ignore_unknown_options = True
        try:
            found, words, _ = parser.parse_args(list(args))
        except typer.TyperException:
            return None, None
        first = found.get("representation")
        words = [first, *words] if first else words
        return None if not words and ("help" in found or ctx.resilient_parsing) else words, found.get("checkpoint")


def set_controls(ctx: Any, name: str) -> None:
    """Add the options of a representation; if it cannot be loaded, the command itself reports that."""
    from composer.registry import plugins as registry

    with contextlib.suppress(ComposerError):
        kind = ctx.meta[REPRESENTATION] = registry.representation(name)
        ctx.meta[CONTROLS] = parameters(kind.Controls, f"Controls of {name}", PREFIX)


def _representation_of(checkpoint: str) -> str:
    """Return the representation of a model by name or file. Raises CheckpointError, UsageError."""
    from composer.checkpoints import store
    from composer.checkpoints.file import read_header

    if not checkpoint:
        raise empty_name("--checkpoint")
    return read_header(store.resolve_model(Path(checkpoint))).representation


def offered_by(context: Any, flag: str) -> tuple[str, str] | None:
    """Return an error and a hint for a `flag` that other representations have, or None."""
    kind = context.meta.get(REPRESENTATION) if context is not None else None
    if kind is None:
        return None
    names = representations_with(flag)
    hint = "use it with " + join_names([f"`composer {context.command.name} {name}`" for name in names], "or")
    return (f"`{kind.name}` has no option {flag}", hint) if names else None


def representations_with(flag: str) -> list[str]:
    """Return the names of the representations that have the control `flag`."""
    from composer.registry import plugins as registry

    found = (loaded.representation for loaded in registry.load_all())
    return [each.name for each in found if each is not None and flag in _flags(each)]


def _flags(representation: type[Representation]) -> set[str]:
    return {flag for field in dataclasses.fields(representation.Controls) for flag in flags_of(field)}
