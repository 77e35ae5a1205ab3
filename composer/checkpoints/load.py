"""From a checkpoint to something that plays: the representation as it was fitted, and a sampler with the weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from composer.api import (
    CheckpointError,
    Model,
    OptionError,
    Representation,
    Sampler,
    SequenceSpec,
    StepKind,
    Unsupported,
)
from composer.checkpoints import file as checkpoint_file
from composer.registry import options
from composer.registry import plugins as registry
from composer.system.device import move_network

GEN_COMMAND = "gen {} --checkpoint"
"""The command that a checkpoint is good for, but for its name."""


class LoadedModel(NamedTuple):
    """A model that is ready to compose; `digest` is that of its file."""

    header: checkpoint_file.Header
    representation: Representation
    sampler: Sampler
    digest: str = ""

    @property
    def spec(self) -> SequenceSpec:
        """What the sampler's steps are."""
        return self.header.spec


def restore_representation(header: checkpoint_file.Header) -> Representation:
    """The representation of a checkpoint, as it was fitted. Raises CheckpointError where its plugin has changed.

    Where pieces come to an end, none is longer than the model was taught: beyond that, it may go round for ever.
    """
    kind = registry.representation(header.representation)
    _check_version(kind.name, header.representation_version, kind.version)
    try:
        representation = kind(options.restore(kind.Options, header.options, f"representation `{kind.name}`"))
        representation.restore(header.state)
        if header.spec.end is not None and (usual := int(header.record.get("usual_length", 0))):
            representation.length = min(representation.length, usual)
    except (OptionError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"`{kind.name}` cannot be restored from the checkpoint: {error}", _DAMAGED_HINT
        ) from error
    return representation


class OpenCheckpoint(NamedTuple):
    """A checkpoint, and the representation, model and settings that it was made with."""

    checkpoint: checkpoint_file.Checkpoint
    representation: Representation
    model: Model
    config: Any


def open_checkpoint(path: Path, representation: str | None = None, command: str = GEN_COMMAND) -> OpenCheckpoint:
    """Open the checkpoint at `path`. Raises CheckpointError where it is no model, or not of the `representation` named.

    `command` is the command that another representation's checkpoint is good for.
    """
    saved = checkpoint_file.load(path)
    header = saved.header
    if header.record.get("kind") == "training":
        model_path = path.with_name(path.name.replace(".training.", "."))
        raise CheckpointError(f"{path.name} is the state of a training and no model", f"use {model_path}")
    if representation is not None and header.representation != representation:
        raise CheckpointError(
            f"{path.name} composes `{header.representation}`, not `{representation}`",
            f"use `composer {command.format(header.representation)} {path}`",
        )
    restored = restore_representation(header)
    model = registry.model(header.model)
    _check_version(model.name, header.model_version, model.version)
    with _as_checkpoint_errors(path):
        config = options.restore(model.Config, header.config, f"model `{model.name}`")
    if restored.spec != header.spec:
        raise CheckpointError(f"in {path.name}, model and representation do not fit together", _DAMAGED_HINT)
    return OpenCheckpoint(saved, restored, model, config)


def load_model(
    path: Path, representation: str | None = None, device: str = "cpu", command: str = GEN_COMMAND
) -> LoadedModel:
    """Open the checkpoint at `path`, to play on `device` (`cpu`, `cuda`, `mps`); `command` as for `open_checkpoint`.

    On the CPU the model's own sampler plays, without torch where the model has one. Raises CheckpointError as
    `open_checkpoint` does, and where the weights are not those of the model; DeviceError as `device.placed` does.
    """
    opened = open_checkpoint(path, representation, command)
    header, weights = opened.checkpoint.header, opened.checkpoint.weights
    with _as_checkpoint_errors(path):
        sampler = opened.model.sampler(header.spec, opened.config, weights) if device == "cpu" else None
        if sampler is None:
            import torch

            network = opened.model.network(header.spec, opened.config)
            network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()})
            sampler = move_network(network, device).eval()
        _try_one_step(sampler, header.spec)
    return LoadedModel(header, opened.representation, sampler, opened.checkpoint.digest)


def _check_version(name: str, made_with: int, installed: int) -> None:
    if made_with != installed:
        raise CheckpointError(
            f"the checkpoint was made with version {made_with} of `{name}`, and version {installed} is installed",
            "train it again, or install the plugin that it was made with",
        )


def _try_one_step(sampler: Sampler, spec: SequenceSpec) -> None:
    """Play one step: weights of a wrong shape show when they are first used, those of the last symbol at their end."""
    import numpy as np

    last = np.array([spec.size - 1]) if spec.kind is StepKind.TOKENS else np.ones((1, spec.size))
    state = sampler.initial_state([{}])
    with suppress(Unsupported):
        if np.shape(sampler.log_prob(state, last)) != (1,):
            raise ValueError("one step has more than one probability")
    sampler.advance(state, last)


@contextmanager
def _as_checkpoint_errors(path: Path) -> Iterator[None]:
    """What a checkpoint that does not fit its model makes the model raise is an error of the checkpoint."""
    try:
        yield
    except (OptionError, AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"the weights or settings in {path.name} do not fit its model", _DAMAGED_HINT) from error


_DAMAGED_HINT = "it may be damaged, or made by another version of the plugin; train it again"
