"""Generate one piece at each snapshot of a training run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from composer.api import ComposerError, GenerationContext, Score
from composer.training.events import Snapshot
from composer.training.run import TrainingRun


@dataclass(frozen=True, slots=True)
class SnapshotPiece:
    """A piece generated at `update` and saved to `path`, with its `text` or its `score`.

    If it could not be written, `text` is the error, and there is no path.
    """

    update: int
    text: str = ""
    path: Path | None = None
    score: Score | None = None

    def __str__(self) -> str:
        return f"update {self.update:,}: " + (f"generated {self.path}\n{self.text}" if self.path else self.text)


def generate_snapshot(run: TrainingRun, event: Snapshot) -> SnapshotPiece:
    """Generate one piece with the model of a snapshot, and save it beside the snapshot."""
    from composer.api.sampling.params import SamplingParams
    from composer.checkpoints.load import load_model
    from composer.cli.output.encoders import encode_piece
    from composer.cli.output.files import save
    from composer.formats import format_named
    from composer.generation.generate import generate
    from composer.generation.plans import constraint_of
    from composer.generation.request import Generated, GenerationRequest

    model = load_model(event.path, run.representation.name)
    sampling = SamplingParams(model.default_temperature)
    request = GenerationRequest(length=run.representation.length, seed=run.settings.seed, sampling=sampling)
    representation = model.representation
    constraint = constraint_of(representation, representation.Controls(), GenerationContext())
    events = generate(model.sampler, model.spec, request, constraint)
    steps = [step for event in events if isinstance(event, Generated) for step in event.steps]
    format_ = format_named(run.representation.formats[0])
    try:
        data = encode_piece(model.representation, steps, format_.name)
    except ComposerError as error:
        return SnapshotPiece(event.update, error.message)
    path = event.path.with_suffix(format_.suffixes[0])
    save(path, data, replace=True)
    score = model.representation.score(model.representation.decode(steps))
    return SnapshotPiece(event.update, "" if format_.binary else data.decode(), path, score)
