"""How many candidates a piece is chosen from if the player does not say, and how they are judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from composer.api import GenerationContext, Representation, Score, Step, StepKind
from composer.api.ranking import Ranking
from composer.cli.gen.options import GenOptions
from composer.generation.candidates import Judge, Verdict

CANDIDATES = {StepKind.TOKENS: 5, StepKind.FRAMES: 2}
"""They take less than twice the time of one on average: of five tunes, the second or third is usually good enough."""


def candidates_per_piece(options: GenOptions, representation: Representation, context: GenerationContext) -> int:
    """Return how many candidates each piece is chosen from.

    It is 1 if the player chose a number, if there is no form to judge by, if all candidates would be the same, and for
    recorded pieces and infilling, where most of the form is given.
    """
    sampling = options.sampling
    greedy = sampling.top_k == 1 or (sampling.ramp is None and sampling.temperature == 0)
    given = options.selection.candidates is not None or options.context is not None or context.tune is not None
    return 1 if given or greedy or not is_music(representation) else CANDIDATES[representation.kind]


def is_music(representation: Representation) -> bool:
    """Return whether pieces of a representation can be scores."""
    return type(representation).score is not Representation.score


def make_judge(representation: Representation, ranking: Ranking, labels: Mapping[str, str]) -> Judge:
    """Return what judges candidates, with these labels, by a `ranking`. Silent ones are not usable."""

    def judge(steps: Sequence[Step], logp: Sequence[float], plan: str) -> Verdict:
        score = score_of(representation, steps, {**representation.plan_labels(plan), **labels})
        if score is None or not score.is_audible:
            return Verdict((), usable=False)
        rank = ranking.rank(logp, score)
        return Verdict(rank.key, rank.good_enough)

    return judge


def score_of(representation: Representation, steps: Sequence[Step], labels: Mapping[str, str]) -> Score | None:
    """Return generated steps as a score, with `labels` that the piece does not have itself."""
    piece = representation.decode(steps)
    return representation.score(dataclasses.replace(piece, labels={**labels, **piece.labels}))
