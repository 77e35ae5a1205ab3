"""Optimizer, learning-rate schedule, gradient clipping and precision."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from composer.api import DeviceError
from composer.training.settings import Settings

if TYPE_CHECKING:
    import torch

P = ParamSpec("P")
Optimizer = TypeVar("Optimizer", bound="torch.optim.Optimizer")

_DYNAMO_DISABLED = "__dynamo_disable"
"""The attribute in which `torch._compile` looks up an uncompiled function before it loads the compiler."""


def epoch_count(settings: Settings, updates_per_epoch: int) -> int:
    """Return the epochs to train: those set, else at least 20, and more for few pieces."""
    return settings.epochs or max(20, math.ceil(1500 / max(1, updates_per_epoch)))


def learning_rate(settings: Settings, peak: float, update: int, updates: int, updates_per_epoch: int) -> float:
    """Return the learning rate of update `update` (from 0) of `updates`.

    It depends on the update number alone, so that resuming is exact.
    """
    warmup = min(settings.warmup, updates // 10)
    if update < warmup:
        return peak * (update + 1) / warmup
    share = (update - warmup) / max(1, updates - warmup)
    factor = {
        "constant": 1.0,
        "exponential": settings.decay ** (update // max(1, updates_per_epoch)),
        "linear": 1 - share,
        "cosine": 0.5 * (1 + math.cos(math.pi * share)),
    }
    # the last updates of a long run would change nothing if the rate fell to zero
    return peak * max(factor[settings.schedule], 0.0 if settings.schedule == "exponential" else 0.01)


def make_optimizer(settings: Settings, parameters: Iterable[torch.nn.Parameter], device: str) -> torch.optim.Optimizer:
    """Return the optimizer of the settings, fused if the device supports it.

    torch has no optimizer without parameters, so that of a network without any changes an empty one.
    """
    import torch

    parameters = list(parameters) or [torch.nn.Parameter(torch.zeros(0, device=device))]

    fused = device != "mps"
    if settings.optimizer == "sgd":
        return without_dynamo(torch.optim.SGD)(
            parameters, settings.lr, settings.momentum, weight_decay=settings.weight_decay, fused=fused
        )
    adam = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return without_dynamo(adam)(parameters, settings.lr, weight_decay=settings.weight_decay, fused=fused)


def without_dynamo(optimizer: Callable[P, Optimizer]) -> Callable[P, Optimizer]:
    """Return an optimizer class whose methods do not load torch's compiler, or `optimizer` if it is loaded already.

    The first optimizer of a process imports `torch._dynamo`, some 800 modules and as slow as torch itself, only to
    exclude its methods from compilation. Nothing here is compiled. This uses names that are private to torch; if they
    are gone, the compiler is loaded.
    """
    import torch

    step = getattr(getattr(optimizer, "step", None), "__wrapped__", None)
    if step is None or "torch._dynamo" in sys.modules:
        return optimizer
    for name in ("add_param_group", "zero_grad", "state_dict", "load_state_dict"):
        method = getattr(getattr(torch.optim.Optimizer, name), "__wrapped__", None)
        if method is not None and not hasattr(method, _DYNAMO_DISABLED):
            setattr(method, _DYNAMO_DISABLED, method)
    # the wrapper of `step` only switches gradients, which are always off here, and informs the compiler
    base = cast("type[Optimizer]", optimizer)
    return cast("Callable[P, Optimizer]", type(base.__name__, (base,), {"step": torch.no_grad()(step)}))


def clip_gradients(settings: Settings, parameters: list[torch.nn.Parameter]) -> None:
    """Clip the gradients in place."""
    import torch

    if settings.max_grad_norm and settings.clip_by == "norm":
        torch.nn.utils.clip_grad_norm_(parameters, settings.max_grad_norm)
    elif settings.max_grad_norm:
        torch.nn.utils.clip_grad_value_(parameters, settings.max_grad_norm)


def choose_precision(requested: str, device: str, before: str | None = None) -> str:
    """Return `bf16` or `fp32`. Raises DeviceError for a `bf16` that does not run.

    `auto` is what a resumed training had `before`, for the same rounding, if it runs; else bf16 if it is faster.
    On a CPU, only matrix units for bf16 (AMX) make it faster. Measured with a 2 x 256 LSTM on a CPU that has AVX-512
    instructions for bf16 but no AMX: 0.6 of the speed of fp32.
    """
    import torch

    if requested == "bf16" and (obstacle := bf16_obstacle(device)):
        raise DeviceError(f"`{device}` cannot train in bf16: {obstacle}", "train with --set precision=fp32")
    if requested != "auto":
        return requested
    if before == "fp32" or (before == "bf16" and not bf16_obstacle(device)):
        return before
    has_amx = getattr(torch.cpu, "_is_amx_tile_supported", bool)  # a private name, which may go
    faster = torch.cuda.is_bf16_supported() if device.startswith("cuda") else device == "cpu" and has_amx()
    return "bf16" if faster and not bf16_obstacle(device) else "fp32"


@cache
def bf16_obstacle(device: str) -> str:
    """Return why `device` cannot train in bf16, found by trying one small step; empty if it can.

    The processor's own report is not enough: libraries have further conditions.
    """
    import torch

    try:
        with torch.random.fork_rng(devices=[]):  # later random numbers must not depend on this
            lstm = torch.nn.LSTM(8, 8, batch_first=True).to(device)
        with autocast("bf16", device):
            outputs, _ = lstm(torch.zeros(2, 2, 8, device=device))
        loss = outputs.float().sum()
        loss.backward()
        loss.item()  # waits for the device
    except RuntimeError as error:
        return str(error).partition("\n")[0].partition(". ")[0] or type(error).__name__
    return ""


def autocast(precision: str, device: str) -> contextlib.AbstractContextManager[Any]:
    """Return the context in which to compute a loss."""
    import torch

    if precision == "fp32":
        return contextlib.nullcontext()
    return torch.autocast(device.partition(":")[0], torch.bfloat16)
