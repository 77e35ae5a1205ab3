"""Write a piece that was chosen phrase by phrase, with its choices in its provenance."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from composer.api import Step
from composer.cli.choose.continuations import Continuations, Draft
from composer.cli.gen.default_candidates import score_of
from composer.cli.gen.plan import Plan
from composer.cli.render.facts import count_written_bars
from composer.cli.render.reading_progress import ReadingProgress


def write_followed(plan: Plan) -> None:
    """Write the piece that recorded choices lead to. Raises UsageError, NoNotes."""
    assert plan.options.context is not None
    continuations = Continuations(plan)
    write_draft(plan, continuations, continuations.follow(plan.options.context.choices))


def write_draft(plan: Plan, continuations: Continuations, draft: Draft) -> Sequence[str]:
    """Write a draft as a complete piece, and return notes on how it was completed. Raises NoNotes."""
    output, finished = plan.output, False
    steps, note = continuations.completed(draft)
    if output.recipe is not None:
        output = dataclasses.replace(output, recipe={**output.recipe, "choices": list(draft.choices)})
    with ReadingProgress(output.console) as progress:
        labels = continuations.labels(draft)
        encoder = output.encoder(plan.model.representation, 1, labels, progress=progress.update_rendered)
        data = encoder.push(steps) + encoder.finish()
    try:
        output.target.open(plan.record)
        output.target.write(1, data)
        output.target.finish_piece(1)
        finished = True
    finally:
        output.target.close(finished=finished)
    return [*filter(None, [note, "" if draft.ended else _missing_bars(plan, steps, labels)])]


def _missing_bars(plan: Plan, steps: Sequence[Step], labels: Mapping[str, str]) -> str:
    """Return a note that a piece which was finished early has fewer bars than asked for; empty if it has them."""
    wanted = getattr(plan.options.controls, "bars", 0)
    score = score_of(plan.model.representation, steps, labels) if wanted else None
    found = count_written_bars(score) if score is not None else wanted
    return f"finished with {found} of {wanted} bars" if found < wanted else ""
