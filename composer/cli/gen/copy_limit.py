"""Reject pieces that copy too much of a training tune: `--max-copy`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from composer.api import CheckpointError, Representation, Step, UsageError

if TYPE_CHECKING:
    from composer.analysis.melody_search import MelodyIndex
    from composer.checkpoints.load import LoadedModel
    from composer.cli.render.progress_bar import ProgressDisplay
    from composer.generation.request import AcceptPiece


def copy_limit(max_notes: int, model: LoadedModel, name: str, primer: Sequence[Step]) -> AcceptPiece:
    """Return what rejects pieces with more than `max_notes` consecutive notes from a training tune.

    `name` is that of the model's file. Notes of the `primer` do not count. Raises UsageError, CheckpointError.
    """
    from composer.analysis.copying import longest_copied_run

    representation, index = model.representation, known_melodies(model, name, "--max-copy")
    primer_score = representation.score(representation.decode(primer)) if primer else None

    def accept(steps: Sequence[Step]) -> bool:
        score = representation.score(representation.decode(steps))
        return score is None or longest_copied_run(score, index, primer_score) <= max_notes

    return accept


def counting_rejected(accept: AcceptPiece | None, progress: ProgressDisplay) -> AcceptPiece | None:
    """Return `accept`, which also counts what it rejects: of that, nothing else arrives."""
    if accept is None:
        return None

    def accept_or_count(steps: Sequence[Step]) -> bool:
        accepted = accept(steps)
        if not accepted:
            progress.reject_attempt(len(steps))
        return accepted

    return accept_or_count


def known_melodies(model: LoadedModel, name: str, option: str) -> MelodyIndex:
    """Return the training melodies of the model in the file `name` as an index. Raises UsageError, CheckpointError."""
    from composer.analysis.melody_search import MelodyIndex
    from composer.checkpoints.training_melodies import training_melodies

    if type(model.representation).score is Representation.score:
        raise UsageError(
            f"{option} does not work with `{model.representation.name}`", f"leave out {option}", flags=(option,)
        )
    melodies = training_melodies(model.extra, name)
    if melodies is None:
        raise CheckpointError(
            f"{option} needs the melodies of the training data, which {name} does not contain",
            f"train the model again, or leave out {option}",
        )
    return MelodyIndex(melodies)
