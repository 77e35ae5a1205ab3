"""How often the last bars of a piece are generated again until it closes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from composer.api import GenerationContext, Representation, Step, StepKind
from composer.checkpoints.load import LoadedModel
from composer.cli.gen.default_candidates import score_of
from composer.cli.gen.options import GenOptions
from composer.generation.endings import ChosenEnding, Endings

TRIES = {StepKind.TOKENS: 4, StepKind.FRAMES: 8}
"""Endings that are tried by default. Two bars are short, so eight of them add 40 % to the time of a piano roll."""


def endings_of(
    options: GenOptions, model: LoadedModel, context: GenerationContext, labels: Mapping[str, str]
) -> Endings | None:
    """Return how the pieces, with these labels, are made to close; None if their endings are taken as they come.

    This is so if the representation does not know where the last bars are, if all attempts would be the same, if the
    player chooses each phrase, and for recorded pieces and infilling, whose endings are given.
    """
    representation = model.representation
    tries = options.ending_tries or TRIES[representation.kind]
    known = representation.positional and type(representation).ending_step is not Representation.ending_step
    given = options.context is not None or context.tune is not None or options.choose is not None
    if tries == 1 or not known or given or options.sampling.is_greedy or options.unconstrained:
        return None
    from composer.analysis.ending import closing_value

    def judge(steps: Sequence[Step], plan: str) -> float:
        score = score_of(representation, steps, {**representation.plan_labels(plan), **labels})
        return closing_value(score) if score is not None else 0.0

    return Endings(representation.ending_step, judge, tries)


def recorded_ending(options: GenOptions) -> ChosenEnding | None:
    """Return the ending of a recorded piece, if it was chosen from several."""
    recorded = options.context.ending if options.context is not None else {}
    return ChosenEnding(**recorded) if recorded else None
