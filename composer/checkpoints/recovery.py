"""How to get a damaged model back: its training state, if that is whole, is saved as a model when it resumes."""

from __future__ import annotations

import shlex

from composer.api import CheckpointError
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints import training_files
from composer.checkpoints.load import restore_representation
from composer.checkpoints.store import is_own


def recovery_hint(error: CheckpointError) -> str | None:
    """Return the command that makes a damaged model again, from an `error` in reading it; None if there is none."""
    path = error.path if isinstance(error, checkpoint_file.DamagedCheckpoint) else None
    if path is None or not is_own(path):
        return None
    for state in training_files.possible_states(path):
        try:
            header = checkpoint_file.load(state, limit=checkpoint_file.MAX_TRAINING_BYTES).header
            if header.record.get("kind") == "training":
                restore_representation(header, state)
                command = f"composer train {header.representation} --resume --name"
                return f"restore it from its training state: {command} {shlex.quote(training_files.model_name(path))}"
        except CheckpointError:
            continue
    return None
