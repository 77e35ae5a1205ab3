"""`composer completions`: the script that lets a shell complete this program's commands, options and values.

The annotations are no strings, since typer would compile each of them twice at every start.
"""

from typing import Annotated

import typer

from composer.api import UsageError
from composer.cli import completion


def completions(
    context: typer.Context,
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell.")],
) -> None:
    """Print the completion script of a shell.

    bash: put `source <(composer completions bash)` into ~/.bashrc.

    zsh: write the script to a file named _composer in a folder of $fpath.

    fish: put `composer completions fish | source` into ~/.config/fish/config.fish.

    PowerShell: put `composer completions powershell | Out-String | Invoke-Expression` into $PROFILE.
    """
    if shell not in completion.SHELLS:
        raise UsageError(f"unknown shell '{shell}'", f"choose {', '.join(completion.SHELLS)}")
    context.obj.write(completion.script(shell))
