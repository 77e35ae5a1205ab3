"""Load a checkpoint as a model that generates: the fitted representation and a sampler with the weights."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from composer.api import (
    CheckpointError,
    DeviceError,
    Model,
    OptionError,
    PluginError,
    Representation,
    Sampler,
    SequenceSpec,
    StepKind,
    Unsupported,
)
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints import store
from composer.checkpoints.default_temperature import default_temperature
from composer.checkpoints.network import DAMAGED_HINT, make_network
from composer.registry import options
from composer.registry import plugins as registry
from composer.system.device import move_network

if TYPE_CHECKING:
    from numpy.typing import NDArray

GEN_COMMAND = "gen {} --checkpoint"
"""The command that uses a checkpoint, without its name; {} is the representation."""

MIN_SETTING = 1_000_000
"""Settings up to this number are never compared with the size of the file."""


class LoadedModel(NamedTuple):
    """A model that is ready to generate; `digest` and the arrays `extra` are those of the file it was read from."""

    header: checkpoint_file.Header
    representation: Representation
    sampler: Sampler
    digest: str = ""
    extra: Mapping[str, NDArray[Any]] = MappingProxyType({})

    @property
    def spec(self) -> SequenceSpec:
        """The kind and size of the sampler's steps."""
        return self.header.spec

    @property
    def default_temperature(self) -> float:
        """The sampling temperature if the user gives none. Raises CheckpointError if it is invalid."""
        return default_temperature(self.header.record)


class OpenCheckpoint(NamedTuple):
    """A checkpoint, and the representation, model and settings that it was made with."""

    checkpoint: checkpoint_file.Checkpoint
    representation: Representation
    model: Model
    config: Any


def restore_representation(header: checkpoint_file.Header, path: Path) -> Representation:
    """Return the representation of the checkpoint at `path`, which has this header, as it was fitted.

    Raises CheckpointError if its plugin has changed, or if it is damaged.

    Its length is at most that of the longer training pieces: a model may repeat itself forever beyond that.
    """
    with _as_missing_plugin("representation", header.representation):
        kind = registry.representation(header.representation)
    check_version(kind.name, header.representation_version, kind.version)
    with _as_unrestorable(kind.name, path.name, path):
        representation = kind(options.restore(kind.Options, header.options, f"representation `{kind.name}`"))
    restore_state(representation, header, path.name, path)
    if header.spec.end is not None and (usual := header.record.get("usual_length", 0)) > 0:
        representation.length = min(representation.length, usual)
    return representation


def restore_state(
    representation: Representation, header: checkpoint_file.Header, origin: str, path: Path | None = None
) -> None:
    """Restore the fitted state of `representation` from a header. Raises DamagedCheckpoint naming its `origin`."""
    with _as_unrestorable(representation.name, origin, path):
        representation.restore(header.state)
        _ = representation.spec  # of some representations, it depends on the state


def open_checkpoint(path: Path, representation: str | None = None, command: str = GEN_COMMAND) -> OpenCheckpoint:
    """Open the checkpoint at `path`. Raises CheckpointError if it is no model, or not of the `representation` named.

    `command` is suggested for a checkpoint of another representation. The file is opened once, so that all of the
    result is of one version of it.
    """
    saved = checkpoint_file.load(path, check=lambda header: _check_wanted(header, path, representation, command))
    header, restored = saved.header, restore_representation(saved.header, path)
    with _as_missing_plugin("model", header.model):
        model = registry.model(header.model)
    check_version(model.name, header.model_version, model.version)
    check_sizes(model, header, path, saved.size)
    with _as_checkpoint_errors(path):
        config = options.restore(model.Config, header.config, f"model `{model.name}`")
    if (
        replace(restored.spec, conditions=header.spec.conditions) != header.spec
    ):  # conditions are not the representation's
        message = f"{path.name}: model and representation do not fit together"
        raise checkpoint_file.DamagedCheckpoint(message, DAMAGED_HINT, path)
    return OpenCheckpoint(saved, restored, model, config)


def _check_wanted(header: checkpoint_file.Header, path: Path, representation: str | None, command: str) -> None:
    """Raise CheckpointError if the checkpoint is no model, or not of the `representation` named."""
    if header.record.get("kind") == "training":
        model_path = path.with_name(path.name.replace(".training.", "."))
        raise CheckpointError(f"{path.name} is a training state, not a model", f"use the model: {model_path}")
    if representation is not None and header.representation != representation:
        name = path.stem if store.model_named(path.stem) == path else path
        raise CheckpointError(
            f"{path.name} is a model for `{header.representation}`, not `{representation}`",
            f"composer {command.replace('{}', header.representation, 1)} {shlex.quote(str(name))}",
        )


def load_model(
    path: Path, representation: str | None = None, device: str = "cpu", command: str = GEN_COMMAND,
    settings: Mapping[str, Any] | None = None,
) -> LoadedModel:  # fmt: skip
    """Load the checkpoint at `path` to generate on `device` (`cpu`, `cuda`, `mps`); see `open_checkpoint`.

    `settings` replace those of the model that only matter in sampling (`sampling` in the metadata of its Config);
    raises OptionError for others. The CPU uses the model's numpy sampler if it has one, without torch. Raises
    CheckpointError as `open_checkpoint` does, and for weights that do not fit the model; DeviceError as
    `device.move_network` does.
    """
    opened = open_checkpoint(path, representation, command)
    opened = opened._replace(config=_with_settings(opened, settings or {}))
    header, weights = opened.checkpoint.header, opened.checkpoint.weights
    with _as_checkpoint_errors(path):
        sampler = opened.model.sampler(header.spec, opened.config, weights) if device == "cpu" else None
        if sampler is None:
            import torch

            network = make_network(opened.model, header.spec, opened.config, weights, path.name)
            network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()})
            sampler = move_network(network, device).eval()
        _try_one_step(sampler, header.spec)
    return LoadedModel(header, opened.representation, sampler, opened.checkpoint.digest, opened.checkpoint.extra)


def _with_settings(opened: OpenCheckpoint, settings: Mapping[str, Any]) -> Any:
    """Return the model's settings, changed by `settings` of sampling. Raises OptionError."""
    known = {field.name for field in fields(opened.model.Config) if field.metadata.get("sampling")}
    for name in settings:
        if name not in known:
            flag = f"--{name.replace('_', '-')}"
            raise OptionError(
                f"{flag} does not apply to a model of type `{opened.model.name}`", f"leave out {flag}", flags=(flag,)
            )
    return replace(opened.config, **settings)


def check_sizes(model: Model, header: checkpoint_file.Header, path: Path, size: int) -> None:
    """Raise CheckpointError for a number among the model's settings that is larger than the file of `size` bytes.

    Sizes of layers and their number are at most the number of weights, so such a model cannot be in the file, and would
    take all memory before that is noticed.
    """
    free = {field.name for field in fields(model.Config) if field.metadata.get("sampling")}
    for name, value in header.config.items():
        for number in value if isinstance(value, list) else [value]:
            if name not in free and isinstance(number, int) and number > max(size, MIN_SETTING):
                fault = f"{path.name} cannot hold a model with {name}={number:,}: it has {size:,} bytes"
                raise checkpoint_file.DamagedCheckpoint(fault, DAMAGED_HINT, path)


def check_version(name: str, made_with: int, installed: int) -> None:
    """Raise CheckpointError if a checkpoint was made with another version of the plugin `name`."""
    if made_with != installed:
        raise CheckpointError(
            f"the checkpoint was made with version {made_with} of `{name}`, but version {installed} is installed",
            "train it again, or install the plugin that it was made with",
        )


def _try_one_step(sampler: Sampler, spec: SequenceSpec) -> None:
    """Score and take one step: weights of a wrong shape fail on first use, those of the last symbol at their end."""
    import numpy as np

    last = np.array([spec.size - 1]) if spec.kind is StepKind.TOKENS else np.ones((1, spec.size))
    features = {"features": np.array([list(spec.features.values())]) - 1} if spec.features else {}
    state = sampler.initial_state([{}], **features)
    with suppress(Unsupported):
        if np.shape(sampler.log_prob(state, last)) != (1,):
            raise ValueError("one step has more than one probability")
    sampler.advance(state, last, **features)


@contextmanager
def _as_missing_plugin(what: str, name: str) -> Iterator[None]:
    """Raise CheckpointError if a checkpoint needs a plugin that is not installed."""
    try:
        yield
    except registry.UnknownName as error:
        message = f"the checkpoint was made with the {what} `{name}`, which is not installed"
        raise CheckpointError(message, f"install the package with the plugin `{name}`; see composer plugins") from error


@contextmanager
def _as_unrestorable(name: str, origin: str, path: Path | None) -> Iterator[None]:
    """Raise DamagedCheckpoint for what the representation `name` raises when a checkpoint does not fit it."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # a damaged state may break a plugin in any way
        reason = " ".join(str(error).split()) or type(error).__name__
        message = f"cannot restore `{name}` from {origin}: {reason}"
        raise checkpoint_file.DamagedCheckpoint(message, DAMAGED_HINT, path) from error


@contextmanager
def _as_checkpoint_errors(path: Path) -> Iterator[None]:
    """Raise CheckpointError for what a model raises when a checkpoint does not fit it."""
    try:
        yield
    except PluginError as error:
        message = f"the weights or settings in {path.name} do not fit its model: {error.message}"
        raise checkpoint_file.DamagedCheckpoint(message, DAMAGED_HINT, path) from error
    except (MemoryError, DeviceError):
        raise
    except Exception as error:  # damaged settings and weights may break a plugin in any way
        message = f"the weights or settings in {path.name} do not fit its model"
        raise checkpoint_file.DamagedCheckpoint(message, DAMAGED_HINT, path) from error
