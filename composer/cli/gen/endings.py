"""How often the last bars of a piece are generated again until it closes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from composer.api import GenerationContext, Representation, Step, UsageError
from composer.checkpoints.load import LoadedModel
from composer.cli.gen.default_candidates import score_of
from composer.cli.gen.options import ENDING_TRIES, GenOptions
from composer.cli.gen.particles import kept_flags
from composer.generation.endings import ChosenEnding, Endings


def endings_of(
    options: GenOptions, model: LoadedModel, context: GenerationContext, labels: Mapping[str, str]
) -> Endings | None:
    """Return how the pieces, with these labels, are made to close; None if their endings are taken as they come.

    Raises UsageError if --ending-tries asks for several endings where there is only one.
    """
    representation = model.representation
    tries = options.ending_tries or ENDING_TRIES[representation.kind]
    if tries == 1 or options.context is not None or options.choose is not None:
        return None
    if reason := _why_once(options, representation, context):
        if options.ending_tries is not None:
            message = f"--ending-tries {tries} has no effect {reason}"
            raise UsageError(message, "leave out --ending-tries", flags=("--ending-tries",))
        return None
    from composer.analysis.ending import closing_value

    def judge(steps: Sequence[Step], plan: str) -> float:
        score = score_of(representation, steps, {**representation.plan_labels(plan), **labels})
        return closing_value(score) if score is not None else 0.0

    return Endings(representation.ending_step, judge, tries)


def _why_once(options: GenOptions, representation: Representation, context: GenerationContext) -> str:
    """Return why each ending is generated once, as the end of a sentence; empty if several can be tried."""
    if context.tune is not None:
        return f"with {kept_flags(options.controls)[0]}"
    if options.unconstrained:
        return "with --unconstrained"
    if options.sampling.is_greedy:
        return "with --temp 0, which always generates the same ending"
    if type(representation).ending_step is Representation.ending_step:
        return f"for {representation.name}"
    return "" if representation.positional else "with this model, which does not know where the last bars begin"


def recorded_ending(options: GenOptions) -> ChosenEnding | None:
    """Return the ending of a recorded piece, if it was chosen from several."""
    recorded = options.context.ending if options.context is not None else {}
    return ChosenEnding(**recorded) if recorded else None
