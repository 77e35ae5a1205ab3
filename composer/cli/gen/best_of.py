"""Generate more candidates than are kept, and write the best."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from composer.api import ComposerError, Representation, Step
from composer.api.ranking import Rank, Ranking
from composer.cli.gen.copy_limit import counting_rejected
from composer.cli.gen.default_candidates import is_music, score_of
from composer.cli.gen.endings import closes, unclosed_note
from composer.cli.gen.hints import COPY_HINT, hint_for_silence
from composer.cli.render.progress_bar import ProgressDisplay, progress_display
from composer.cli.render.reading_progress import ReadingProgress
from composer.cli.render.text import count_noun
from composer.generation.generate import generate
from composer.generation.request import Chosen, Generated

if TYPE_CHECKING:
    from composer.cli.gen.plan import Plan


class Candidate(NamedTuple):
    """A piece with its number among all candidates."""

    number: int
    steps: Sequence[Step]
    complete: bool
    rank: Rank
    labels: Mapping[str, str]
    chosen: Chosen | None


@dataclass(slots=True)
class _PieceInProgress:
    """A piece that is being generated, with the log-probabilities of its sampled steps and its labels."""

    steps: list[Step] = field(default_factory=list)
    logp: list[float] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    chosen: Chosen | None = None


@dataclass(slots=True)
class _Discarded:
    """How many candidates have no notes, or copied too much in every attempt."""

    without_notes: int = 0
    copied: int = 0


def generate_best(plan: Plan, ranking: Ranking) -> None:
    """Generate all candidates of a plan, then write the best, the best one first.

    Raises ComposerError if fewer can be kept than were asked for.
    """
    discarded, best = _Discarded(), list[tuple[tuple[float, ...], int, Candidate]]()
    step_name = plan.model.representation.step_name
    console, count = plan.output.console, plan.options.generated
    with progress_display(console, count, lambda: 0, step_name, to_stdout=False) as progress:
        for piece in _candidates(plan, ranking, progress, discarded):
            heapq.heappush(best, (piece.rank.key, -piece.number, piece))
            if len(best) > plan.options.written:
                heapq.heappop(best)
    kept = [piece for *_, piece in sorted(best, reverse=True)]
    if kept:
        _write_best(plan, kept)
    _summarize(plan, ranking, kept, discarded)


def _candidates(plan: Plan, ranking: Ranking, progress: ProgressDisplay, discarded: _Discarded) -> Iterator[Candidate]:
    """Yield all candidates that have notes and do not copy too much, in any order."""
    model, pieces = plan.model, dict[int, _PieceInProgress]()
    events = generate(
        model.sampler, model.spec, plan.request, plan.constraint, ordered=False,
        accept=counting_rejected(plan.accept, progress), endings=plan.endings,
    )  # fmt: skip
    needs_score = ranking.needs_score or not plan.output.native
    for event in events:
        piece = pieces.setdefault(event.number, _PieceInProgress())
        if isinstance(event, Generated):
            piece.steps += event.steps
            piece.logp += event.logp if event.sampled else ()
            piece.labels = {**model.representation.plan_labels(event.plan), **plan.labels}
            piece.chosen = event.chosen
            progress.add_steps(len(event.steps))
            continue
        del pieces[event.number]
        progress.finish_piece()
        score = score_of(model.representation, piece.steps, piece.labels) if event.accepted and needs_score else None
        if not event.accepted:
            discarded.copied += 1
        elif needs_score and not (score and score.is_audible) and is_music(model.representation):
            discarded.without_notes += 1
        else:
            rank = ranking.rank(piece.logp, score)
            complete = event.complete and not model.representation.breaks_off(piece.steps[-2:])
            yield Candidate(event.number, piece.steps, complete, rank, piece.labels, piece.chosen)


def _write_best(plan: Plan, kept: Sequence[Candidate]) -> None:
    """Write the pieces in this order, numbered from 1."""
    output, first_seed, finished = plan.output, plan.request.seed, False
    try:
        output.target.open(plan.record)
        with ReadingProgress(output.console) as progress:
            for number, piece in enumerate(kept, 1):
                own = piece.chosen or Chosen(1, first_seed + piece.number - 1, first_seed)
                chosen = own._replace(candidate=piece.number, first_seed=first_seed)
                show = progress.update_rendered
                encoder = output.encoder(plan.model.representation, number, piece.labels, chosen, show)
                output.target.write(number, encoder.push(piece.steps) + encoder.finish())
                output.target.finish_piece(number)
        finished = True
    finally:
        output.target.close(finished=finished)


def _summarize(plan: Plan, ranking: Ranking, kept: Sequence[Candidate], discarded: _Discarded) -> None:
    """List the pieces that were kept. Raises ComposerError if they are too few."""
    console, options = plan.output.console, plan.options
    if kept:
        console.say(f"best {len(kept)} of {options.generated:,} by {ranking.name}:")
    for number, piece in enumerate(kept, 1):
        console.say(f"  {number}. candidate {piece.number}: {piece.rank.text}")
    if cut := sum(not piece.complete for piece in kept):
        limit = count_noun(plan.request.length, plan.model.representation.step_name)
        console.warn(f"{count_noun(cut, 'piece')} truncated at {limit}; use a larger --length")
    if plan.endings is not None and (unclosed := _unclosed(plan.model.representation, kept)):
        console.say(unclosed_note(unclosed, len(kept), plan.endings.tries))
    if len(kept) < options.written:
        silent = discarded.without_notes >= discarded.copied
        kept_text = f"only {count_noun(len(kept), 'piece')}" if kept else "no pieces"
        raise ComposerError(
            f"{kept_text} could be kept: {_reasons(plan, discarded)}",
            hint_for_silence(plan.request.sampling) if silent else f"try more --candidates, or {COPY_HINT}",
        )


def _unclosed(representation: Representation, kept: Sequence[Candidate]) -> list[int]:
    """Return the numbers of the kept pieces that do not close, though they are complete."""
    pieces = [(number, piece) for number, piece in enumerate(kept, 1) if piece.complete]
    return [number for number, piece in pieces if not closes(representation, piece.steps, piece.labels)]


def _reasons(plan: Plan, discarded: _Discarded) -> str:
    limit = plan.options.max_copy
    copied = f"{discarded.copied:,} copied more than {limit} notes in every attempt" if discarded.copied else ""
    silent = f"{discarded.without_notes:,} had no notes" if discarded.without_notes else ""
    return " and ".join(filter(None, (copied, silent)))
