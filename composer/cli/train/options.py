"""The options of `composer train`: their flags and help are derived from these fields."""

# No `from __future__ import annotations`: the strings would be evaluated at every start.

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from composer.api.fields import check_ranges, invalid_value, option
from composer.training.settings import MAX_LR

if TYPE_CHECKING:
    from composer.data.splits import SplitSettings

__all__ = ["TrainOptions"]

DATA, TRAINING, OUTPUT = "Data", "Training", "Output"
_NUMBER: Mapping[str, Any] = {"metavar": "N", "panel": TRAINING, "maximum": 2**63 - 1}
_SETTING_FLAGS = ("epochs", "max_updates", "batch_size", "lr", "seed")


def _snapshots(text: str) -> tuple[str, ...]:
    """Return the parts of `0,500,10e`: numbers of updates, and of epochs with an `e`. Raises OptionError."""
    parts = tuple(part.strip() for part in text.split(",") if part.strip())
    if not all(part.removesuffix("e").isdecimal() for part in parts):
        hint = "use numbers of updates, such as 0,500,1000, or of epochs, such as 10e,20e"
        raise invalid_value("--snapshots", text, hint)
    return parts


def _labels(text: str) -> tuple[str, ...]:
    """Return the names in `meter,mode`; none for `none`."""
    return () if text.strip().lower() == "none" else tuple(part.strip() for part in text.split(",") if part.strip())


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """Options of `composer train`; `shares` are those of the split in a preset."""

    representation: str = option(help="Representation, such as abc.", argument="REP")
    files: tuple[str, ...] = option(
        (), "Files, folders, globs, zip archives, or corpus:NAME from music21.", argument="FILE...", repeated=True
    )
    representation_options: tuple[str, ...] = option(
        (), "Representation option; see `composer plugins REP`.", "--option", "-O",
        metavar="KEY=VALUE", panel=DATA, repeated=True,
    )  # fmt: skip
    valid: tuple[str, ...] = option(
        (), "Held-out files, after the other files. [default: a tenth of the pieces]",
        metavar="FILE...", panel=DATA, repeated=True,
    )  # fmt: skip
    split: Path | None = option(
        None, "File that assigns each piece to train, valid or test.", metavar="FILE", panel=DATA
    )
    augment: bool = option(False, "Augment the training data with variants, such as transpositions.", panel=DATA)
    conditions: tuple[str, ...] | None = option(
        None, "Labels to condition the model on, such as meter,mode; `none` for none.",
        metavar="LABELS", panel=DATA, parse=_labels,
    )  # fmt: skip
    preset: str | None = option(
        None, "Use the settings of a published system; see `composer presets`.", metavar="PRESET", panel=TRAINING
    )
    model: str | None = option(
        None, "Model architecture. [default: attn-lstm if possible; lstm with --set]", metavar="MODEL", panel=TRAINING
    )
    epochs: int | None = option(None, "Passes over the training data.", minimum=1, **_NUMBER)
    max_updates: int | None = option(
        None, "Stop after N updates, including pretraining; 0 = no limit.", minimum=0, **_NUMBER
    )
    batch_size: int | None = option(None, "Sequences per batch.", minimum=1, **_NUMBER)
    lr: float | None = option(
        None, "Peak learning rate.", minimum=1e-300, maximum=MAX_LR, panel=TRAINING, metavar="RATE",
        hint=f"use a number above 0, at most {MAX_LR}, such as --lr 0.003",
    )  # fmt: skip
    seed: int | None = option(None, "Random seed.", minimum=0, **_NUMBER)
    settings: tuple[str, ...] = option(
        (), "Model or training setting; see `composer plugins MODEL`.", "--set",
        metavar="KEY=VALUE", panel=TRAINING, repeated=True,
    )  # fmt: skip
    device: str = option("auto", "Device: auto, cpu, cuda or mps.", metavar="DEVICE", panel=TRAINING)
    name: str | None = option(
        None, "Name of the model. [default: a free one, such as abc-2]", metavar="NAME", panel=OUTPUT
    )
    output: Path | None = option(
        None, "Also write the trained model to this .safetensors file.", "-o", "--output", metavar="FILE", panel=OUTPUT
    )
    resume: bool = option(False, "Resume the run called --name, or the newest run of REP.", panel=OUTPUT)
    origin: Path | None = option(None, "Model to fine-tune: name or file.", "--from", metavar="NAME", panel=OUTPUT)
    default_temp: float | None = option(
        None, "Temperature that `gen` samples this model at by default. [default: that of --from, else 1]",
        metavar="T", panel=OUTPUT, minimum=0, maximum=1e6,
    )  # fmt: skip
    snapshots: tuple[str, ...] | None = option(
        None, "Generate a piece after these updates, such as 0,500,1000, or epochs, such as 10e,20e.",
        metavar="UPDATES", panel=OUTPUT, parse=_snapshots,
    )  # fmt: skip
    log_dir: Path | None = option(
        None, "Write TensorBoard logs to a new folder in this one.", metavar="FOLDER", panel=OUTPUT
    )
    force: bool = option(False, "Overwrite the model called --name, and the --output file.", panel=OUTPUT)
    json: bool = option(False, "Print each event as a line of JSON.")
    quiet: bool = option(False, "Print only warnings and errors.", "-q", "--quiet")
    shares: Mapping[str, Any] = field(default_factory=dict, metadata={"internal": True})

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def split_settings(self) -> "SplitSettings":
        """How to split the pieces."""
        from composer.data.splits import SplitSettings

        return SplitSettings(valid_files=self.valid, listing=self.split, **self.shares)

    @property
    def setting_flags(self) -> dict[str, object]:
        """The training settings that have flags of their own, if given."""
        given = {name: value for name in _SETTING_FLAGS if (value := getattr(self, name)) is not None}
        if self.snapshots is None:
            return given
        updates = tuple(int(each) for each in self.snapshots if each.isdecimal())
        epochs = tuple(int(each[:-1]) for each in self.snapshots if not each.isdecimal())
        return {**given, "snapshots": updates, "snapshot_epochs": epochs}
