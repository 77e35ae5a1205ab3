"""Composing more pieces than are asked for, and keeping the best of them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from composer.api import ComposerError, Representation, Score, Step
from composer.cli.gen.hints import COPY_LESS, sound_more
from composer.cli.gen.ranking import Choice, Judgement, Scorer
from composer.cli.render.progress_bar import ProgressDisplay, progress_display
from composer.cli.render.text import count_noun
from composer.generation import generate as generation
from composer.generation.generate import Drew

if TYPE_CHECKING:
    from composer.cli.gen.plan import Plan

__all__ = ["Candidate", "take"]


class Candidate(NamedTuple):
    """A piece that may be kept: its number among all, and the seed that it was composed with."""

    number: int
    seed: int
    steps: Sequence[Step]
    whole: bool
    judgement: Judgement


@dataclass(slots=True)
class _Taken:
    """A piece that is being composed, with the log-probabilities of the steps that were drawn."""

    steps: list[Step] = field(default_factory=list)
    logp: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _Out:
    """How many pieces are out of the choice: they have no notes, or all attempts copied too much."""

    soundless: int = 0
    refused: int = 0


def take(plan: Plan, choice: Choice, scorer: Scorer) -> None:
    """Compose all pieces of a plan, and deliver the best, in order. Nothing is written before all are composed.

    Raises ComposerError where fewer can be kept than were asked for.
    """
    out, best = _Out(), list[tuple[tuple[float, ...], int, Candidate]]()
    with progress_display(plan.delivery.console, choice.take, lambda: 0, plan.player.representation.step_name) as told:
        for piece in _composed(plan, choice, scorer, told, out):
            heapq.heappush(best, (piece.judgement.ranks, -piece.number, piece))
            if len(best) > choice.keep:
                heapq.heappop(best)
    kept = [piece for *_, piece in sorted(best, reverse=True)]
    if kept:
        _deliver(plan, kept)
    _close(plan, choice, kept, out)


def _composed(plan: Plan, choice: Choice, scorer: Scorer, told: ProgressDisplay, out: _Out) -> Iterator[Candidate]:
    """All pieces that have a place in the choice, in any order."""
    player, pieces = plan.player, dict[int, _Taken]()
    events = generation.generate(
        player.sampler, player.spec, plan.request, plan.constraint, ordered=False, judge=plan.judge
    )
    heard = choice.by != "likelihood" or not plan.delivery.native
    for event in events:
        piece = pieces.setdefault(event.number, _Taken())
        if isinstance(event, Drew):
            piece.steps += event.steps
            piece.logp += event.logp if event.drawn else ()
            told.add_steps(len(event.steps))
            continue
        del pieces[event.number]
        told.finish_piece()
        score = _score(plan, piece.steps) if event.good and heard else None
        if not event.good:
            out.refused += 1
        elif heard and not (score and score.notes) and _is_music(player.representation):
            out.soundless += 1
        else:
            yield Candidate(event.number, event.seed, piece.steps, event.whole, scorer(piece.logp, score))


def _score(plan: Plan, steps: Sequence[Step]) -> Score | None:
    representation = plan.player.representation
    piece = representation.decode(steps)
    return representation.score(replace(piece, labels={**plan.labels, **piece.labels}))


def _is_music(representation: Representation) -> bool:
    return type(representation).score is not Representation.score


def _deliver(plan: Plan, kept: Sequence[Candidate]) -> None:
    """Write the pieces that are kept, the best first, and number them from 1."""
    delivery, finished = plan.delivery, False
    try:
        delivery.target.begin(plan.record)
        for place, piece in enumerate(kept, 1):
            rendering = delivery.rendering(plan.player.representation, place, plan.labels, piece.number)
            delivery.target.write(place, rendering.push(piece.steps) + rendering.finish())
            delivery.target.end(place)
        finished = True
    finally:
        delivery.target.close(finished=finished)


def _close(plan: Plan, choice: Choice, kept: Sequence[Candidate], out: _Out) -> None:
    """Say what was chosen, and what the user may not expect of it."""
    console = plan.delivery.console
    if kept:
        console.say(f"kept {len(kept)} of {count_noun(choice.take, 'piece')} by {choice.by}:")
    for place, piece in enumerate(kept, 1):
        console.say(f"  {place}. piece {piece.number} (seed {piece.seed}): {piece.judgement.words}")
    if cut := sum(not piece.whole for piece in kept):
        console.warn(f"{cut:,} of those kept were cut at {plan.request.length} steps; give a longer --length")
    if len(kept) < choice.keep:
        raise ComposerError(
            f"only {count_noun(len(kept), 'piece')} could be kept: {_reasons(out)}",
            f"take more, or {sound_more(plan.request) if out.soundless >= out.refused else COPY_LESS}",
        )


def _reasons(out: _Out) -> str:
    copied = f"{out.refused:,} copied too much in each of {generation.ATTEMPTS} attempts" if out.refused else ""
    return " and ".join(filter(None, (copied, f"{out.soundless:,} had no notes" if out.soundless else "")))
