"""`composer presets`: presets that reproduce published systems."""

import textwrap
from typing import Annotated

import typer

from composer.api import UsageError
from composer.cli.console import Console
from composer.system.escaping import escape_line


def presets(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="PRESET", help="Preset whose settings to print.")] = "",
    names: Annotated[bool, typer.Option("--names", help="Print names only, one per line.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List presets that reproduce published systems, or print the settings of one.

    Each setting comes with its source. To train with a preset, use `composer train REP FILE... --preset PRESET`. Your
    own options override its settings.
    """
    from composer.training import presets as known

    console: Console = context.obj
    if name in {"list", "ls"} and name not in known.preset_names():
        raise UsageError(f"unknown preset '{name}'", "to list them: composer presets")
    if name:
        console.write(known.preset(name).text)
    elif as_json:
        presets = [
            {"name": each.name, "summary": each.summary, "representation": each.representation, "model": each.model}
            for each in known.all_presets(console.warn)
        ]
        console.write_json(presets, indent=1)
    elif names:
        console.write("".join(f"{each}\n" for each in known.preset_names()))
    else:
        found = [(escape_line(each.name), escape_line(each.summary)) for each in known.all_presets(console.warn)]
        width = max(len(name) for name, _ in found)
        console.write("".join(_line(name.ljust(width), summary, console) for name, summary in found))


def _line(name: str, summary: str, console: Console) -> str:
    """Return a preset's line; wrap its summary on a terminal."""
    if not console.stdout_is_terminal:
        return f"{name}  {summary}\n"
    indent = " " * (len(name) + 2)
    width = max(console.width, len(indent) + 20)
    lines = textwrap.wrap(summary, width - len(indent), break_on_hyphens=False)
    return f"{name}  " + f"\n{indent}".join(lines) + "\n"
