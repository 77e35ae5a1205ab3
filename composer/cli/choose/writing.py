"""Write a piece that was chosen phrase by phrase, with its choices in its provenance."""

from __future__ import annotations

import dataclasses

from composer.cli.choose.continuations import Continuations, Draft
from composer.cli.gen.plan import Plan
from composer.cli.render.reading_progress import ReadingProgress


def write_followed(plan: Plan) -> None:
    """Write the piece that recorded choices lead to. Raises UsageError, NoNotes."""
    assert plan.options.context is not None
    continuations = Continuations(plan)
    write_draft(plan, continuations, continuations.follow(plan.options.context.choices))


def write_draft(plan: Plan, continuations: Continuations, draft: Draft) -> str:
    """Write a draft as a complete piece, and return a note on how it was completed, if any. Raises NoNotes."""
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
    return note
