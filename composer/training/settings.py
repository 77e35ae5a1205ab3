"""The settings of a training run, which `--set` and presets change."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from composer.api import OptionError, UsageError

MINIMUM = {
    "batch_size": 1, "seq_length": 1, "max_updates": 0, "warmup": 0, "decay": 0, "weight_decay": 0, "momentum": 0,
    "max_grad_norm": 0, "patience": 0, "ema": 0, "checkpoint_chunks": 1, "validate_every": 0, "save_every": 0,
    "align": 0, "seed": 0,
}  # fmt: skip

Schedule = Literal["constant", "exponential", "linear", "cosine"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a training run. Raises OptionError for a value out of range."""

    epochs: int | None = field(default=None, metadata={"help": "passes over the training data; none: automatic"})
    max_updates: int = field(default=0, metadata={"help": "stop after this many updates; 0: no limit"})
    batch_size: int = field(default=64, metadata={"help": "sequences per batch"})
    seq_length: int = field(
        default=128, metadata={"help": "tokens or frames per sequence (truncated backpropagation through time)"}
    )
    lr: float = field(default=5e-3, metadata={"help": "peak learning rate"})
    schedule: Schedule = field(default="cosine", metadata={"help": "learning-rate schedule"})
    warmup: int = field(default=50, metadata={"help": "updates of linear warmup"})
    decay: float = field(default=0.97, metadata={"help": "factor per epoch of the exponential schedule"})
    optimizer: Literal["adam", "adamw", "sgd"] = field(default="adam", metadata={"help": "optimizer"})
    weight_decay: float = field(default=0.0, metadata={"help": "weight-decay coefficient"})
    momentum: float = field(default=0.0, metadata={"help": "momentum of sgd"})
    max_grad_norm: float = field(default=1.0, metadata={"help": "gradient clipping threshold; 0: no clipping"})
    clip_by: Literal["norm", "value"] = field(
        default="norm", metadata={"help": "clip the gradient's norm or each value"}
    )
    ema: float = field(
        default=0.0, metadata={"help": "decay of the exponential moving average of the weights, such as 0.999; 0: none"}
    )
    patience: int = field(
        default=10, metadata={"help": "stop after this many validations without improvement; 0: never"}
    )
    validate_every: int = field(default=0, metadata={"help": "updates between validations; 0: about an epoch"})
    save_every: float = field(default=60.0, metadata={"help": "seconds between saves of the training state"})
    snapshots: tuple[int, ...] = field(default=(), metadata={"help": "updates after which to save a snapshot"})
    precision: Literal["auto", "fp32", "bf16"] = field(default="auto", metadata={"help": "auto: bf16 if it is faster"})
    checkpoint_chunks: int = field(
        default=1, metadata={"help": "gradient-checkpointing segments per sequence; more segments save memory"}
    )
    align: int = field(default=0, metadata={"help": "start pieces at multiples of this many steps; 0: automatic"})
    contiguous: bool = field(
        default=False,
        metadata={"help": "train on all pieces as one sequence, in order; the state is carried across pieces"},
    )
    seed: int = field(default=0, metadata={"help": "random seed of initial weights, shuffling and dropout"})

    def __post_init__(self) -> None:
        if self.epochs is not None and self.epochs < 1:
            raise OptionError(f"`epochs` cannot be {self.epochs}", "give a whole number above 0")
        for name, minimum in MINIMUM.items():
            if not minimum <= getattr(self, name) < 2**63:  # also rejects nan
                raise OptionError(f"`{name}` cannot be {getattr(self, name)}", f"give {minimum} or more")
        if self.ema >= 1:
            raise OptionError(f"`ema` cannot be {self.ema:g}", "give a number below 1, such as 0.999")
        if not (0 < self.lr < math.inf):
            raise OptionError(f"`lr` cannot be {self.lr:g}", "give a number above 0, such as 0.003")
        if self.contiguous and self.align > 1:
            raise OptionError(
                f"`align` cannot be {self.align} with contiguous=on", "leave one out: a contiguous text has no gaps"
            )
        if any(update < 0 for update in self.snapshots):
            raise OptionError(f"`snapshots` cannot contain {min(self.snapshots)}", "give numbers of 0 or more")

    def check(self, *, augment: bool) -> None:
        """Raise UsageError for contiguous training on transposed copies: each piece would follow its own copy."""
        if self.contiguous and augment:
            raise UsageError(
                "--augment and --set contiguous=on exclude each other",
                "train with --augment alone, then fine-tune that model: --from MODEL --set contiguous=on",
            )
