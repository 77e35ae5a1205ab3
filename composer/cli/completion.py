"""Shell completion: the values of options, and the answers to the scripts that `composer completions` prints.

The scripts and their protocol are typer's: a script runs the program with the command line in the environment.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from functools import partial
from io import StringIO
from typing import Any

SHELLS = ("bash", "zsh", "fish", "powershell")

VARIABLE = "_COMPOSER_COMPLETE"
"""The environment variable that holds what a script asks for, such as `complete_bash`."""

Values = list[tuple[str, str]]
"""Values, each with its explanation."""


def script(shell: str) -> str:
    """Return the completion script for `shell`: typer's, with two faults of it mended."""
    from typer._completion_shared import get_completion_script

    text = get_completion_script(prog_name="composer", complete_var=VARIABLE, shell=shell) + "\n"
    # zsh loads the file at the first Tab and expects candidates at once, not a definition alone
    text = re.sub(
        r"^compdef (\w+) (\w+)$", r'if [[ $funcstack[1] == _\2 ]]; then \1 "$@"; else \g<0>; fi', text, flags=re.M
    )
    # PowerShell: what Tab does elsewhere is the user's choice
    return re.sub(r"^(Import-Module|Set-PSReadLineKeyHandler).*\n", "", text, flags=re.M)


def answer(program: Any, request: str) -> int:
    """Print the candidates for the command line in the environment, and nothing else; return the exit code."""
    from typer import _completion_classes, completion
    from typer._click import shell_completion

    # our help has no markup for rich to strip, which takes 100 ms to load; zsh loses the apostrophes that typer doubles
    vars(_completion_classes)["_sanitize_help_text"] = lambda text: text.replace("''", "'\\''")
    _completion_classes.completion_init()
    shell = request.rpartition("_")[2]
    answerer = shell_completion.get_completion_class(shell)

    class JoinedAtEquals(answerer):  # type: ignore[misc, valid-type]
        """Completes `--format=mi`, which bash hands over in three words, and others in one."""

        def get_completions(self, args: list[str], incomplete: str) -> list[Any]:
            if shell == "bash":
                *args, incomplete = re.sub("\n=\n?", "=", "\n".join([*args, incomplete])).split("\n")
            found = super().get_completions(args, incomplete)
            option = re.match("--[^=]+=", incomplete)
            if option and shell != "bash":
                for item in found:
                    item.value = option[0] + item.value
            return list(found)

    build = program.get_command
    program.get_command = lambda context, name: _with_values(build(context, name))
    shell_completion.add_completion_class(JoinedAtEquals, shell)
    with suppress(Exception), redirect_stderr(StringIO()):  # a line that cannot be parsed has no candidates
        return completion.shell_complete(program, {}, "composer", VARIABLE, request)
    return 1


def _with_values(command: Any) -> Any:
    """Let the parameters of `command` that have an entry in VALUES complete from it."""
    from typer._click.shell_completion import CompletionItem

    def completer(values: Callable[[], Values]) -> Any:
        return lambda _, start: [CompletionItem(word, help=text) for word, text in values() if word.startswith(start)]

    for subcommand in getattr(command, "commands", {}).values():
        _with_values(subcommand)
    for param in command.params if command is not None else ():
        for key in (*param.opts, param.metavar, f"{param.param_type_name} {param.metavar}".rstrip(".")):
            if key in VALUES:
                param.shell_complete = completer(VALUES[key])
        if param.name == "arguments":
            param.shell_complete = _plugin_arguments
        if "--conditions" in param.opts:
            param.shell_complete = lambda context, start: [CompletionItem(each) for each in _labels(context, start)]
    return command


def _plugins(kind: str) -> Values:
    from composer.registry import plugins as registry

    found = (getattr(loaded, kind) for loaded in registry.load_all(lambda _: None))
    return [(plugin.name, plugin.summary) for plugin in found if plugin is not None]


def _presets() -> Values:
    from composer.training import presets

    return [(preset.name, preset.summary) for preset in presets.all_presets()]


def _trained_models() -> Values:
    """The user's models, the newest first, then the pretrained ones."""
    from composer.checkpoints import store

    own = [(model.name, f"{model.header.representation} by {model.header.model}") for model in store.user_models()]
    return own + [(model.name, f"from {model.distribution}") for model in store.pretrained_models()]


def _formats() -> Values:
    from composer.formats import all_formats
    from composer.registry import plugins  # noqa: F401 - finds the formats of plugins

    return [(name, form.summary) for name, form in all_formats().items()]


def _topics() -> Values:
    from composer.cli.command import COMMANDS
    from composer.cli.docs import pages

    return [*pages.summaries().items(), *COMMANDS.items()]


def _plugin_arguments(context: Any, start: str) -> list[Any]:
    """Return what may follow `composer plugins check`: a plugin, then files."""
    from typer._click.shell_completion import CompletionItem

    if context.params.get("which") != "check":
        return []
    if context.params.get("arguments"):
        return [CompletionItem(start, type="file")]
    found = [*_plugins("representation"), *_plugins("model")]
    return [CompletionItem(name, help=text) for name, text in found if name.startswith(start)]


def _labels(context: Any, start: str) -> list[str]:
    """Return the labels that the representation's pieces have, after those that are typed already."""
    from composer.registry import plugins as registry

    typed, comma, last = start.rpartition(",")
    # the parser stops at the option without a value, and leaves the arguments before it
    name = next(iter(context.args), "") or context.params.get("representation") or ""
    known = registry.representation(name).labels
    left = (name for name in known if name not in typed.split(","))
    return [f"{typed}{comma}{name}" for name in left if name.startswith(last)]


def _words(*values: str) -> Callable[[], Values]:
    return lambda: [(value, "") for value in values]


PLUGIN_ACTIONS = (("check", "test a plugin"), ("new", "write a new plugin"))

VALUES: dict[str, Callable[[], Values]] = {
    "--checkpoint": _trained_models,
    "--from": _trained_models,
    "--part": _words("train", "valid", "test"),
    "DEVICE": _words("auto", "cpu", "cuda", "mps"),
    "FORMAT": _formats,
    "KIND": _words("representation", "model"),
    "MODEL": partial(_plugins, "model"),
    "argument MODEL": _trained_models,
    "PLUGIN": lambda: [*PLUGIN_ACTIONS, *_plugins("representation"), *_plugins("model")],
    "PRESET": _presets,
    "REP": partial(_plugins, "representation"),
    "SHELL": _words(*SHELLS),
    "TOPIC": _topics,
}
"""What completes a value, by the option or by the word that stands for the value in the help; the last one counts."""
