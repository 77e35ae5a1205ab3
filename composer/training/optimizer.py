"""How to descend: the settings of a run, the learning rate at each step, the optimiser, the precision."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from composer.api import DeviceError, OptionError, UsageError
from composer.training.without_dynamo import uncompiled

if TYPE_CHECKING:
    import torch

LEAST = {
    "batch": 1, "length": 1, "max_steps": 0, "warmup": 0, "decay": 0, "weight_decay": 0, "momentum": 0, "clip": 0,
    "patience": 0, "average": 0, "checkpoint_chunks": 1, "validate_every": 0, "save_every": 0, "align": 0, "seed": 0,
}  # fmt: skip
"""The least value of each setting."""

Schedule = Literal["constant", "exponential", "linear", "cosine"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a training run. Raises OptionError for values that make no sense."""

    epochs: int | None = field(default=None, metadata={"help": "times to go through the pieces; none: chosen"})
    max_steps: int = field(default=0, metadata={"help": "stop after this many steps; 0: no such limit"})
    batch: int = field(default=64, metadata={"help": "rows that are learnt from side by side"})
    length: int = field(default=128, metadata={"help": "steps of a window, through which errors are propagated back"})
    lr: float = field(default=5e-3, metadata={"help": "the highest learning rate"})
    schedule: Schedule = field(default="cosine", metadata={"help": "how the learning rate falls"})
    warmup: int = field(default=50, metadata={"help": "steps over which the learning rate rises"})
    decay: float = field(default=0.97, metadata={"help": "factor for each epoch of the exponential schedule"})
    optimiser: Literal["adam", "adamw", "sgd"] = field(default="adam", metadata={"help": "the method of descent"})
    weight_decay: float = field(default=0.0, metadata={"help": "pull of the weights towards zero"})
    momentum: float = field(default=0.0, metadata={"help": "momentum of sgd"})
    clip: float = field(default=1.0, metadata={"help": "largest gradient; 0: any"})
    clip_by: Literal["norm", "value"] = field(default="norm", metadata={"help": "what of the gradient is clipped"})
    average: float = field(
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
    stream: bool = field(
        default=False, metadata={"help": "learn the pieces as one text in their order, each after the one before"}
    )
    seed: int = field(default=0, metadata={"help": "decides the first weights, the order of pieces and the dropout"})

    def __post_init__(self) -> None:
        if self.epochs is not None and self.epochs < 1:
            raise OptionError(f"`epochs` cannot be {self.epochs}", "give a whole number above 0")
        for name, least in LEAST.items():
            if not least <= getattr(self, name) < 2**63:  # nan is no number either
                raise OptionError(f"`{name}` cannot be {getattr(self, name)}", f"give a number from {least} on")
        if self.average >= 1:
            raise OptionError(f"`average` cannot be {self.average:g}", "give a number below 1, such as 0.999")
        if not (0 < self.lr < math.inf):
            raise OptionError(f"`lr` cannot be {self.lr:g}", "give a number above 0, such as 0.003")
        if self.stream and self.align > 1:
            raise OptionError(
                f"`align` cannot be {self.align} where `stream` is on", "leave one out: in one text there are no gaps"
            )
        if any(step < 0 for step in self.snapshots):
            raise OptionError(f"a snapshot cannot be at step {min(self.snapshots)}", "give steps from 0 on")

    def check(self, *, augment: bool) -> None:
        """Raise UsageError where pieces in other keys would be a part of the one text, each right behind its like."""
        if self.stream and augment:
            raise UsageError(
                "--augment and --set stream=on do not go together: each piece would be followed by its like",
                "learn in all keys with --set stream=off, then give that model to --from, with --set stream=on alone",
            )


def epochs(settings: Settings, per_epoch: int) -> int:
    """How often to go through the pieces: what was asked for, else at least 20 times, and more where they are few."""
    return settings.epochs or max(20, math.ceil(1500 / max(1, per_epoch)))


def learning_rate(settings: Settings, highest: float, step: int, steps: int, per_epoch: int) -> float:
    """The learning rate of step `step` (from 0) of `steps`: a function of the step alone, so that resuming is exact."""
    warmup = min(settings.warmup, steps // 10)
    if step < warmup:
        return highest * (step + 1) / warmup
    share = (step - warmup) / max(1, steps - warmup)
    falling = {
        "constant": 1.0,
        "exponential": settings.decay ** (step // max(1, per_epoch)),
        "linear": 1 - share,
        "cosine": 0.5 * (1 + math.cos(math.pi * share)),
    }
    # the last steps of a long run would move nothing if the rate fell to zero
    return highest * max(falling[settings.schedule], 0.0 if settings.schedule == "exponential" else 0.01)


def optimiser(settings: Settings, parameters: Iterable[torch.nn.Parameter], device: str) -> torch.optim.Optimizer:
    """The optimiser, in its fused form where there is one."""
    import torch

    fused = device != "mps"
    if settings.optimiser == "sgd":
        return uncompiled(torch.optim.SGD)(
            parameters, settings.lr, settings.momentum, weight_decay=settings.weight_decay, fused=fused
        )
    kind = torch.optim.AdamW if settings.optimiser == "adamw" else torch.optim.Adam
    return uncompiled(kind)(parameters, settings.lr, weight_decay=settings.weight_decay, fused=fused)


def clip(settings: Settings, parameters: list[torch.nn.Parameter]) -> None:
    """Clip the gradients in place."""
    import torch

    if settings.clip and settings.clip_by == "norm":
        torch.nn.utils.clip_grad_norm_(parameters, settings.clip)
    elif settings.clip:
        torch.nn.utils.clip_grad_value_(parameters, settings.clip)


def precision(asked: str, device: str) -> str:
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
