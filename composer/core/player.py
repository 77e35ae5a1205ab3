"""From a checkpoint to something that plays: the representation as it was fitted, and a sampler with the weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from composer.api import CheckpointError, OptionError, Representation, Sampler, SequenceSpec
from composer.core import checkpoint, options, registry


@dataclass(frozen=True, slots=True)
class Player:
    """A model that is ready to compose."""

    header: checkpoint.Header
    representation: Representation
    sampler: Sampler

    @property
    def spec(self) -> SequenceSpec:
        """What the sampler's steps are."""
        return self.header.spec


def restore_representation(header: checkpoint.Header) -> Representation:
    """The representation of a checkpoint, as it was fitted. Raises CheckpointError where its plugin has changed."""
    kind = registry.representation(header.representation)
    if header.representation_version != kind.version:
        raise CheckpointError(
            f"the checkpoint was made with version {header.representation_version} of `{kind.name}`, "
            f"and version {kind.version} is installed",
            "train it again, or install the plugin that it was made with",
        )
    try:
        representation = kind(options.restore(kind.Options, header.options, f"representation `{kind.name}`"))
        representation.restore(header.state)
    except (OptionError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"`{kind.name}` cannot be restored from the checkpoint: {error}") from error
    return representation


def open_player(path: Path, representation: str | None = None, device: str = "cpu") -> Player:
    """Open the checkpoint at `path`, to play on `device` (`cpu`, `cuda`, `mps`).

    On the CPU the model's own sampler plays, without torch where the model has one. Raises CheckpointError where the
    checkpoint is of another representation than the one named.
    """
    saved = checkpoint.load(path)
    header = saved.header
    if representation is not None and header.representation != representation:
        raise CheckpointError(
            f"{path.name} composes `{header.representation}`, not `{representation}`",
            f"use `composer gen {header.representation} --checkpoint {path}`",
        )
    restored = restore_representation(header)
    model = registry.model(header.model)
    config = options.restore(model.Config, header.config, f"model `{model.name}`")
    sampler = model.sampler(header.spec, config, saved.weights) if device == "cpu" else None
    if sampler is None:
        import torch

        network = model.network(header.spec, config)
        network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in saved.weights.items()})
        sampler = network.to(device).eval()
    return Player(header, restored, sampler)
