"""The settings of a training run, which `--set` and presets change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from composer.api import OptionError, UsageError
from composer.api.fields import invalid_setting, option

MINIMUM = {
    "epochs": 1, "batch_size": 1, "seq_length": 1, "max_updates": 0, "warmup": 0, "decay": 0, "weight_decay": 0,
    "momentum": 0, "max_grad_norm": 0, "patience": 0, "ema": 0, "checkpoint_chunks": 1, "validate_every": 0,
    "save_every": 0, "align": 0, "seed": 0,
}  # fmt: skip

MAX_LR = 1000
"""Learning rates in use are far below 1."""

Schedule = Literal["constant", "exponential", "linear", "cosine"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a training run. Raises OptionError for a value out of range."""

    epochs: int | None = option(None, "passes over the training data; none = automatic")
    max_updates: int = option(0, "stop after this many updates; 0 = no limit")
    batch_size: int = option(64, "sequences per batch")
    seq_length: int = option(128, "tokens or frames per sequence (truncated backpropagation through time)")
    lr: float = option(5e-3, "peak learning rate")
    schedule: Schedule = option("cosine", "learning-rate schedule")
    warmup: int = option(50, "updates of linear learning-rate warmup")
    decay: float = option(0.97, "learning-rate factor per epoch of the exponential schedule")
    optimizer: Literal["adam", "adamw", "sgd"] = option("adam", "optimizer")
    weight_decay: float = option(0.0, "weight-decay coefficient")
    momentum: float = option(0.0, "momentum, for `optimizer=sgd`")
    max_grad_norm: float = option(1.0, "gradient clipping threshold; 0 = no clipping")
    clip_by: Literal["norm", "value"] = option("norm", "clip the gradient's norm or each value")
    ema: float = option(0.0, "decay of the exponential moving average of the weights, such as 0.999; 0 = off")
    patience: int = option(10, "stop after this many validations without improvement; 0 = never")
    validate_every: int = option(0, "updates between validations; 0 = about an epoch")
    save_every: float = option(60.0, "seconds between saves of the training state")
    snapshots: tuple[int, ...] = option((), "updates after which to save a snapshot", metavar="UPDATES")
    snapshot_epochs: tuple[int, ...] = option((), "epochs after which to save a snapshot", metavar="EPOCHS")
    precision: Literal["auto", "fp32", "bf16"] = option("auto", "number format; auto = bf16 if faster, else fp32")
    checkpoint_chunks: int = option(1, "gradient-checkpointing segments per sequence; more segments use less memory")
    align: int = option(0, "start pieces at multiples of this many steps; 0 = automatic")
    contiguous: bool = option(
        False, "train on all pieces as one sequence, in order; the state is carried across pieces"
    )
    seed: int = option(0, "random seed for initial weights, shuffling and dropout")

    def __post_init__(self) -> None:
        for name, minimum in MINIMUM.items():
            value = getattr(self, name)
            if value is not None and not minimum <= value < 2**63:  # also rejects nan
                raise invalid_setting(self, name, f"use {minimum} or more")
        if self.ema >= 1:
            raise invalid_setting(self, "ema", "use a number below 1, such as --set ema=0.999")
        if not (0 < self.lr <= MAX_LR):
            raise invalid_setting(self, "lr", f"use a number above 0, at most {MAX_LR}")
        if self.contiguous and self.align > 1:
            raise OptionError("`align` cannot be combined with `contiguous`", "leave out --set align")
        if any(update < 0 for update in self.snapshots):
            raise invalid_setting(self, "snapshots", "use numbers of updates, such as --set snapshots=0,500,1000")
        if any(epoch < 0 for epoch in self.snapshot_epochs):
            raise invalid_setting(self, "snapshot_epochs", "use numbers of epochs, such as --set snapshot_epochs=10,20")

    def check(self, *, augment: bool) -> None:
        """Raise UsageError for contiguous training on transposed copies: each piece would follow its own copy."""
        if self.contiguous and augment:
            raise UsageError(
                "--augment cannot be combined with --set contiguous=on",
                "leave out --augment, or train with it first and then fine-tune: --from NAME --set contiguous=on",
                flags=("--augment", "--set"),
            )
