"""How much each step of a piece surprises a model: what the model gave it beforehand, in bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import log

import numpy as np

from composer.api import Piece, Representation, Score, Step, StepKind, Unsupported
from composer.checkpoints.load import LoadedModel

__all__ = ["Surprisal", "beats_per_step", "surprisal"]


@dataclass(frozen=True, slots=True)
class Surprisal:
    """The steps of a piece, its end included, and how many `bits` each of them cost the model."""

    steps: Sequence[Step]
    bits: Sequence[float]

    @property
    def total(self) -> float:
        """The bits of the whole piece."""
        return sum(self.bits)

    @property
    def mean(self) -> float:
        """Bits a step."""
        return self.total / len(self.bits) if self.bits else 0.0


def surprisal(player: LoadedModel, piece: Piece) -> Surprisal:
    """What `piece` costs the model of `player`, conditioned on those of its labels that it knows.

    Raises EncodeError where the model has never seen a symbol of it, Unsupported where it has no exact probabilities.
    """
    spec, sampler = player.spec, player.sampler
    conditions = {name: label for name, known in spec.conditions.items() if (label := piece.labels.get(name)) in known}
    steps = player.representation.encode(piece)
    state, bits = sampler.initial_state([conditions]), []
    for step in steps:
        if spec.kind is StepKind.TOKENS:
            row = np.array([step])
        else:
            row = np.zeros((1, spec.size), np.uint8)
            row[0, list(step)] = 1  # type: ignore[arg-type]
        bits.append(-float(sampler.log_prob(state, row)[0]) / log(2))
        state = sampler.advance(state, row)
    return Surprisal(steps, bits)


def beats_per_step(representation: Representation, steps: Sequence[Step]) -> Fraction:
    """How long each of `steps` takes, in a representation of which all take as long.

    By ear: a step that sounds is heard once, then twice in a row. Raises Unsupported where the piece does not begin to
    sound when that would have it, or is longer than that would make it.
    """

    def heard(some: Sequence[Step]) -> Score:
        return representation.score(representation.decode(some)) or Score(())

    whole = heard(steps)
    for number, step in enumerate(steps if whole.notes else ()):
        if once := heard([step]).duration:
            each = heard([step, step]).duration - once
            if number * each <= whole.notes[0].onset < (number + 1) * each and whole.duration <= len(steps) * each:
                return each
            break
    raise Unsupported(
        f"the steps of `{representation.name}` do not take equally long, so that notes cannot be told their bits"
    )
