"""Check that the weights of a checkpoint fit a model with other settings, before the data is read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from composer.checkpoints.load import OpenCheckpoint
from composer.system.out_of_memory import report_oom
from composer.training.resume import check_settings


def check_fits(origin: OpenCheckpoint, config: Any, name: str) -> None:
    """Raise OptionError naming the setting in `config` that changes the shapes of the weights of `origin`.

    `name` is the name of that model. Settings that keep all shapes, such as dropout, may differ. Raises DoesNotFit if
    memory runs out.
    """
    changed = {
        field.name: value
        for field in dataclasses.fields(config)
        if (value := getattr(config, field.name)) != getattr(origin.config, field.name)
    }
    if not changed:
        return
    with report_oom("the model"):
        shapes = {name: tuple(array.shape) for name, array in origin.checkpoint.weights.items()}
        if _shapes(origin, config) == shapes:
            return
        for key, value in changed.items():
            if _shapes(origin, dataclasses.replace(origin.config, **{key: value})) != shapes:
                check_settings({key: getattr(origin.config, key)}, {key: value}, name, "--set")


def _shapes(origin: OpenCheckpoint, config: Any) -> Mapping[str, tuple[int, ...]]:
    """Return the shapes of the weights of a network with these settings; torch's generator is not advanced."""
    import torch

    with torch.random.fork_rng(devices=[]):
        network = origin.model.network(origin.checkpoint.header.spec, config)
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
