"""How many candidates a piece is chosen from if the player does not say, and how they are judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from composer.api import GenerationContext, Representation, Score, Step, StepKind
from composer.api.ranking import Ranking
from composer.cli.gen.options import GenOptions
from composer.generation.candidates import Judge, Verdict

CANDIDATES = {StepKind.TOKENS: 3, StepKind.FRAMES: 2}
"""They take less than twice the time of one on average, since a tune that is good enough is taken at once.

Over 24 seeds of the bundled `abc` model, 3 take 1.7 times as long as one, 4 take 2.0 times, 5 take 2.3 times."""


def candidates_per_piece(options: GenOptions, representation: Representation, context: GenerationContext) -> int:
    """Return how many candidates each piece is chosen from.

    It is 1 if the player chose a number or chooses each phrase, if there is no form to judge by, if all candidates
    would be the same, and for recorded pieces and infilling, where most of the form is given.
    """
    given = options.selection.candidates is not None or options.context is not None or context.tune is not None
    single = given or options.choose is not None or options.sampling.is_greedy or not is_music(representation)
    return 1 if single else CANDIDATES[representation.kind]


def is_music(representation: Representation | type[Representation]) -> bool:
    """Return whether pieces of a representation can be scores."""
    kind = representation if isinstance(representation, type) else type(representation)
    return kind.score is not Representation.score


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
