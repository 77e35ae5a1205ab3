"""Run a plan: generate its pieces and write each as it is generated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from composer.api import ComposerError, Step
from composer.cli.gen.complete_primer import how_to_continue
from composer.cli.gen.copy_limit import counting_rejected
from composer.cli.gen.endings import closes, unclosed_note
from composer.cli.gen.hints import COPY_HINT, hint_for_silence
from composer.cli.gen.plan import Plan
from composer.cli.output.encoders import NoNotes, PieceEncoder
from composer.cli.render.progress_bar import ProgressDisplay, progress_display
from composer.cli.render.text import count_noun
from composer.generation import request as generation_request
from composer.generation.candidates import Judge, Verdict
from composer.generation.generate import generate
from composer.generation.request import Finished, Generated


def generate_pieces(plan: Plan) -> None:
    """Generate and write all pieces of a plan; after an interruption the finished ones stay.

    Raises NoNotes or CopiedTooMuch if that is so of a single piece, ComposerError after all others if of some.
    """
    plan.output.console.begin()
    if plan.ranking is not None:
        from composer.cli.gen.best_of import generate_best

        generate_best(plan, plan.ranking)
        return
    if plan.options.context is not None and plan.options.context.choices:
        from composer.cli.choose.writing import write_followed

        write_followed(plan)
        return
    target, console = plan.output.target, plan.output.console
    counts, finished = _Counts(), False
    try:
        target.open(plan.record)
        with progress_display(
            console,
            plan.share,
            lambda: target.already_written,
            plan.model.representation.step_name,
            to_stdout=plan.output.to_stdout,
        ) as progress:
            _write_pieces(plan, progress, counts)
        finished = True
    finally:
        target.close(finished=finished)
    _summarize(plan, counts)


def _write_pieces(plan: Plan, progress: ProgressDisplay, counts: _Counts) -> None:
    """Write every step and finish every piece."""
    model, output, pieces = plan.model, plan.output, dict[int, _PieceInProgress]()
    ordered = not output.target.one_file_per_piece
    judge, accept = _counting(plan.judge, progress), counting_rejected(plan.accept, progress)
    request = replace(plan.request, on_steps=progress.add_steps)
    counts_ahead = judge is not None or request.particles > 1
    events = generate(
        model.sampler, model.spec, request, plan.constraint, ordered=ordered, accept=accept, judge=judge,
        endings=plan.endings,
    )  # fmt: skip
    for event in events:
        number = event.number
        if number not in pieces:
            pieces[number] = _piece(plan, event, progress)
        if isinstance(event, Generated):
            pieces[number].add(event.steps)
            if data := pieces[number].encoder.push(event.steps):
                progress.before_output()
            output.target.write(number, data)
            if not counts_ahead:
                progress.add_steps(len(event.steps))
            continue
        progress.before_output()
        try:
            _finish_piece(plan, event, pieces.pop(number), counts)
        except (NoNotes, CopiedTooMuch) as error:
            if plan.request.count == 1:
                if isinstance(error, NoNotes):
                    error.hint = hint_for_silence(plan.request.sampling)
                raise
            output.target.discard(number)
            progress.warn(f"skipped {error.message}")
            counts.copied += isinstance(error, CopiedTooMuch)
            counts.without_notes += isinstance(error, NoNotes)
        progress.finish_piece()


def _counting(judge: Judge | None, progress: ProgressDisplay) -> Judge | None:
    """Return `judge`, which also counts the steps of each candidate: only the chosen ones arrive, and late."""
    if judge is None:
        return None

    def judge_and_count(steps: Sequence[Step], logp: Sequence[float], plan: str) -> Verdict:
        progress.add_steps(len(steps))
        return judge(steps, logp, plan)

    return judge_and_count


def _piece(plan: Plan, event: Generated | Finished, progress: ProgressDisplay) -> _PieceInProgress:
    """Return the piece that begins with `event`."""
    representation = plan.model.representation
    plan_labels = representation.plan_labels(event.plan) if isinstance(event, Generated) else {}
    chosen = event.chosen if isinstance(event, Generated) else None
    labels = {**plan_labels, **plan.labels}
    encoder = plan.output.encoder(representation, event.number, labels, chosen, progress.rendered)
    return _PieceInProgress(encoder, labels, keeps_steps=plan.endings is not None)


class CopiedTooMuch(ComposerError):
    """A piece that copied more than --max-copy allows in every attempt."""


@dataclass(slots=True)
class _PieceInProgress:
    """A piece that is being generated, with its labels, the number of its steps and the last two.

    It `keeps_steps` if all are needed to judge its ending.
    """

    encoder: PieceEncoder
    labels: Mapping[str, str]
    keeps_steps: bool
    steps: int = 0
    last: Sequence[Step] = ()
    kept: list[Step] = field(default_factory=list)

    def add(self, steps: Sequence[Step]) -> None:
        self.steps += len(steps)
        self.last = (*self.last, *steps[-2:])[-2:]
        if self.keeps_steps:
            self.kept += steps


@dataclass(slots=True)
class _Counts:
    """How many pieces were cut off, only repeat the primer, have no notes, or copied too much; which do not close."""

    cut: int = 0
    nothing_added: int = 0
    without_notes: int = 0
    copied: int = 0
    unclosed: list[int] = field(default_factory=list)


def _finish_piece(plan: Plan, event: Finished, piece: _PieceInProgress, counts: _Counts) -> None:
    """Write the end of a piece. Raises NoNotes, CopiedTooMuch."""
    if not event.accepted:
        attempts, limit = generation_request.MAX_ATTEMPTS * plan.request.candidates, plan.options.max_copy
        message = f"piece {event.number}: all {attempts} attempts copied more than {limit} consecutive notes"
        raise CopiedTooMuch(message, COPY_HINT)
    primer = len(plan.request.primer)
    counts.nothing_added += bool(primer) and piece.steps <= primer + 1
    plan.output.target.write(event.number, piece.encoder.finish())
    plan.output.target.finish_piece(event.number)
    is_cut = not event.complete or plan.model.representation.breaks_off(piece.last)
    counts.cut += is_cut
    if piece.keeps_steps and not is_cut and not closes(plan.model.representation, piece.kept, piece.labels):
        counts.unclosed.append(event.number)


def _summarize(plan: Plan, counts: _Counts) -> None:
    """Warn of pieces that are not what the user may expect. Raises ComposerError if some are missing."""
    console, count = plan.output.console, plan.request.count
    if counts.cut:
        were = "the piece was" if count == 1 else f"{counts.cut:,} of {plan.share:,} pieces were"
        limit = count_noun(plan.request.length, plan.model.representation.step_name)
        console.warn(f"{were} truncated at {limit}; use a larger --length")
    if counts.nothing_added:
        pieces = "" if count == 1 else f" to {counts.nothing_added:,} of {plan.share:,} pieces"
        hint = how_to_continue(plan.model.representation, plan.request.primer)
        console.warn(f"the primer is a complete piece, so nothing was added{pieces}; {hint}")
    if counts.unclosed and plan.endings is not None:
        console.say(unclosed_note(sorted(counts.unclosed), plan.share, plan.endings.tries))
    if counts.copied:
        raise ComposerError(f"{counts.copied:,} of {plan.share:,} pieces copied too much and were skipped", COPY_HINT)
    if counts.without_notes:
        raise ComposerError(
            f"{counts.without_notes:,} of {plan.share:,} pieces had no notes and were skipped",
            hint_for_silence(plan.request.sampling),
        )
