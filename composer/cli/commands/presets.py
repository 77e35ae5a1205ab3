"""`composer presets`: the published systems that can be trained again by name.

The annotations are no strings, since typer would compile each of them twice at every start.
"""

import textwrap
from typing import Annotated

import typer

from composer.cli.console import Console


def presets(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="PRESET", help="The one to print; else a list of all.")] = "",
    names: Annotated[bool, typer.Option("--names", help="Print bare names, one a line.")] = False,
) -> None:
    """List the published systems that can be trained again, or print the values of one.

    Each value says where it comes from. `composer train REP FILES --preset PRESET` trains it; your own flags win.
    """
    from composer.training import presets as known

    console: Console = context.obj
    if name:
        console.write(known.preset(name).text)
    elif names:
        console.write("".join(f"{each}\n" for each in known.preset_names()))
    else:
        width = max(map(len, known.preset_names()))
        console.write("".join(_line(each.name.ljust(width), each.summary, console) for each in known.all_presets()))


def _line(name: str, summary: str, console: Console) -> str:
    """A preset; on a terminal, its summary is folded."""
    if not console.stdout_is_terminal:
        return f"{name}  {summary}\n"
    indent = " " * (len(name) + 2)
    width = max(console.width, len(indent) + 20)
    lines = textwrap.wrap(summary, width - len(indent), break_on_hyphens=False)
    return f"{name}  " + f"\n{indent}".join(lines) + "\n"
