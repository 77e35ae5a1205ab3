"""`composer completions`: the script that lets a shell complete this program's commands, options and values.

The annotations are no strings, since typer would compile each of them twice at every start.
"""

from typing import Annotated

import typer

from composer.api import UsageError
from composer.api.errors import suggest
from composer.cli.completion.scripts import SHELLS, script


def completions(
    context: typer.Context,
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell.")],
) -> None:
    """Print a shell completion script.

    bash: add `source <(composer completions bash)` to ~/.bashrc.

    zsh: save the script as _composer in a folder on $fpath.

    fish: add `composer completions fish | source` to ~/.config/fish/config.fish.

    PowerShell: add `composer completions powershell | Out-String | Invoke-Expression` to $PROFILE.
    """
    if shell not in SHELLS:
        raise UsageError(f"unknown shell '{shell}'", suggest(shell.lower(), SHELLS))
    context.obj.write(script(shell))
