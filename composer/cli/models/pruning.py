"""`composer models prune`: remove training states and snapshots."""

# No `from __future__ import annotations`: the strings would be evaluated at every start.

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from composer.api import ComposerError
from composer.api.fields import option
from composer.cli.models.changes import YES, confirmed
from composer.cli.render.text import file_size

if TYPE_CHECKING:
    from composer.cli.console import Console


@dataclass(frozen=True, slots=True)
class PruneOptions:
    """Options of `composer models prune`."""

    names: tuple[str, ...] = option(
        (), "Models to prune. [default: all models whose training has finished]", argument="MODEL...", repeated=True
    )
    dry_run: bool = option(False, "List what would be removed, and remove nothing.")
    yes: bool = option(False, YES, "--yes", "-y")


def prune(console: "Console", options: PruneOptions) -> None:
    """Remove training states and snapshots to free disk space. The models stay.

    Without its state, a training run cannot be resumed, but its model can be fine-tuned. States of unfinished runs are
    removed only if you name them. On a terminal, it asks first.
    """
    from composer.checkpoints import management, training_files

    named = [management.own_path(name, "pruned") for name in dict.fromkeys(options.names)]
    paths = [path for path in named or _finished(console) if training_files.size(path)]
    if not paths:
        console.say("nothing to remove")
        return
    for path in paths:
        console.write(f"{training_files.model_name(path)}  {file_size(training_files.size(path))}\n")
    total = file_size(sum(map(training_files.size, paths)))
    if options.dry_run:
        console.say(f"would remove {total}")
        return
    command = shlex.join(["composer", "models", "prune", *options.names, "--yes"])
    if not confirmed(console, f"remove {total} of training files?", options.yes, command):
        return
    freed, failure = 0, None
    for path in paths:
        try:
            freed += management.prune(path)
        except ComposerError as error:
            if failure is not None:  # the last one is raised
                console.warn(failure.message)
            failure = error
    if freed:
        console.say(f"removed {file_size(freed)}")
    if failure is not None:
        raise failure


def _finished(console: "Console") -> list[Path]:
    """Return the models with training files whose training is finished; say which ones are not."""
    from composer.checkpoints import store, training_files
    from composer.system.paths import models_folder

    finished, found = {model.name for model in store.user_models() if model.finished}, []
    for model in store.user_models():
        training_files.move_old_files(model.path)
    for name in training_files.names_with_files(models_folder()):
        path = models_folder() / f"{name}{store.SUFFIX}"
        if training_files.is_in_use(path):
            console.say(f"kept {name}: it is in training")
        elif name in finished:
            found.append(path)
        else:
            console.say(f"kept {name}: unfinished; to remove it too: composer models prune {shlex.quote(name)}")
    return found
