"""Reject pieces that copy too much of a training tune: `--max-copy`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from composer.api import CheckpointError, Representation, Step, UsageError

if TYPE_CHECKING:
    from composer.analysis.melody_search import MelodyIndex
    from composer.generation.request import AcceptPiece


def copy_limit(max_notes: int, representation: Representation, path: Path, primer: Sequence[Step]) -> AcceptPiece:
    """Return what rejects pieces with more than `max_notes` consecutive notes from a training tune.

    `path` is that of the model. Notes of the `primer` do not count. Raises UsageError, CheckpointError.
    """
    from composer.analysis.copying import longest_copied_run

    index = known_melodies(representation, path, "--max-copy")
    primer_score = representation.score(representation.decode(primer)) if primer else None

    def accept(steps: Sequence[Step]) -> bool:
        score = representation.score(representation.decode(steps))
        return score is None or longest_copied_run(score, index, primer_score) <= max_notes

    return accept


def known_melodies(representation: Representation, path: Path, option: str) -> MelodyIndex:
    """Return the training melodies of the model at `path` as an index. Raises UsageError, CheckpointError."""
    from composer.analysis.melody_search import MelodyIndex
    from composer.checkpoints.training_melodies import training_melodies

    if type(representation).score is Representation.score:
        raise UsageError(f"{option} does not work with `{representation.name}`", f"leave out {option}")
    melodies = training_melodies(path)
    if melodies is None:
        raise CheckpointError(
            f"{option} needs the melodies of the training data, which {path.name} does not contain",
            f"train the model again, or leave out {option}",
        )
    return MelodyIndex(melodies)
