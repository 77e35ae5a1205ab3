"""How to descend: the settings of a run, the learning rate at each step, the optimiser, the precision."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from composer.api import DeviceError, OptionError, UsageError
from composer.training.without_dynamo import without_dynamo

if TYPE_CHECKING:
    import torch

MINIMUM = {
    "batch_size": 1, "seq_length": 1, "max_updates": 0, "warmup": 0, "decay": 0, "weight_decay": 0, "momentum": 0,
    "max_grad_norm": 0, "patience": 0, "ema": 0, "checkpoint_chunks": 1, "validate_every": 0, "save_every": 0,
    "align": 0, "seed": 0,
}  # fmt: skip
"""The least value of each setting."""

Schedule = Literal["constant", "exponential", "linear", "cosine"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a training run. Raises OptionError for values that make no sense."""

    epochs: int | None = field(default=None, metadata={"help": "times to go through the pieces; none: chosen"})
    max_updates: int = field(default=0, metadata={"help": "stop after this many steps; 0: no such limit"})
    batch_size: int = field(default=64, metadata={"help": "rows that are learnt from side by side"})
    seq_length: int = field(
        default=128, metadata={"help": "steps of a window, through which errors are propagated back"}
    )
    lr: float = field(default=5e-3, metadata={"help": "the highest learning rate"})
    schedule: Schedule = field(default="cosine", metadata={"help": "how the learning rate falls"})
    warmup: int = field(default=50, metadata={"help": "steps over which the learning rate rises"})
    decay: float = field(default=0.97, metadata={"help": "factor for each epoch of the exponential schedule"})
    optimizer: Literal["adam", "adamw", "sgd"] = field(default="adam", metadata={"help": "the method of descent"})
    weight_decay: float = field(default=0.0, metadata={"help": "pull of the weights towards zero"})
    momentum: float = field(default=0.0, metadata={"help": "momentum of sgd"})
    max_grad_norm: float = field(default=1.0, metadata={"help": "largest gradient; 0: any"})
    clip_by: Literal["norm", "value"] = field(default="norm", metadata={"help": "what of the gradient is clipped"})
    ema: float = field(
        default=0.0,
        metadata={"help": "share of the old in the average of weights kept (snapshots too), such as 0.999; 0: none"},
    )
    patience: int = field(
        default=10, metadata={"help": "stop after so many validations without a better one; 0: never"}
    )
    validate_every: int = field(default=0, metadata={"help": "steps between validations; 0: about an epoch"})
    save_every: float = field(default=60.0, metadata={"help": "seconds between savings of the training state"})
    snapshots: tuple[int, ...] = field(default=(), metadata={"help": "steps at which the model is kept as it is"})
    precision: Literal["auto", "fp32", "bf16"] = field(
        default="auto", metadata={"help": "auto: bf16 where it is faster"}
    )
    checkpoint_chunks: int = field(
        default=1, metadata={"help": "stretches of a window whose activations are computed again, to save memory"}
    )
    align: int = field(default=0, metadata={"help": "pieces begin at multiples of this in a row; 0: chosen"})
    contiguous: bool = field(
        default=False, metadata={"help": "learn the pieces as one text in their order, each after the one before"}
    )
    seed: int = field(default=0, metadata={"help": "decides the first weights, the order of pieces and the dropout"})

    def __post_init__(self) -> None:
        if self.epochs is not None and self.epochs < 1:
            raise OptionError(f"`epochs` cannot be {self.epochs}", "give a whole number above 0")
        for name, least in MINIMUM.items():
            if not least <= getattr(self, name) < 2**63:  # nan is no number either
                raise OptionError(f"`{name}` cannot be {getattr(self, name)}", f"give a number from {least} on")
        if self.ema >= 1:
            raise OptionError(f"`average` cannot be {self.ema:g}", "give a number below 1, such as 0.999")
        if not (0 < self.lr < math.inf):
            raise OptionError(f"`lr` cannot be {self.lr:g}", "give a number above 0, such as 0.003")
        if self.contiguous and self.align > 1:
            raise OptionError(
                f"`align` cannot be {self.align} where `stream` is on", "leave one out: in one text there are no gaps"
            )
        if any(step < 0 for step in self.snapshots):
            raise OptionError(f"a snapshot cannot be at step {min(self.snapshots)}", "give steps from 0 on")

    def check(self, *, augment: bool) -> None:
        """Raise UsageError where pieces in other keys would be a part of the one text, each right behind its like."""
        if self.contiguous and augment:
            raise UsageError(
                "--augment and --set contiguous=on do not go together: each piece would be followed by its like",
                "train with --augment alone, then fine-tune that model: --from MODEL --set contiguous=on",
            )


def epoch_count(settings: Settings, per_epoch: int) -> int:
    """How often to go through the pieces: what was asked for, else at least 20 times, and more where they are few."""
    return settings.epochs or max(20, math.ceil(1500 / max(1, per_epoch)))


def learning_rate(settings: Settings, peak: float, update: int, updates: int, per_epoch: int) -> float:
    """The learning rate of step `update` (from 0) of `updates`: a function of the step alone, so that resuming is
    exact.
    """
    warmup = min(settings.warmup, updates // 10)
    if update < warmup:
        return peak * (update + 1) / warmup
    share = (update - warmup) / max(1, updates - warmup)
    falling = {
        "constant": 1.0,
        "exponential": settings.decay ** (update // max(1, per_epoch)),
        "linear": 1 - share,
        "cosine": 0.5 * (1 + math.cos(math.pi * share)),
    }
    # the last steps of a long run would move nothing if the rate fell to zero
    return peak * max(falling[settings.schedule], 0.0 if settings.schedule == "exponential" else 0.01)


def make_optimizer(settings: Settings, parameters: Iterable[torch.nn.Parameter], device: str) -> torch.optim.Optimizer:
    """The optimiser, in its fused form where there is one."""
    import torch

    fused = device != "mps"
    if settings.optimizer == "sgd":
        return without_dynamo(torch.optim.SGD)(
            parameters, settings.lr, settings.momentum, weight_decay=settings.weight_decay, fused=fused
        )
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return without_dynamo(kind)(parameters, settings.lr, weight_decay=settings.weight_decay, fused=fused)


def clip_gradients(settings: Settings, parameters: list[torch.nn.Parameter]) -> None:
    """Clip the gradients in place."""
    import torch

    if settings.max_grad_norm and settings.clip_by == "norm":
        torch.nn.utils.clip_grad_norm_(parameters, settings.max_grad_norm)
    elif settings.max_grad_norm:
        torch.nn.utils.clip_grad_value_(parameters, settings.max_grad_norm)


def choose_precision(asked: str, device: str) -> str:
    """`bf16` or `fp32`; `auto` is bf16 where it is faster. Raises DeviceError for a `bf16` that does not run.

    On a CPU, only matrix units for bf16 (AMX) make it faster. Measured with a 2 x 256 LSTM on a CPU that has AVX-512
    instructions for bf16 but no AMX: 0.6 of the speed of fp32.
    """
    import torch

    if asked == "bf16" and (obstacle := bf16_obstacle(device)):
        raise DeviceError(f"`{device}` cannot train in bf16: {obstacle}", "train with --set precision=fp32")
    if asked != "auto":
        return asked
    has_amx = getattr(torch.cpu, "_is_amx_tile_supported", bool)  # a private name, which may go
    faster = torch.cuda.is_bf16_supported() if device.startswith("cuda") else device == "cpu" and has_amx()
    return "bf16" if faster and not bf16_obstacle(device) else "fp32"


@cache
def bf16_obstacle(device: str) -> str:
    """Why `device` cannot train in bf16, found by trying one small step; empty where it can.

    What the processor reports does not tell: libraries have conditions of their own.
    """
    import torch

    try:
        with torch.random.fork_rng(devices=[]):  # what is drawn afterwards must not depend on this
            lstm = torch.nn.LSTM(8, 8, batch_first=True).to(device)
        with autocast("bf16", device):
            outputs, _ = lstm(torch.zeros(2, 2, 8, device=device))
        loss = outputs.float().sum()
        loss.backward()
        loss.item()  # waits for the device
    except RuntimeError as error:
        return str(error).partition("\n")[0].partition(". ")[0] or type(error).__name__
    return ""


def autocast(kind: str, device: str) -> contextlib.AbstractContextManager[Any]:
    """The context in which a loss is computed."""
    import torch

    if kind == "fp32":
        return contextlib.nullcontext()
    return torch.autocast(device.partition(":")[0], torch.bfloat16)
