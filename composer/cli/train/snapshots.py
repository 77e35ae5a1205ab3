"""What a model composes while it is being trained: one piece at each snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from composer.api import ComposerError, Score
from composer.training.events import Snapshot
from composer.training.run import TrainingRun


@dataclass(frozen=True, slots=True)
class SnapshotPiece:
    """A piece composed at `step`, kept in `path`: its `text` where it is one, its `score` where it is music.

    Where it could not be written, `text` says why, and there is no path.
    """

    step: int
    text: str = ""
    path: Path | None = None
    score: Score | None = None

    def __str__(self) -> str:
        return f"step {self.step}: {self.path}\n{self.text}" if self.path else f"step {self.step}: {self.text}"


def generate_snapshot(run: TrainingRun, event: Snapshot) -> SnapshotPiece:
    """Compose one piece with the model as it is at a snapshot, and keep it beside the model."""
    from composer.checkpoints.load import load_model
    from composer.cli.output.encoders import encode_piece
    from composer.cli.output.files import save
    from composer.formats import format_named
    from composer.generation.generate import generate
    from composer.generation.request import Generated, GenerationRequest

    player = load_model(event.path, run.representation.name)
    request = GenerationRequest(length=run.representation.length, seed=run.settings.seed)
    events = generate(player.sampler, player.spec, request, player.representation.constraint())
    steps = [step for event in events if isinstance(event, Generated) for step in event.steps]
    known = format_named(run.representation.formats[0])
    try:
        data = encode_piece(player.representation, steps, known.name)
    except ComposerError as error:
        return SnapshotPiece(event.update, error.message)
    path = event.path.with_suffix(known.suffixes[0])
    save(path, data)
    score = player.representation.score(player.representation.decode(steps))
    return SnapshotPiece(event.update, "" if known.binary else data.decode(), path, score)
