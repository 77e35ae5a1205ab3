"""`composer models`: list and manage trained models."""

from composer.cli.models import changes, listing, pruning, transfer
from composer.cli.subcommands import Subcommand, SubcommandGroup

SUBCOMMANDS: dict[str, Subcommand] = {
    "info": (transfer.info, transfer.InfoOptions),
    "use": (changes.use, changes.UseOptions),
    "rename": (changes.rename, changes.RenameOptions),
    "remove": (changes.remove, changes.RemoveOptions),
    "copy": (changes.copy, changes.CopyOptions),
    "export": (transfer.export, transfer.ExportOptions),
    "import": (transfer.import_, transfer.ImportOptions),
    "path": (transfer.path, transfer.PathOptions),
    "prune": (pruning.prune, pruning.PruneOptions),
}
SYNONYMS = {
    "list": "", "ls": "", "show": "info", "default": "use", "mv": "rename", "move": "rename", "rm": "remove",
    "delete": "remove", "cp": "copy", "add": "import", "clean": "prune",
}  # fmt: skip
"""Words of other programs for subcommands, by what they are called here."""


def make_command(summary: str) -> SubcommandGroup:
    """Return the command for the parser."""
    own = listing.list_models, listing.ListOptions
    return SubcommandGroup("models", own, SUBCOMMANDS, summary, "for one model: composer models info {}", SYNONYMS)
