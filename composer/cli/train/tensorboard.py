"""A run of training for TensorBoard, which draws what has been written so far while training goes on.

The loss on the pieces learnt from and on those held back, the learning rate and pace; the settings; and at each
snapshot the piece, as a picture of its roll or as text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from composer.api import ComposerError, Score
from composer.cli.train.snapshots import SnapshotPiece
from composer.training.events import Event, Finished, Updated, Validated

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from composer.training.run import TrainingRun

PIXELS_PER_CELL = 4
"""The pixels of a sixteenth, and of a pitch."""
MAX_BEATS = 64
ONSET, HOLD, GROUND = (255, 212, 121), (184, 121, 42), (29, 30, 33)


def check(folder: Path) -> None:
    """Raise ComposerError where TensorBoard is not installed, or cannot write to `folder`."""
    if find_spec("tensorboard") is None:
        raise ComposerError(
            "--log-dir needs TensorBoard, which is not installed", "pip install 'composer-cli[tensorboard]'"
        )
    with _writing(folder), TemporaryFile(dir=folder):
        pass


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Make `folder`; what goes wrong there is a ComposerError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise ComposerError(
            f"cannot write to {folder}: {error.strerror or error}", "choose another --log-dir"
        ) from error


class TensorBoardWriter:
    """Writes what training tells to the folder `folder`."""

    def __init__(self, folder: Path, run: TrainingRun) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._run = run
        with _writing(folder):
            self._writer: Any = SummaryWriter(str(folder))

    def __enter__(self) -> TensorBoardWriter:
        return self

    def __exit__(self, *reason: object) -> None:
        self._writer.close()

    def on_event(self, event: Event) -> None:
        """Write down what `event` says."""
        match event:
            case Updated():
                self._scalars(
                    event.update,
                    {
                        "loss/train": self._run.in_unit(event.monitor),
                        "learning rate": event.lr,
                        "steps a second": event.rate,
                    },
                )
            case Validated():
                self._scalars(event.update, {"loss/validation": event.reported})
            case Finished():
                best = {} if event.best is None else {"best validation loss": self._run.in_unit(event.best)}
                self._writer.add_hparams(self._settings(), best, run_name=".", global_step=event.update)

    def add_sample(self, composed: SnapshotPiece) -> None:
        """Keep a piece, as a text where it is one and as a picture where it is music."""
        if composed.text:
            self._writer.add_text("piece", f"```\n{composed.text}\n```", composed.step)
        if composed.score is not None and composed.score.notes:
            self._writer.add_image("roll", roll_image(composed.score), composed.step, dataformats="HWC")

    def _scalars(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def _settings(self) -> dict[str, bool | str | float | int]:
        """Everything that decides how the network learns, as TensorBoard takes it."""
        from dataclasses import asdict

        run = self._run
        groups = {"": asdict(run.settings), "model.": asdict(run.config), "option.": asdict(run.representation.options)}
        found = {prefix + key: value for prefix, group in groups.items() for key, value in group.items()}
        return {key: value if isinstance(value, bool | int | float) else str(value) for key, value in found.items()}


def roll_image(score: Score) -> NDArray[np.uint8]:
    """The first MAX_BEATS beats of a roll as an image (height, width, 3): time to the right, pitch upwards."""
    import numpy as np

    notes = [note for note in score.notes if note.onset < MAX_BEATS]
    pitches = [note.pitch for note in notes]
    end = max(note.end for note in notes)
    width = int(4 * min(end, Fraction(MAX_BEATS))) + 1
    image = np.full((max(pitches) - min(pitches) + 1, width, 3), GROUND, np.uint8)
    for note in notes:
        row, start = max(pitches) - note.pitch, int(note.onset * 4)
        image[row, start : max(int(note.end * 4), start + 1)] = HOLD
        image[row, start] = ONSET
    return np.asarray(image.repeat(PIXELS_PER_CELL, 0).repeat(PIXELS_PER_CELL, 1))
