"""`composer version`: the same as `composer --version`."""

import typer

from composer import __version__


def version(context: typer.Context) -> None:
    """Print the version."""
    context.obj.write(f"composer {__version__}\n")
