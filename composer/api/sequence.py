"""Description of sequences, shared by representations and models: kind, size, conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class StepKind(StrEnum):
    """What one step of a sequence is."""

    TOKENS = "tokens"
    """One symbol of a vocabulary."""
    FRAMES = "frames"
    """A set of active units."""


Step = int | tuple[int, ...]
"""A token id, or the active units of a frame in ascending order."""

AnyStep = Any
"""A Step in the methods of plugins, which may declare the kind that they have: an int, or a tuple of ints."""
MAX_FEATURE_VALUES = 65536


class UnitGroup(NamedTuple):
    """A range of a frame's units with the same role for consecutive pitches.

    Units `start` to `stop - 1` stand for the pitches `lowest`, `lowest + 1`, ... in the role `onset` (a note begins),
    `hold` (a note continues) or `on` (a note sounds), at `substep` of a frame that stacks several time steps.
    """

    role: str
    start: int
    stop: int
    lowest: int
    substep: int = 0


@dataclass(frozen=True, slots=True)
class SequenceSpec:
    """All that a model needs to know about a fitted representation.

    `size` is the number of tokens in the vocabulary, or of units in a frame. `end` is the id of the end symbol, which
    also precedes every piece; frames have none. `groups` describes a frame's units. `conditions` maps each label that
    the model is conditioned on to its possible values; representations leave it empty, and training fills it in.
    `features` maps each position feature, such as the position in the bar, to its number of values, which count from 0:
    see `Constraint.features`.
    """

    kind: StepKind
    size: int
    end: int | None = None
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: tuple[UnitGroup, ...] = ()
    features: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size must be at least 1, not {self.size}")
        if self.kind is StepKind.TOKENS and not (self.end is not None and 0 <= self.end < self.size):
            raise ValueError(f"the end symbol must be from 0 to {self.size - 1}, not {self.end}")
        if self.kind is StepKind.FRAMES and self.end is not None:
            raise ValueError("frames have no end symbol")
        for name, count in self.features.items():
            if not 1 <= count <= MAX_FEATURE_VALUES:
                raise ValueError(f"feature `{name}` must have 1 to {MAX_FEATURE_VALUES} values, not {count}")

    def to_json(self) -> dict[str, Any]:
        """Return the spec as plain JSON."""
        return {
            "kind": str(self.kind),
            "size": self.size,
            "end": self.end,
            "conditions": {name: list(values) for name, values in self.conditions.items()},
            "groups": [[g.role, g.start, g.stop, g.lowest, g.substep] for g in self.groups],
            # pairs, since a checkpoint sorts the keys of objects, and the order matters
            **({"features": [list(pair) for pair in self.features.items()]} if self.features else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SequenceSpec:
        """Return the spec from the result of `to_json`."""
        return cls(
            kind=StepKind(data["kind"]),
            size=data["size"],
            end=data["end"],
            conditions={name: tuple(values) for name, values in data["conditions"].items()},
            groups=tuple(UnitGroup(*group) for group in data["groups"]),
            features=dict(data.get("features", ())),
        )
