"""Generate pieces: from a sampler, a spec and a request to a stream of steps, piece by piece.

A piece is a function of the model, its own seed and the request. The last bit of a matrix product depends on its number
of rows, so the batch size stays the same during a run and is part of a piece's recipe.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from composer.api import Constraint, Sampler, SequenceSpec, UsageError
from composer.generation.batched_loop import generate_batched
from composer.generation.candidates import Judge, choose_candidates
from composer.generation.endings import Endings
from composer.generation.plans import PlannedConstraints
from composer.generation.request import AcceptPiece, Finished, Generated, GenerationRequest, OutputOrder, PieceQueue


def generate(
    sampler: Sampler,
    spec: SequenceSpec,
    request: GenerationRequest,
    constraint: Constraint | PlannedConstraints | None = None,
    *,
    ordered: bool = True,
    accept: AcceptPiece | None = None,
    judge: Judge | None = None,
    endings: Endings | None = None,
) -> Iterator[Generated | Finished]:
    """Generate the pieces of a request, one after the other, the current one step by step.

    Later pieces wait for their turn. Without `ordered`, pieces come as they are generated, each one's events in order.
    A piece that `accept` rejects is generated again with another seed, up to MAX_ATTEMPTS times; then its steps come
    only once it is finished. If the request has several candidates for each piece, `judge` chooses, and the steps of a
    piece come once that is done. With `endings`, the last bars of a piece are generated again until it closes, and its
    steps come once it does. If `spec` has position features, `constraint` counts them.
    """
    if spec.features and constraint is None:
        raise UsageError("the model needs the constraint, which counts positions", "generate with the constraint")
    queue, order = PieceQueue(request), OutputOrder(iter(request.pieces if ordered else ()))
    buffered = accept is not None or judge is not None or endings is not None
    at_once = OutputOrder(iter(())) if buffered else order
    if request.particles > 1 and constraint is not None:
        from composer.generation.particles import generate_from_particles

        events = generate_from_particles(sampler, spec, request, constraint, queue)
    else:
        events = generate_batched(sampler, spec, request, constraint, queue, at_once, endings)
    if accept is not None:
        events = _accepted(events, accept, queue)
    if judge is not None:
        events = choose_candidates(events, judge, queue)
    return _in_order(events, order) if ordered else events


def _accepted(
    events: Iterable[Generated | Finished], accept: AcceptPiece, queue: PieceQueue
) -> Iterator[Generated | Finished]:
    """Yield each accepted piece once it is finished, and queue rejected ones again."""
    unfinished: dict[int, list[Generated]] = {}
    for event in events:
        if isinstance(event, Generated):
            unfinished.setdefault(event.number, []).append(event)
            continue
        generated = unfinished.pop(event.number, [])
        if accept([step for each in generated for step in each.steps]):
            queue.done(event.number)
            yield from generated
            yield event
        elif not queue.retry(event.number):
            yield event._replace(accepted=False)


def _in_order(events: Iterable[Generated | Finished], order: OutputOrder) -> Iterator[Generated | Finished]:
    waiting: dict[int, deque[Generated | Finished]] = {}
    for event in events:
        if event.number != order.current:
            waiting.setdefault(event.number, deque()).append(event)
            continue
        yield event
        over = isinstance(event, Finished)
        while over:
            order.advance()
            queue = waiting.pop(order.current, deque())
            yield from queue
            over = bool(queue) and isinstance(queue[-1], Finished)
