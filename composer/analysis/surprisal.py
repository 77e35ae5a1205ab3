"""Surprisal of each step of a piece under a model, in bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import log
from typing import Any

import numpy as np

from composer.api import Piece, Representation, Score, Step, StepKind, Unsupported
from composer.checkpoints.load import LoadedModel
from composer.music.sounding import sounding_parts
from composer.music.tempo_map import TempoMap


@dataclass(frozen=True, slots=True)
class Surprisal:
    """The steps of a piece with its end symbol, and the surprisal of each in bits."""

    steps: Sequence[Step]
    bits: Sequence[float]

    @property
    def total(self) -> float:
        """Bits of the whole piece."""
        return sum(self.bits)

    @property
    def mean(self) -> float:
        """Bits per step."""
        return self.total / len(self.bits) if self.bits else 0.0


def surprisal(model: LoadedModel, piece: Piece) -> Surprisal:
    """Return the surprisal of `piece`, conditioned on those of its labels that `model` was trained with.

    Raises EncodeError for symbols that the model has never seen, Unsupported if it has no exact probabilities.
    """
    spec, sampler = model.spec, model.sampler
    conditions = {name: label for name, known in spec.conditions.items() if (label := piece.labels.get(name)) in known}
    steps = model.representation.encode(piece)
    rows = list(model.representation.step_features(piece, steps)) if spec.features else []

    def features(number: int) -> dict[str, Any]:
        return {"features": np.array([rows[min(number, len(rows) - 1)]])} if rows else {}

    state, bits = sampler.initial_state([conditions], **features(0)), []
    for number, step in enumerate(steps, 1):
        if spec.kind is StepKind.TOKENS:
            row = np.array([step])
        else:
            row = np.zeros((1, spec.size), np.uint8)
            row[0, list(step)] = 1
        bits.append(-float(sampler.log_prob(state, row)[0]) / log(2))
        state = sampler.advance(state, row, **features(number))
    return Surprisal(steps, bits)


def step_onsets(representation: Representation, steps: Sequence[Step]) -> list[Fraction]:
    """Return the onset of each step in beats, as the representation declares them, else for steps of equal length.

    Raises Unsupported if the representation declares none and its steps have different lengths.
    """
    times = representation.times(steps)
    if times is None:
        each = _beats_per_step(representation, steps)
        return [number * each for number in range(len(steps))]
    if representation.absolute_time:
        clock = TempoMap()
        return [clock.beat(time) for time in times]
    return [Fraction(time) for time in times]


def _beats_per_step(representation: Representation, steps: Sequence[Step]) -> Fraction:
    """Return the length in beats of steps of equal length.

    It is the difference in duration between one step and the same step twice. Raises Unsupported if the piece's first
    onset or its duration contradicts that length.
    """

    def decode(some: Sequence[Step]) -> Score:
        return representation.score(representation.decode(some)) or Score(())

    whole = decode(steps)
    onsets = [note.onset for part in sounding_parts(whole) for note in part.notes]
    for number, step in enumerate(steps if onsets else ()):
        if once := decode([step]).duration:
            each = decode([step, step]).duration - once
            if number * each <= min(onsets) < (number + 1) * each and whole.duration <= len(steps) * each:
                return each
            break
    raise Unsupported(
        f"the steps of {representation.name} have different lengths and no onsets, so notes cannot be colored by them",
        "leave out --surprise and --units",
    )
