"""How often the last bars of a piece are generated again until it closes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from composer.api import GenerationContext, Representation, Step, UsageError
from composer.checkpoints.load import LoadedModel
from composer.cli.gen.default_candidates import score_of
from composer.cli.gen.options import ENDING_TRIES, MAX_ENDING_TRIES, GenOptions
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


MAX_NAMED = 10
"""Pieces whose numbers a note names."""
MORE_TRIES = 5
"""The note suggests so many times the tries."""


def closes(representation: Representation, steps: Sequence[Step], labels: Mapping[str, str]) -> bool:
    """Return whether a piece with these labels closes on the tonic."""
    from composer.analysis.ending import closes

    score = score_of(representation, steps, labels)
    return score is not None and closes(score)


def unclosed_note(numbers: Sequence[int], count: int, tries: int) -> str:
    """Return a note that of `count` pieces those with these `numbers` do not close after so many `tries`."""
    if count == 1:
        pieces = "the piece does"
    elif len(numbers) == 1:
        pieces = f"piece {numbers[0]} does"
    elif len(numbers) > MAX_NAMED:
        pieces = f"{len(numbers):,} of {count:,} pieces do"
    else:
        pieces = f"pieces {', '.join(map(str, numbers[:-1]))} and {numbers[-1]} do"
    more = min(MORE_TRIES * tries, MAX_ENDING_TRIES)
    hint = f"; --ending-tries {more} tries more" if more > tries else ""
    return f"{pieces} not close on the tonic{hint}"


def recorded_ending(options: GenOptions) -> ChosenEnding | None:
    """Return the ending of a recorded piece, if it was chosen from several."""
    recorded = options.context.ending if options.context is not None else {}
    return ChosenEnding(**recorded) if recorded else None
