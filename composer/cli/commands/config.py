"""`composer config`: defaults of options."""

from composer.cli.config import commands
from composer.cli.subcommands import Subcommand, SubcommandGroup

SUBCOMMANDS: dict[str, Subcommand] = {
    "list": (commands.list_options, commands.ListOptions),
    "get": (commands.get, commands.KeyOptions),
    "set": (commands.set_, commands.SetOptions),
    "unset": (commands.unset, commands.KeyOptions),
    "path": (commands.path, commands.NoOptions),
}


def make_command(summary: str) -> SubcommandGroup:
    """Return the command for the parser."""
    own = commands.overview, commands.OverviewOptions
    return SubcommandGroup("config", own, SUBCOMMANDS, summary, "to set one: composer config set {} VALUE")
