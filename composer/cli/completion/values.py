"""The values that complete options and arguments."""

from __future__ import annotations

import glob
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from composer.cli.completion.scripts import SHELLS

Values = list[tuple[str, str]]
"""Values, each with its explanation."""


def with_values(command: Any) -> Any:
    """Let the parameters of `command` that have an entry in VALUES complete from it."""

    def completer(values: Callable[[], Values]) -> Any:
        return lambda _, start: _items(values(), start)

    for subcommand in getattr(command, "commands", {}).values():
        with_values(subcommand)
    for param in command.params if command is not None else ():
        name = str(param.metavar).rstrip(".")
        for key in (*param.opts, name, f"{param.param_type_name} {name}", f"{command.name} {name}"):
            if key in VALUES:
                param.shell_complete = completer(VALUES[key])
            if key in DEPENDENT_VALUES:
                param.shell_complete = DEPENDENT_VALUES[key]
    return command


def _plugins(kind: str) -> Values:
    from composer.registry import plugins as registry

    found = (getattr(loaded, kind) for loaded in registry.load_all(lambda _: None))
    return [(plugin.name, plugin.summary) for plugin in found if plugin is not None]


def _plugins_and_lists() -> Values:
    """What may follow `composer plugins`: an action, a plugin, or a list of one kind."""
    from composer.cli.commands.plugins import KINDS
    from composer.cli.plugin_extensions import LISTS

    actions = [("check", "test a plugin"), ("new", "write a new plugin")]
    return [*actions, *_plugins("representation"), *_plugins("model"), *((name, "") for name in (*KINDS, *LISTS))]


def _presets() -> Values:
    from composer.training import presets

    return [(preset.name, preset.summary) for preset in presets.all_presets()]


def _own_models() -> Values:
    """The user's models, the newest first."""
    from composer.checkpoints import store

    return [(model.name, f"{model.header.representation} by {model.header.model}") for model in store.user_models()]


def _trained_models() -> Values:
    """The user's models, then the pretrained ones."""
    from composer.checkpoints import store

    return _own_models() + [(model.name, f"from {model.distribution}") for model in store.pretrained_models()]


def _formats() -> Values:
    from composer.formats import all_formats
    from composer.registry import plugins  # noqa: F401 - finds the formats of plugins

    return [(name, form.summary) for name, form in all_formats().items()]


def _topics() -> Values:
    from composer.cli.command import COMMANDS
    from composer.cli.docs import pages

    return [*pages.summaries().items(), *COMMANDS.items()]


def _plugin_arguments(context: Any, start: str) -> list[Any]:
    """Return the plugins that may follow `composer plugins check`; after one, the shell completes files."""
    if context.params.get("which") != "check" or context.params.get("arguments"):
        return []
    return _items([*_plugins("representation"), *_plugins("model")], start)


def _labels(context: Any, start: str) -> list[Any]:
    """Return the labels that the representation's pieces have, after those that are typed already."""
    from composer.registry import plugins as registry

    typed, comma, _ = start.rpartition(",")
    # the parser stops at the option without a value, and leaves the arguments before it
    name = next(iter(context.args), "") or context.params.get("representation") or ""
    left = (name for name in registry.representation(name).labels if name not in typed.split(","))
    return _items([(f"{typed}{comma}{name}", "") for name in left], start)


def _conditions(context: Any, start: str) -> list[Any]:
    """Return the conditions that the model knows, such as `artist=burns`."""
    from composer.checkpoints import store
    from composer.checkpoints.file import read_header

    given, name = context.params.get("checkpoint"), context.params.get("representation") or next(iter(context.args), "")
    header = read_header(store.resolve_model(Path(given)) if given else store.default(name))
    known = header.spec.conditions.items()
    return _items([(f"{key}={label}", "") for key, labels in known for label in labels], start)


def _ports(kind: str) -> Values:
    from composer.playback.ports import port_names

    return [(name, "") for name in dict.fromkeys(port_names(kind))]


def _config_keys(context: Any, start: str) -> list[Any]:
    """Return the commands that can have defaults, each with a dot, and the options of the one that is typed."""
    from composer.cli.config.commands import options_of

    *words, _ = start.split(".")
    if not words:
        return _items([(f"{name}.", text) for name, text in _commands_with_defaults()], start)
    options = options_of(words[0], words[1] if len(words) > 1 else "")
    return _items([(".".join((*words, name)), param.help or "") for name, param in options.items()], start)


def _shown_models(context: Any, start: str) -> list[Any]:
    """Return the models that begin so, unless a file does: those are completed by the shell."""
    if not start or any(Path().glob(f"{glob.escape(start)}*")):
        return []
    return _items(_trained_models(), start)


def _commands_with_defaults() -> Values:
    from composer.cli.command import COMMANDS
    from composer.cli.config.defaults import WITHOUT_OPTIONS

    return [(name, text) for name, text in COMMANDS.items() if name not in WITHOUT_OPTIONS]


def _items(values: Values, start: str) -> list[Any]:
    """Return the values that begin with `start` for the parser."""
    from typer._click.shell_completion import CompletionItem

    return [CompletionItem(word, help=text) for word, text in values if word.startswith(start)]


def _words(*values: str) -> Callable[[], Values]:
    return lambda: [(value, "") for value in values]


VALUES: dict[str, Callable[[], Values]] = {
    "--checkpoint": _trained_models,
    "--from": _trained_models,
    "--in": partial(_ports, "input"),
    "--part": _words("train", "valid", "test"),
    "--port": partial(_ports, "output"),
    "COMMAND": _commands_with_defaults,
    "DEVICE": _words("auto", "cpu", "cuda", "mps"),
    "FORMAT": _formats,
    "KIND": _words("representation", "model"),
    "MODEL": partial(_plugins, "model"),
    "argument MODEL": _trained_models,
    "prune MODEL": _own_models,
    "remove MODEL": _own_models,
    "rename MODEL": _own_models,
    "PLUGIN": _plugins_and_lists,
    "PRESET": _presets,
    "REP": partial(_plugins, "representation"),
    "SHELL": _words(*SHELLS),
    "TOPIC": _topics,
}
"""What completes a value, by the option or by the word that stands for the value in the help; the last one counts."""

DEPENDENT_VALUES: dict[str, Callable[[Any, str], list[Any]]] = {
    "--condition": _conditions,
    "--conditions": _labels,
    "KEY": _config_keys,
    "plugins ARGUMENT": _plugin_arguments,
    "show FILE": _shown_models,
}
"""The same for values that depend on what is typed: functions of the parser's context and the beginning of the word."""
