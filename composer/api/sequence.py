"""The small value in which a representation and a model meet."""

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
"""A token's id, or the active units of a frame in ascending order."""


class UnitGroup(NamedTuple):
    """A run of a frame's units that mean the same thing for neighbouring pitches.

    Units `start` to `stop - 1` stand for the pitches `lowest`, `lowest + 1`, ... in the role `onset` (a note
    begins), `hold` (a note goes on) or `on` (a note sounds), at `substep` of a frame that stacks several time steps.
    """

    role: str
    start: int
    stop: int
    lowest: int
    substep: int = 0


@dataclass(frozen=True, slots=True)
class SequenceSpec:
    """All that a model needs to know of a fitted representation.

    `size` is the number of symbols of the vocabulary (tokens) or of units (frames). `end` is the id of the end
    symbol, which also stands before every piece; tokens have one, frames have none. `conditions` maps the name of
    each condition to the values it can take. `groups` says what a frame's units are.
    """

    kind: StepKind
    size: int
    end: int | None = None
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: tuple[UnitGroup, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"a sequence has at least one symbol or unit, not {self.size}")
        if self.kind is StepKind.TOKENS and not (self.end is not None and 0 <= self.end < self.size):
            raise ValueError(f"tokens need an end symbol below {self.size}, not {self.end}")
        if self.kind is StepKind.FRAMES and self.end is not None:
            raise ValueError("frames have no end symbol")

    def to_json(self) -> dict[str, Any]:
        """This value as plain JSON."""
        return {
            "kind": str(self.kind),
            "size": self.size,
            "end": self.end,
            "conditions": {name: list(values) for name, values in self.conditions.items()},
            "groups": [[g.role, g.start, g.stop, g.lowest, g.substep] for g in self.groups],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SequenceSpec:
        """The value that `to_json` described."""
        return cls(
            kind=StepKind(data["kind"]),
            size=data["size"],
            end=data["end"],
            conditions={name: tuple(values) for name, values in data["conditions"].items()},
            groups=tuple(UnitGroup(*group) for group in data["groups"]),
        )
