"""How much of what a model was taught its pieces may copy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from composer.api import CheckpointError, Representation, Step, UsageError

if TYPE_CHECKING:
    from composer.analysis.copying import MelodyIndex
    from composer.generation.generate import Judge

__all__ = ["known_melodies", "limit"]


def limit(most: int, representation: Representation, path: Path, primer: Sequence[Step]) -> Judge:
    """Who refuses each piece that shares more than `most` notes in a row with what the model at `path` was taught.

    Those of the `primer` are not counted. Raises UsageError, CheckpointError.
    """
    from composer.analysis.copying import copied

    index = known_melodies(representation, path, "--max-copy")
    opening = representation.score(representation.decode(primer)) if primer else None

    def judge(steps: Sequence[Step]) -> bool:
        score = representation.score(representation.decode(steps))
        return score is None or copied(score, index, opening) <= most

    return judge


def known_melodies(representation: Representation, path: Path, option: str) -> MelodyIndex:
    """What the model at `path` was taught, ready to be searched for `option`. Raises UsageError, CheckpointError."""
    from composer.analysis.copying import MelodyIndex
    from composer.checkpoints.training_melodies import training_melodies

    if type(representation).score is Representation.score:
        raise UsageError(f"{option} is for music, and `{representation.name}` is none", f"leave out {option}")
    melodies = training_melodies(path)
    if melodies is None:
        raise CheckpointError(
            f"{path.name} keeps no melodies of what it was taught, which {option} needs",
            f"train it again, or leave out {option}",
        )
    return MelodyIndex(melodies)
