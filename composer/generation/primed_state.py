"""The state of a sampler after the primer, and steps and position features as its arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composer.api import Constraint, Sampler, SequenceSpec, Step, StepKind
from composer.api.sampler import State
from composer.api.sampling.filters import Draw
from composer.generation.request import GenerationRequest


def prime(
    sampler: Sampler,
    spec: SequenceSpec,
    request: GenerationRequest,
    constraint: Constraint | None,
    labels: Mapping[str, str] | None = None,
) -> State:
    """Return the state of one row after the primer, with the position features that `constraint` counts.

    Those of the `labels` that the model knows, and that were not requested otherwise, are conditions.
    """
    known = {name: label for name, label in (labels or {}).items() if label in spec.conditions.get(name, ())}

    def features(state: int | None) -> dict[str, Any]:
        return {} if state is None or constraint is None else position_features(np.array([constraint.features(state)]))

    followed = constraint.start(()) if constraint is not None and spec.features else None
    primed = sampler.initial_state([{**known, **request.conditions}], **features(followed))
    for step in request.primer:
        followed = None if followed is None or constraint is None else constraint.step(followed, step)
        primed = sampler.advance(primed, _as_array(step, spec), **features(followed))
    return primed


def position_features(values: NDArray[np.int64] | None) -> dict[str, Any]:
    """Return the parameter of a sampler for position features; none if there are none."""
    return {} if values is None else {"features": values}


def steps_by_row(drawn: Draw, spec: SequenceSpec) -> Sequence[Step]:
    """Return the drawn steps, frames as active units."""
    if spec.kind is StepKind.TOKENS:
        steps: Sequence[Step] = drawn.steps.tolist()
        return steps
    return [tuple(np.flatnonzero(frame).tolist()) for frame in drawn.steps]


def _as_array(step: Step, spec: SequenceSpec) -> NDArray[Any]:
    """Return one step as the steps of a batch of one row."""
    if spec.kind is StepKind.TOKENS:
        return np.array([step])
    frame = np.zeros((1, spec.size), np.uint8)
    frame[0, list(step)] = 1  # type: ignore[arg-type]
    return frame
