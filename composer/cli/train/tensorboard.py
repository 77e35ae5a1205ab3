"""Log a training run for TensorBoard.

Losses, learning rate and rate; the settings; and at each snapshot the piece, as a piano-roll image or as text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from fractions import Fraction
from importlib.util import find_spec
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from composer.api import ComposerError, Score
from composer.cli.train.snapshots import SnapshotPiece
from composer.music.sounding import sounding_parts
from composer.system.paths import make_folder
from composer.training.events import Event, Finished, Updated, Validated

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from composer.training.run import TrainingRun

PIXELS_PER_CELL = 4
"""Width of a sixteenth and height of a pitch."""
MAX_BEATS = 64
ONSET, HOLD, GROUND = (255, 212, 121), (184, 121, 42), (29, 30, 33)


def check(folder: Path) -> None:
    """Raise ComposerError if TensorBoard is not installed, or `folder` cannot be written to."""
    if find_spec("tensorboard") is None:
        raise ComposerError(
            "--log-dir needs TensorBoard, which is not installed", "pip install 'composer-cli[tensorboard]'"
        )
    with _writing(folder), TemporaryFile(dir=folder):
        pass


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Create `folder`, and raise ComposerError for an OSError within the context."""
    try:
        make_folder(folder)
        yield
    except OSError as error:
        reason = error.strerror or error
        raise ComposerError(f"cannot write to {folder}: {reason}", "choose another --log-dir") from error


def run_folder(folder: Path, name: str) -> Path:
    """Return a new folder in `folder` for a run of the model called `name`, such as mine-20260131-235959."""
    stamp = f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    names = chain([stamp], (f"{stamp}-{number}" for number in count(2)))
    with _writing(folder):
        return next(path for each in names if not (path := folder / each).exists())


class TensorBoardWriter:
    """Writes the events of a training run to `folder`."""

    def __init__(self, folder: Path, run: TrainingRun) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._run = run
        with _writing(folder):
            self._writer: Any = SummaryWriter(str(folder))

    def close(self) -> None:
        """Write what is left, and close the log."""
        self._writer.close()

    def on_event(self, event: Event) -> None:
        """Log an event."""
        match event:
            case Updated():
                loss = self._run.in_unit(event.monitor)
                values = {"loss/train": loss, "learning rate": event.lr, "steps per second": event.rate}
                self._scalars(event.update, values)
            case Validated():
                self._scalars(event.update, {"loss/validation": event.reported})
            case Finished():
                best = {} if event.best is None else {"best validation loss": self._run.in_unit(event.best)}
                self._writer.add_hparams(self._settings(), best, run_name=".", global_step=event.update)

    def add_sample(self, piece: SnapshotPiece) -> None:
        """Log a piece as text or as a piano-roll image."""
        if piece.text:
            self._writer.add_text("piece", f"```\n{piece.text}\n```", piece.update)
        if piece.score is not None and piece.score.is_audible:
            self._writer.add_image("roll", roll_image(piece.score), piece.update, dataformats="HWC")

    def _scalars(self, update: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, update)

    def _settings(self) -> dict[str, bool | str | float | int]:
        """Return all settings as TensorBoard takes them."""
        from dataclasses import asdict

        run = self._run
        groups = {"": asdict(run.settings), "model.": asdict(run.config), "option.": asdict(run.representation.options)}
        found = {prefix + key: value for prefix, group in groups.items() for key, value in group.items()}
        return {key: value if isinstance(value, bool | int | float) else str(value) for key, value in found.items()}


def roll_image(score: Score) -> NDArray[np.uint8]:
    """Return the first MAX_BEATS beats as an image (height, width, 3): time to the right, pitch upward."""
    import numpy as np

    notes = [note for part in sounding_parts(score) for note in part.notes if note.onset < MAX_BEATS]
    pitches = [note.pitch for note in notes]
    end = max(note.end for note in notes)
    width = int(4 * min(end, Fraction(MAX_BEATS))) + 1
    image = np.full((max(pitches) - min(pitches) + 1, width, 3), GROUND, np.uint8)
    for note in notes:
        row, start = max(pitches) - note.pitch, int(note.onset * 4)
        image[row, start : max(int(note.end * 4), start + 1)] = HOLD
        image[row, start] = ONSET
    return np.asarray(image.repeat(PIXELS_PER_CELL, 0).repeat(PIXELS_PER_CELL, 1))
