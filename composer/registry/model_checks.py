"""Checks of what models, networks and samplers return; they work as those of `result_checks`."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from composer.registry.result_checks import GUARDED_SIZE, InvalidResult, expect, expect_methods, shown


def network(value: Any, *_: Any) -> Any:
    """Check that a model returned a network."""
    from composer.api.network import Network

    return expect(value, Network, "a Network")


def suggestion(value: Any, *_: Any) -> Any:
    """Check suggested settings: a mapping by name."""
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise InvalidResult(f"it returned {shown(value)}, not a mapping of settings by name")
    return value


def sampler(value: Any, *_: Any) -> Any:
    """Check that a sampler, which may be None, has all its methods, and is not a module of torch."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.nn.Module):
        raise InvalidResult(f"it returned {type(value).__name__}, a module of torch, not a Sampler in numpy")
    names = ("initial_state", "advance", "sample", "gather_rows", "log_prob")
    return value if value is None else expect_methods(value, "a sampler", *names)


def phases(value: Any, *_: Any) -> Any:
    """Check the phases of a training."""
    from composer.api.network import Phase

    if not isinstance(value, Sequence) or not value or not all(isinstance(each, Phase) for each in value):
        raise InvalidResult(f"it returned {shown(value)}, which is not a list with a Phase or more")
    return value


def loss(value: Any, *_: Any) -> Any:
    """Check a loss and the state after it."""
    from composer.api.network import Loss

    found = _pair(value, Loss, "a Loss")
    for name in ("objective", "monitor"):
        shape = tuple(getattr(getattr(found, name), "shape", ("no tensor",)))
        if shape != ():
            raise InvalidResult(f"`{name}` of a Loss must be a tensor without dimensions, not {shape}")
    return value


def measurement(value: Any, *_: Any) -> Any:
    """Check a measurement and the state after it."""
    from composer.api.network import Measurement

    found = _pair(value, Measurement, "a Measurement")
    if not all(isinstance(each, int | float) for each in (found.total, found.count)):
        raise InvalidResult(f"`total` and `count` must be floats, not {shown((found.total, found.count))}")
    return value


def hidden_states(value: Any, _network: Any, batch: Any, *_: Any) -> Any:
    """Check the activations of hidden units (B, T, U), and the state after them."""
    if not isinstance(value, tuple) or len(value) != 2:
        raise InvalidResult(f"it returned {shown(value)}, not activations and a state")
    expected, found = tuple(batch.inputs.shape[:2]), tuple(getattr(value[0], "shape", ()))
    if len(found) != 3 or found[:2] != expected or not found[2]:
        raise InvalidResult(f"the activations must have the shape {(*expected, 'U')}, not {found}")
    if not bool(value[0].isfinite().all()):
        raise InvalidResult("an activation is not finite")
    return value


def draw(value: Any, sampler: Any, *_: Any) -> Any:
    """Check a draw: one step a row, with a probability."""
    _check_draw(value, 1)
    if value.steps.ndim == 1:
        low, high = int(value.steps.min()), int(value.steps.max())
        size = getattr(sampler, GUARDED_SIZE)
        if low < 0 or high >= size:
            raise InvalidResult(f"step {low if low < 0 else high} is not from 0 to {size - 1}")
    return value


def block(value: Any, sampler: Any, *_: Any) -> Any:
    """Check the draws of many steps, and the state after them."""
    if not isinstance(value, tuple) or len(value) != 2:
        raise InvalidResult(f"it returned {shown(value)}, not a Draw and a state")
    _check_draw(value[0], 2)
    return value


def log_prob(value: Any, *_: Any) -> Any:
    """Check log-probabilities (B,)."""
    if getattr(value, "ndim", None) != 1:
        raise InvalidResult(f"log-probabilities must be an array (B,), not {shown(value)}")
    if math.isnan(value.sum()):
        raise InvalidResult("a log-probability is NaN")
    return value


def _check_draw(value: Any, dimensions: int) -> Any:
    from composer.api.sampling.filters import Draw

    expect(value, Draw, "a Draw")
    shape = getattr(value.logp, "shape", None)
    if shape is None or len(shape) != dimensions or value.steps.shape[:dimensions] != shape:
        raise InvalidResult(
            f"steps and logp must have one row per piece, not the shapes {_shape(value.steps)}, {shape}"
        )
    if math.isnan(value.logp.sum()):
        raise InvalidResult("the probability of a step is NaN; the weights or the logits are not finite")
    return value


def _shape(value: Any) -> Any:
    return getattr(value, "shape", type(value).__name__)


def _pair(value: Any, kind: type[Any], what: str) -> Any:
    if not isinstance(value, tuple) or len(value) != 2 or not isinstance(value[0], kind):
        raise InvalidResult(f"it returned {shown(value)}, not {what} and a state")
    return value[0]
