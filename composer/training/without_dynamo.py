"""torch's optimisers without torch's compiler, which they load for nothing.

The first optimiser of a process imports `torch._dynamo`, some 800 modules and as long as torch itself takes, only to
tell the compiler to leave its methods alone. Nothing here is compiled.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    import torch

P = ParamSpec("P")
Kind = TypeVar("Kind", bound="torch.optim.Optimizer")

_MARK = "__dynamo_disable"
"""The attribute in which `torch._compile` looks up what the compiler made of a function, before it loads it."""


def without_dynamo(kind: Callable[P, Kind]) -> Callable[P, Kind]:
    """The class `kind` with methods that do not load the compiler, and `kind` itself where that is loaded already.

    It does so by names that are private to torch; where these are gone, the compiler is loaded as before.
    """
    import torch

    step = getattr(getattr(kind, "step", None), "__wrapped__", None)
    if step is None or "torch._dynamo" in sys.modules:
        return kind
    for name in ("add_param_group", "zero_grad", "state_dict", "load_state_dict"):
        method = getattr(getattr(torch.optim.Optimizer, name), "__wrapped__", None)
        if method is not None and not hasattr(method, _MARK):
            setattr(method, _MARK, method)
    # what is left out of `step` is a switch of gradients, here always off, and a note to the compiler
    optimiser = cast("type[Kind]", kind)
    return cast("Callable[P, Kind]", type(optimiser.__name__, (optimiser,), {"step": torch.no_grad()(step)}))
