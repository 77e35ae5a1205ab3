"""Composing as it was planned: every piece on its way from the sampler to where it goes."""

from __future__ import annotations

from dataclasses import dataclass

from composer.api import ComposerError
from composer.cli.gen.hints import COPY_LESS, sound_more
from composer.cli.gen.plan import Plan
from composer.cli.output.encoders import Rendering, Soundless
from composer.cli.render.progress_bar import ProgressDisplay, progress_display
from composer.generation import generate as generation
from composer.generation.generate import Drew, Ended
from composer.system import blas_threads
from composer.system.blas_threads import Settled

__all__ = ["compose"]


def compose(plan: Plan) -> None:
    """Compose all pieces of a plan and deliver each; where this is interrupted, the ones that are whole are kept.

    Raises Soundless or Copied where that is so of a single piece, ComposerError after all others where it is of some.
    """
    request = plan.request
    settled = blas_threads.settle(plan.player.sampler, request.rows, request.length * request.count // request.rows)
    if plan.choice is not None:
        from composer.cli.gen import best_of

        best_of.take(plan, *plan.choice)
        return
    target, console = plan.delivery.target, plan.delivery.console
    counted, finished = _Counted(), False
    try:
        target.begin(plan.record)
        with progress_display(console, plan.share, lambda: target.before, plan.player.representation.step_name) as told:
            _deliver(plan, told, counted, settled)
        finished = True
    finally:
        target.close(finished=finished)
    _close(plan, counted)


def _deliver(plan: Plan, told: ProgressDisplay, counted: _Counted, settled: Settled) -> None:
    """Every step to where it goes, and every piece to its end."""
    player, delivery, pieces = plan.player, plan.delivery, dict[int, _Piece]()
    ordered = not delivery.target.apart
    events = generation.generate(player.sampler, player.spec, plan.request, plan.constraint, ordered, plan.judge)
    if settled.threads > 1 and plan.request.rows == 1:  # where an event is a step
        events = settled.watched(events)
    for event in events:
        number = event.number
        if number not in pieces:
            pieces[number] = _Piece(delivery.rendering(player.representation, number, plan.labels))
        if isinstance(event, Drew):
            pieces[number].steps += len(event.steps)
            delivery.target.write(number, pieces[number].rendering.push(event.steps))
            told.add_steps(len(event.steps))
            continue
        try:
            _end(plan, event, pieces.pop(number), counted)
        except (Soundless, Copied) as error:
            if plan.request.count == 1:
                if isinstance(error, Soundless):
                    error.hint = sound_more(plan.request)
                raise
            delivery.target.drop(number)
            told.warn(f"{error.message}; it is left out")
            counted.copied += isinstance(error, Copied)
            counted.soundless += isinstance(error, Soundless)
        told.finish_piece()


class Copied(ComposerError):
    """A piece that copied too much, whatever was tried."""


@dataclass(slots=True)
class _Piece:
    """A piece that is being composed."""

    rendering: Rendering
    steps: int = 0


@dataclass(slots=True)
class _Counted:
    """How many pieces were cut at their length, had nothing added to the opening, had no notes, or copied too much."""

    cut: int = 0
    bare: int = 0
    soundless: int = 0
    copied: int = 0


def _end(plan: Plan, event: Ended, piece: _Piece, counted: _Counted) -> None:
    """Deliver the end of a piece. Raises Soundless, Copied."""
    if not event.good:
        raise Copied(f"piece {event.number} copied too much in each of {generation.ATTEMPTS} attempts", COPY_LESS)
    opened = len(plan.request.primer)
    counted.bare += bool(opened) and piece.steps <= opened + 1
    plan.delivery.target.write(event.number, piece.rendering.finish())
    plan.delivery.target.end(event.number)
    counted.cut += not event.whole


def _close(plan: Plan, counted: _Counted) -> None:
    """Say what the user may not expect of the pieces."""
    console, count = plan.delivery.console, plan.request.count
    if counted.cut:
        were = "the piece was" if count == 1 else f"{counted.cut:,} of {plan.share:,} pieces were"
        console.warn(f"{were} cut at {plan.request.length} steps; give a longer --length")
    if counted.bare:
        console.warn("nothing was added to the opening, which is a whole piece; leave off its last bar line to go on")
    if counted.copied:
        raise ComposerError(f"{counted.copied:,} of {plan.share:,} pieces copied too much and were left out", COPY_LESS)
    if counted.soundless:
        raise ComposerError(
            f"{counted.soundless:,} of {plan.share:,} pieces had no notes and were left out",
            sound_more(plan.request),
        )
